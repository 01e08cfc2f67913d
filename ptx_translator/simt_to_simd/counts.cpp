// What a kernel's vectors do, counted for who asks (Options::counts): in variables, which are added up where a tile ends.
#include "ptx/host_abi.h"
#include "simt_to_simd/runs.h"
#include "simt_to_simd/widener.h"

#include <llvm/IR/Module.h>

#include <cstddef>

namespace ptx::simd {

using llvm::Instruction;
using llvm::isa;
using llvm::Value;

namespace {

/// In the order of the Widener's counters.
constexpr uint32_t counted[] = {offsetof(host::Counts, lanes), offsetof(host::Counts, room),
                                offsetof(host::Counts, accesses), offsetof(host::Counts, scattered)};

void increase(IR& ir, llvm::AllocaInst* counter, Value* by) {
    ir.CreateStore(ir.CreateAdd(ir.CreateLoad(ir.getInt64Ty(), counter), by), counter);
}

} // namespace

void Widener::make_counters() {
    if (!machine_.counts) return;
    ir_.SetInsertPoint(entry_);
    for (size_t i = 0; i < std::size(counted); ++i) {
        counters_.push_back(ir_.CreateAlloca(ir_.getInt64Ty()));
        ir_.CreateStore(ir_.getInt64(0), counters_.back());
    }
    variables_.append(counters_.begin(), counters_.end());
}

/// Whether the lanes' addresses have no order that a load or a store of a vector could use.
bool Widener::is_scattered(const Instruction& access) const {
    const auto* load = llvm::dyn_cast<llvm::LoadInst>(&access);
    const auto* store = llvm::dyn_cast<llvm::StoreInst>(&access);
    if (!(load && load->isSimple()) && !(store && store->isSimple())) return true;
    if (bundles_.of(&access)) return false;
    Value* pointer = const_cast<Value*>(llvm::getLoadStorePointerOperand(&access));
    llvm::Type* type = llvm::getLoadStoreType(const_cast<Instruction*>(&access));
    bool backwards = false;
    if (is_contiguous(pointer, type, backwards)) return false;
    if (load && run_of(shapes_, data_, pointer, type)) return false;
    return !((load || is_own_memory(pointer)) && elements_of(pointer, type));
}

/// Behind the block's code, for the lanes that have run it.
void Widener::count_block(unsigned number) {
    if (counters_.empty()) return;
    const llvm::BasicBlock& block = *blocks_[number];
    uint64_t operations = 0, accesses = 0, scattered = 0;
    for (const Instruction& instruction : block) {
        if (shapes_.is_guess(&instruction) || instruction.isTerminator()) continue;
        const Value* pointer = llvm::getLoadStorePointerOperand(&instruction);
        const bool access = pointer ? !shapes_.of(pointer).is_uniform()
                                    : isa<llvm::AtomicRMWInst, llvm::AtomicCmpXchgInst>(instruction);
        if (access) accesses++, scattered += is_scattered(instruction);
        operations += access || !shapes_.of(&instruction).is_regular();
    }
    const bool one = shapes_.is_of_one_lane(&block);
    Value* lanes = ir_.getInt64(one ? 1 : lanes_);
    if (Value* mask = masks_[number]; mask && !one)
        lanes = ir_.CreateZExtOrTrunc(ir_.CreateUnaryIntrinsic(llvm::Intrinsic::ctpop, bits(mask)), ir_.getInt64Ty());
    if (operations) {
        increase(ir_, counters_[0], ir_.CreateMul(lanes, ir_.getInt64(operations)));
        increase(ir_, counters_[1], ir_.getInt64(operations * lanes_));
    }
    if (accesses) increase(ir_, counters_[2], ir_.getInt64(accesses));
    if (scattered) increase(ir_, counters_[3], ir_.getInt64(scattered));
}

/// Where the tile ends.
void Widener::add_counts() {
    if (counters_.empty()) return;
    Value* counts = ir_.CreateLoad(ir_.getPtrTy(), machine_.counts);
    for (size_t i = 0; i < std::size(counted); ++i)
        ir_.CreateAtomicRMW(llvm::AtomicRMWInst::Add, ir_.CreateConstInBoundsGEP1_32(ir_.getInt8Ty(), counts, counted[i]),
                            ir_.CreateLoad(ir_.getInt64Ty(), counters_[i]), llvm::MaybeAlign(8),
                            llvm::AtomicOrdering::Monotonic);
}

} // namespace ptx::simd

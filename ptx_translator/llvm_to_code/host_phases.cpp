#include "llvm_to_code/host_phases.h"

#include "llvm_to_code/kernels.h"
#include "llvm_to_code/neutral.h"
#include "llvm_to_code/phase_values.h"
#include "ptx/host_abi.h"

#include <llvm/IR/Dominators.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/Transforms/Utils/Cloning.h>
#include <llvm/Transforms/Utils/Local.h>
#include <llvm/Transforms/Utils/PromoteMemToReg.h>
#include <llvm/Transforms/Utils/ValueMapper.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>

namespace ptx::code {
namespace {

using IR = llvm::IRBuilder<>;

/// A thread's arrays and what it keeps may not be more.
constexpr uint64_t most_bytes_per_thread = 16 << 10;

/// Blocks that several phases pass through are compiled for each: by so much may a kernel grow.
constexpr size_t most_growth = 6, small_kernel = 1000;

bool is_barrier(const llvm::Instruction& instruction) {
    const llvm::StringRef name = cuttle_name(instruction);
    return name == "barrier.sync" || name == "barrier.reduce";
}

/// Functions that the kernel calls and that contain barriers become part of it, as far as that is possible.
void inline_barriers(llvm::Function& kernel) {
    for (bool changed = true; changed;) {
        changed = false;
        for (llvm::Function* function : reachable_from(kernel))
            if (function != &kernel && llvm::any_of(llvm::instructions(*function), is_barrier))
                changed |= inline_into_callers(*function);
    }
}

/// Meetings of lanes that are no barrier of the whole CTA, and what must not run thread after thread.
bool meets_otherwise(llvm::Function& kernel) {
    llvm::Value* number = nullptr;
    for (llvm::Function* function : reachable_from(kernel))
        for (llvm::CallInst* call : cuttle_calls(*function)) {
            const llvm::StringRef name = cuttle_name(*call);
            if (name == "device.call" || name.starts_with("sreg.envreg")) return true;
            // An exit in the kernel itself is a return.
            if (!lanes_meet_in(name) || (name == "exit" && function == &kernel)) continue;
            if (function != &kernel || !is_barrier(*call)) return true;
            const unsigned first = name == "barrier.reduce";
            auto* count = llvm::dyn_cast<llvm::ConstantInt>(call->getArgOperand(first + 1));
            auto* id = llvm::dyn_cast<llvm::ConstantInt>(call->getArgOperand(first));
            if (!count || !count->isZero() || !id || (number && number != id)) return true;
            number = id;
        }
    return false;
}

/// Arrays in slots are on no stack, where isspacep looks for local memory.
bool asks_for_local(llvm::Function& kernel) {
    for (llvm::Function* function : reachable_from(kernel))
        for (llvm::CallInst* call : cuttle_calls(*function))
            if (cuttle_name(*call) == "isspacep.local" || cuttle_name(*call) == "isspacep.global") return true;
    return false;
}

class Splitter {
  public:
    explicit Splitter(llvm::Function& kernel) : kernel_(kernel), data_(kernel.getParent()->getDataLayout()) {
        for (llvm::Instruction& instruction : llvm::instructions(kernel))
            if (auto* array = llvm::dyn_cast<llvm::AllocaInst>(&instruction)) arrays_.push_back(array);
    }

    std::optional<Phases> split() {
        if (!lay_out_arrays()) return std::nullopt;
        begins_.push_back(leave_arrays());
        for (llvm::CallInst* call : cuttle_calls(kernel_))
            if (is_barrier(*call)) barriers_.push_back(call);
        for (llvm::CallInst* barrier : barriers_) {
            if (cuttle_name(*barrier) == "barrier.reduce") take_vote(*barrier);
            begins_.push_back(barrier->getParent()->splitBasicBlock(barrier->getIterator()));
        }
        values_.emplace(kernel_, llvm::ArrayRef(begins_).drop_front());
        lay_out_values();
        if (bytes_ > most_bytes_per_thread || grows_too_much()) return std::nullopt;
        Phases phases;
        for (uint32_t i = 0; i < begins_.size(); ++i) phases.functions.push_back(make_phase(i));
        phases.bytes_per_thread = static_cast<uint32_t>(bytes_);
        return phases;
    }

  private:
    void add_place(llvm::AllocaInst* value, uint64_t size) {
        places_[value] = bytes_;
        bytes_ += size;
    }

    static uint64_t rounded(uint64_t size) { return (size + 15) / 16 * 16; }

    bool lay_out_arrays() {
        for (llvm::AllocaInst* array : arrays_) {
            if (!array->isStaticAlloca() || array->getAlign() > 16) return false;
            add_place(array, rounded_size(array));
        }
        return arrays_.empty() || !asks_for_local(kernel_);
    }

    /// A block of their own for the kernel's arrays; returns what comes behind it.
    llvm::BasicBlock* leave_arrays() {
        llvm::BasicBlock& entry = kernel_.getEntryBlock();
        llvm::BasicBlock* begin = entry.splitBasicBlock(entry.begin());
        for (llvm::AllocaInst* array : arrays_) array->moveBefore(entry.getTerminator()->getIterator());
        return begin;
    }

    /// What a thread says in a vote is known before the barrier, but not kept.
    void take_vote(llvm::CallInst& barrier) {
        IR ir(&kernel_.getEntryBlock(), kernel_.getEntryBlock().begin());
        if (!vote_) vote_ = ir.CreateAlloca(ir.getInt1Ty());
        new llvm::StoreInst(barrier.getArgOperand(3), vote_, barrier.getIterator());
        barrier.setArgOperand(3, ir.getFalse());
    }

    /// A value of one bit takes a byte.
    llvm::Type* in_memory(llvm::Type* type) {
        return type->isIntegerTy(1) ? llvm::Type::getInt8Ty(type->getContext()) : type;
    }

    void lay_out_values() {
        // Large ones first, so that there are no gaps; those of one size in their order.
        std::multimap<uint64_t, llvm::AllocaInst*, std::greater<>> by_size;
        for (llvm::AllocaInst* value : values_->kept())
            by_size.emplace(data_.getTypeAllocSize(in_memory(value->getAllocatedType())).getFixedValue(), value);
        for (const auto& [size, value] : by_size) add_place(value, size);
    }

    llvm::SmallVector<llvm::BasicBlock*, 32> blocks_of(llvm::BasicBlock* begin) const {
        llvm::SmallVector<llvm::BasicBlock*, 32> blocks{begin};
        llvm::SmallPtrSet<llvm::BasicBlock*, 32> seen{begin};
        for (size_t i = 0; i < blocks.size(); ++i)
            for (llvm::BasicBlock* next : llvm::successors(blocks[i]))
                if (phase_of(next) == 0 && seen.insert(next).second) blocks.push_back(next);
        return blocks;
    }

    /// The number of the phase that begins with the block, 0 for other blocks: nothing jumps to an entry block.
    uint32_t phase_of(const llvm::BasicBlock* block) const {
        const auto* found = llvm::find(begins_, block);
        return found == begins_.end() ? 0 : static_cast<uint32_t>(found - begins_.begin());
    }

    bool grows_too_much() const {
        size_t before = small_kernel, after = 0;
        for (const llvm::BasicBlock& block : kernel_) before += block.size();
        for (llvm::BasicBlock* begin : begins_)
            for (const llvm::BasicBlock* block : blocks_of(begin)) after += block->size();
        return after > most_growth * before;
    }

    llvm::Function* make_phase(uint32_t number) {
        llvm::LLVMContext& context = kernel_.getContext();
        llvm::Type *pointer = llvm::PointerType::get(context, 0), *i64 = llvm::Type::getInt64Ty(context);
        auto* type = llvm::FunctionType::get(llvm::Type::getInt32Ty(context), {pointer, pointer, i64, i64}, false);
        phase_ = llvm::Function::Create(type, llvm::Function::InternalLinkage, "", kernel_.getParent());
        phase_->addFnAttr(llvm::Attribute::AlwaysInline);
        llvm::BasicBlock* entry = llvm::BasicBlock::Create(context, "", phase_);
        map_.clear();
        ends_.clear();
        IR ir(entry);
        const llvm::SmallVector<llvm::BasicBlock*, 32> blocks = blocks_of(begins_[number]);
        llvm::SmallVector<llvm::AllocaInst*, 32> variables;
        llvm::SmallVector<llvm::AllocaInst*, 32> all(values_->all());
        if (vote_) all.push_back(vote_);
        for (llvm::AllocaInst* value : all) {
            variables.push_back(ir.CreateAlloca(value->getAllocatedType()));
            map_[value] = variables.back();
        }
        for (llvm::AllocaInst* array : arrays_) map_[array] = place(ir, array, rounded_size(array));
        if (number > 0)
            for (llvm::AllocaInst* value : values_->live_at(number - 1)) load_slot(ir, value);
        for (llvm::BasicBlock* block : blocks) map_[block] = llvm::CloneBasicBlock(block, map_, "", phase_);
        ir.CreateBr(llvm::cast<llvm::BasicBlock>(map_[begins_[number]]));
        find_stored(blocks);
        for (llvm::BasicBlock* block : blocks) finish(*block);
        if (number > 0) pass_barrier(*llvm::cast<llvm::CallInst>(map_[barriers_[number - 1]]));
        llvm::DominatorTree dominators(*phase_);
        llvm::erase_if(variables, [](auto* variable) { return !llvm::isAllocaPromotable(variable); });
        llvm::PromoteMemToReg(variables, dominators);
        return phase_;
    }

    uint64_t rounded_size(llvm::AllocaInst* array) { return rounded(array->getAllocationSize(data_)->getFixedValue()); }

    llvm::Value* place(IR& ir, llvm::AllocaInst* value, uint64_t size) {
        llvm::Value* offset = ir.CreateNUWMul(phase_->getArg(2), ir.getInt64(places_.lookup(value)));
        llvm::Value* mine = ir.CreateNUWMul(phase_->getArg(3), ir.getInt64(size));
        return ir.CreateGEP(ir.getInt8Ty(), ir.CreateGEP(ir.getInt8Ty(), phase_->getArg(1), offset), mine);
    }

    llvm::Value* slot(IR& ir, llvm::AllocaInst* value) {
        return place(ir, value, data_.getTypeAllocSize(in_memory(value->getAllocatedType())).getFixedValue());
    }

    void load_slot(IR& ir, llvm::AllocaInst* value) {
        llvm::Type *type = value->getAllocatedType(), *stored = in_memory(type);
        llvm::Value* loaded = ir.CreateLoad(stored, slot(ir, value));
        if (stored != type) loaded = ir.CreateTrunc(loaded, type);
        ir.CreateStore(loaded, map_[value]);
    }

    void store_slot(IR& ir, llvm::AllocaInst* value) {
        llvm::Type *type = value->getAllocatedType(), *stored = in_memory(type);
        llvm::Value* loaded = ir.CreateLoad(type, map_[value]);
        if (stored != type) loaded = ir.CreateZExt(loaded, stored);
        ir.CreateStore(loaded, slot(ir, value));
    }

    void find_stored(llvm::ArrayRef<llvm::BasicBlock*> blocks) {
        stored_.clear();
        for (llvm::BasicBlock* block : blocks)
            for (llvm::Instruction& instruction : *block)
                if (auto* store = llvm::dyn_cast<llvm::StoreInst>(&instruction))
                    stored_.insert(store->getPointerOperand());
    }

    /// Where the phase ends at the barrier that begins another.
    llvm::BasicBlock* end_at(uint32_t next) {
        llvm::BasicBlock*& end = ends_[next];
        if (end) return end;
        end = llvm::BasicBlock::Create(kernel_.getContext(), "", phase_);
        IR ir(end);
        for (llvm::AllocaInst* value : values_->live_at(next - 1))
            if (stored_.contains(value)) store_slot(ir, value);
        if (cuttle_name(*barriers_[next - 1]) == "barrier.reduce") vote(ir);
        ir.CreateRet(ir.getInt32(next));
        return end;
    }

    llvm::Value* field(IR& ir, size_t offset) {
        return ir.CreateConstInBoundsGEP1_32(ir.getInt8Ty(), phase_->getArg(0), static_cast<unsigned>(offset));
    }

    void vote(IR& ir) {
        llvm::Value* yes = ir.CreateZExt(ir.CreateLoad(ir.getInt1Ty(), map_[vote_]), ir.getInt32Ty());
        auto add = [&](size_t offset, llvm::Value* more) {
            llvm::Value* address = field(ir, offset);
            llvm::LoadInst* before = ir.CreateLoad(ir.getInt32Ty(), address);
            llvm::StoreInst* after = ir.CreateStore(ir.CreateAdd(before, more), address);
            for (llvm::Instruction* access :
                 {static_cast<llvm::Instruction*>(before), static_cast<llvm::Instruction*>(after)})
                access->setMetadata(common_metadata, llvm::MDNode::get(access->getContext(), {}));
        };
        add(offsetof(host::PhaseState, votes), yes);
        add(offsetof(host::PhaseState, voters), ir.getInt32(1));
    }

    /// The barrier behind which the phase begins.
    void pass_barrier(llvm::CallInst& call) {
        if (cuttle_name(call) == "barrier.reduce") {
            IR ir(&call);
            auto load = [&](size_t offset) { return ir.CreateLoad(ir.getInt32Ty(), field(ir, offset)); };
            llvm::Value* votes = load(offsetof(host::PhaseState, last_votes));
            llvm::Value* voters = load(offsetof(host::PhaseState, last_voters));
            llvm::Value* operation = call.getArgOperand(0);
            auto is = [&](host::BarrierReduce which) {
                return ir.CreateICmpEQ(operation, ir.getInt32(static_cast<uint32_t>(which)));
            };
            llvm::Value* all = ir.CreateZExt(ir.CreateICmpEQ(votes, voters), ir.getInt32Ty());
            llvm::Value* any = ir.CreateZExt(ir.CreateIsNotNull(votes), ir.getInt32Ty());
            llvm::Value* result = ir.CreateSelect(is(host::BarrierReduce::and_), all, any);
            call.replaceAllUsesWith(ir.CreateSelect(is(host::BarrierReduce::popc), votes, result));
        }
        call.eraseFromParent();
    }

    /// Makes the copy of a block point into the phase.
    void finish(llvm::BasicBlock& block) {
        auto& copy = *llvm::cast<llvm::BasicBlock>(map_[&block]);
        for (llvm::Instruction& instruction : copy) {
            llvm::RemapInstruction(&instruction, map_, llvm::RF_NoModuleLevelChanges | llvm::RF_IgnoreMissingLocals);
            auto* phi = llvm::dyn_cast<llvm::PHINode>(&instruction);
            for (unsigned i = phi ? phi->getNumIncomingValues() : 0; i-- > 0;)
                if (phi->getIncomingBlock(i)->getParent() != phase_) phi->removeIncomingValue(i, false);
        }
        llvm::Instruction& original = *block.getTerminator();
        for (unsigned i = 0; i < original.getNumSuccessors(); ++i)
            if (const uint32_t next = phase_of(original.getSuccessor(i)))
                copy.getTerminator()->setSuccessor(i, end_at(next));
        if (!llvm::isa<llvm::ReturnInst>(original)) return;
        copy.getTerminator()->eraseFromParent();
        IR ir(&copy);
        ir.CreateRet(ir.getInt32(host::phase_exit));
    }

    llvm::Function& kernel_;
    const llvm::DataLayout& data_;
    llvm::SmallVector<llvm::AllocaInst*, 8> arrays_;
    llvm::AllocaInst* vote_ = nullptr;
    llvm::SmallVector<llvm::BasicBlock*, 8> begins_; ///< of each phase
    llvm::SmallVector<llvm::CallInst*, 8> barriers_; ///< of each phase but the first
    std::optional<PhaseValues> values_;
    uint64_t bytes_ = 0; ///< of a thread's slots
    llvm::DenseMap<llvm::AllocaInst*, uint64_t> places_;
    // Of the phase being made:
    llvm::Function* phase_ = nullptr;
    llvm::ValueToValueMapTy map_;
    llvm::DenseMap<uint32_t, llvm::BasicBlock*> ends_;
    llvm::SmallPtrSet<llvm::Value*, 32> stored_;
};

} // namespace

std::optional<Phases> split_into_phases(llvm::Function& kernel) {
    inline_barriers(kernel);
    if (meets_otherwise(kernel) || !kernel.use_empty()) return std::nullopt;
    llvm::ValueToValueMapTy map;
    llvm::Function* copy = llvm::CloneFunction(&kernel, map);
    return_instead_of_exit(*copy);
    llvm::removeUnreachableBlocks(*copy);
    std::optional<Phases> phases = Splitter(*copy).split();
    copy->eraseFromParent();
    if (!phases) return std::nullopt;
    for (uint32_t i = 0; i < phases->functions.size(); ++i)
        phases->functions[i]->setName(kernel.getName() + phase_suffix + llvm::Twine(i));
    kernel.eraseFromParent();
    return phases;
}

} // namespace ptx::code

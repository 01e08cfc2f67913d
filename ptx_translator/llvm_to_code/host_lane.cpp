#include "llvm_to_code/host_lane.h"

#include <llvm/IR/Function.h>
#include <llvm/IR/MDBuilder.h>
#include <llvm/Transforms/Utils/BasicBlockUtils.h>

#include <cstddef>

namespace ptx::code {

using host::Grid;
using host::Lane;

LaneAccess::LaneAccess(llvm::Function& function) : function_(function), ir_(function.getContext()) {
    llvm::BasicBlock& entry = function.getEntryBlock();
    llvm::BasicBlock::iterator first = entry.begin();
    while (llvm::isa<llvm::AllocaInst>(*first)) ++first;
    llvm::SplitBlock(&entry, first);
    ir_.SetInsertPoint(entry.getTerminator());
}

llvm::Value* LaneAccess::lane() { return function_.getArg(0); }

llvm::LoadInst* LaneAccess::load(llvm::Value* base, uint32_t offset, llvm::Type* type, Limits limits, bool invariant) {
    llvm::LoadInst*& known = loaded_[{base, offset}];
    if (known) return known;
    llvm::LoadInst* load = ir_.CreateLoad(type, ir_.CreateConstInBoundsGEP1_32(ir_.getInt8Ty(), base, offset));
    llvm::MDBuilder metadata(function_.getContext());
    if (invariant)
        load->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(function_.getContext(), {}));
    if (limits.end) {
        const unsigned bits = type->getIntegerBitWidth();
        load->setMetadata(llvm::LLVMContext::MD_range,
                          metadata.createRange(llvm::APInt(bits, limits.begin), llvm::APInt(bits, limits.end)));
    }
    return known = load;
}

llvm::Value* LaneAccess::lane_field(uint32_t offset, llvm::Type* type, Limits limits) {
    // Not invariant: S.block makes Lanes of its own, and stores to them.
    return load(lane(), offset, type, limits, false);
}

llvm::Value* LaneAccess::grid_field(uint32_t offset, llvm::Type* type, Limits limits) {
    llvm::Value* grid = lane_field(offsetof(Lane, grid), ir_.getPtrTy());
    return load(grid, offset, type, limits, true);
}

llvm::Value* LaneAccess::parameters(uint32_t bytes) {
    llvm::Value* grid = lane_field(offsetof(Lane, grid), ir_.getPtrTy());
    llvm::LoadInst* block = load(grid, offsetof(Grid, parameters), ir_.getPtrTy(), {0, 0}, true);
    auto number = [&](uint64_t value) {
        return llvm::MDNode::get(function_.getContext(), llvm::ConstantAsMetadata::get(ir_.getInt64(value)));
    };
    if (bytes) block->setMetadata(llvm::LLVMContext::MD_dereferenceable, number(bytes));
    block->setMetadata(llvm::LLVMContext::MD_align, number(16));
    return block;
}

llvm::Value* LaneAccess::shared() { return lane_field(offsetof(Lane, shared), ir_.getPtrTy()); }

llvm::Value* LaneAccess::service(uint32_t offset) {
    llvm::Value* table = grid_field(offsetof(Grid, services), ir_.getPtrTy());
    return load(table, offset, ir_.getPtrTy(), {0, 0}, true);
}

} // namespace ptx::code

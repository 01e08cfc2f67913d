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

void for_blocks(llvm::IRBuilder<>& ir, llvm::Value* lane, llvm::function_ref<void()> body) {
    llvm::Function* function = ir.GetInsertBlock()->getParent();
    const auto at_offset = [&](llvm::Value* base, size_t offset) {
        return ir.CreateConstInBoundsGEP1_32(ir.getInt8Ty(), base, unsigned(offset));
    };
    const auto block = [&] { return llvm::BasicBlock::Create(ir.getContext(), "", function); };
    llvm::BasicBlock *head = block(), *next = block(), *end = block();
    ir.CreateBr(head);
    ir.SetInsertPoint(head);
    body();
    llvm::Value* more = ir.CreateLoad(ir.getInt64Ty(), at_offset(lane, offsetof(Lane, more)));
    ir.CreateCondBr(ir.CreateIsNull(more), end, next);
    ir.SetInsertPoint(next);
    ir.CreateStore(ir.CreateSub(more, ir.getInt64(1)), at_offset(lane, offsetof(Lane, more)));
    llvm::Value *grid = ir.CreateLoad(ir.getPtrTy(), at_offset(lane, offsetof(Lane, grid))), *carry = ir.getInt32(1);
    for (unsigned axis = 0; axis < 3; ++axis) {
        const size_t at = offsetof(Lane, block) + 4 * axis;
        llvm::Value* index = ir.CreateAdd(ir.CreateLoad(ir.getInt32Ty(), at_offset(lane, at)), carry);
        if (axis < 2) {
            llvm::Value* size = ir.CreateLoad(ir.getInt32Ty(), at_offset(grid, offsetof(Grid, grid_dim) + 4 * axis));
            llvm::Value* over = ir.CreateICmpEQ(index, size);
            carry = ir.CreateZExt(over, ir.getInt32Ty());
            index = ir.CreateSelect(over, ir.getInt32(0), index);
        }
        ir.CreateStore(index, at_offset(lane, at));
    }
    ir.CreateBr(head);
    ir.SetInsertPoint(end);
}

} // namespace ptx::code

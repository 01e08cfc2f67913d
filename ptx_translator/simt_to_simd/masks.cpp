// Which lanes are in a block.
#include "simt_to_simd/widener.h"

#include <llvm/Analysis/PostDominators.h>
#include <llvm/IR/CFG.h>
#include <llvm/IR/Dominators.h>

namespace ptx::simd {

using llvm::BasicBlock;

/// Whether exactly the lanes of `other`, a block before, come to the block, in the same round of all loops.
bool Widener::runs_as(const BasicBlock* block, const BasicBlock* other) const {
    const llvm::Loop* loop = loops_.getLoopFor(block);
    if (loops_.getLoopFor(other) != loop || !dominators_.dominates(other, block) || !post_.dominates(block, other))
        return false;
    if (!loop) return true;
    // No way round the loop that misses the block.
    llvm::SmallVector<const BasicBlock*, 16> open{other};
    llvm::SmallPtrSet<const BasicBlock*, 16> seen{other, block};
    while (!open.empty())
        for (const BasicBlock* next : llvm::successors(open.pop_back_val())) {
            if (next == loop->getHeader()) return false;
            if (seen.insert(next).second) open.push_back(next);
        }
    return true;
}

/// Whether control, which goes by the order of blocks, comes to the block only by way of the other one.
bool Widener::is_reached_through(const BasicBlock* block, const BasicBlock* other) const {
    for (unsigned i = number_of(other) + 1; i <= number_of(block); ++i)
        if (!dominators_.dominates(other, blocks_[i])) return false;
    return true;
}

void Widener::find_equivalents() {
    for (unsigned i = 0; i < blocks_.size(); ++i) {
        BasicBlock* block = blocks_[i];
        if (!shapes_.is_masked(block)) continue;
        const llvm::Loop* loop = loops_.getLoopFor(block);
        if (loop && loop->getHeader() == block) {
            // All of the lanes that go in stay until all leave.
            BasicBlock* before = loop->getLoopPreheader();
            if (!shapes_.is_divergent(loop) && is_reached_through(block, before)) same_as_[i] = before;
            continue;
        }
        for (const auto* node = dominators_.getNode(block)->getIDom(); node; node = node->getIDom())
            if (runs_as(block, node->getBlock()) && is_reached_through(block, node->getBlock())) {
                same_as_[i] = node->getBlock();
                break;
            }
    }
}

llvm::Value* Widener::load_mask(const BasicBlock* block) {
    const unsigned number = number_of(block);
    if (!shapes_.is_masked(block)) return nullptr;
    if (same_as_[number]) return masks_[number_of(same_as_[number])];
    llvm::Value* value = ir_.CreateLoad(mask_in_memory(), mask_variables_[number]);
    return machine_.bit_masks ? value : ir_.CreateICmpSLT(value, llvm::Constant::getNullValue(value->getType()));
}

/// Without registers for masks, a mask that goes from block to block is words of all or no bits, as selects want it.
llvm::Type* Widener::mask_in_memory() { return widened(machine_.bit_masks ? ir_.getInt1Ty() : ir_.getInt32Ty()); }

llvm::Value* Widener::to_memory(llvm::Value* mask) {
    return machine_.bit_masks ? mask : ir_.CreateSExt(mask, mask_in_memory());
}

/// Of lanes that are not in the mask, the condition may be undefined.
llvm::Value* Widener::both(llvm::Value* mask, llvm::Value* condition) {
    return mask ? ir_.CreateSelect(mask, condition, llvm::Constant::getNullValue(condition->getType())) : condition;
}

llvm::Value* Widener::bits(llvm::Value* mask) {
    llvm::Type* type = ir_.getIntNTy(lanes_);
    return mask ? ir_.CreateBitCast(mask, type) : llvm::Constant::getAllOnesValue(type);
}

/// The mask's bits; if it is in several registers, only as many as one has, each put together of several.
static llvm::Value* fold(IR& ir, llvm::Value* mask, llvm::Instruction::BinaryOps operation, bool bit_masks) {
    constexpr unsigned lanes_of_register = 8;
    unsigned lanes = llvm::cast<llvm::FixedVectorType>(mask->getType())->getNumElements();
    for (; !bit_masks && lanes > lanes_of_register; lanes /= 2) {
        llvm::SmallVector<int, 32> low, high;
        for (unsigned i = 0; i < lanes / 2; ++i) low.push_back(int(i)), high.push_back(int(i + lanes / 2));
        mask = ir.CreateBinOp(operation, ir.CreateShuffleVector(mask, low), ir.CreateShuffleVector(mask, high));
    }
    return ir.CreateBitCast(mask, ir.getIntNTy(lanes));
}

/// False if surely no lane comes to the block, by the first and the last columns of a comparison; null: nothing is known.
llvm::Value* Widener::perhaps_any(const BasicBlock* block) {
    const BasicBlock* before = block->getSinglePredecessor();
    const auto* branch = before ? llvm::dyn_cast<llvm::BranchInst>(before->getTerminator()) : nullptr;
    if (!branch || branch->isUnconditional() || masks_[number_of(before)]) return nullptr;
    auto* compare = llvm::dyn_cast<llvm::ICmpInst>(branch->getCondition());
    // Here again what the comparison was made of: in a block of all lanes, which control comes through.
    if (!compare || compare->getParent() != before || !shapes_.is_monotone(compare) ||
        loops_.getLoopFor(before) != loops_.getLoopFor(block))
        return nullptr;
    auto predicate = compare->getPredicate();
    if (branch->getSuccessor(0) != block) predicate = llvm::CmpInst::getInversePredicate(predicate);
    llvm::Value *left = compare->getOperand(0), *right = compare->getOperand(1), *some = nullptr, *straight = nullptr;
    const bool steps = shapes_.of(left).stride != 0 || shapes_.of(right).stride != 0;
    const auto add = [&](llvm::Value* a, llvm::Value* b) {
        llvm::Value* one = ir_.CreateICmp(predicate, a, b);
        some = some ? ir_.CreateOr(some, one) : one;
    };
    for (unsigned row = 0; row < std::max(rows_of(left), rows_of(right)); ++row) {
        add(base(left, row), base(right, row));
        if (!steps) continue;
        llvm::Value* last = last_of(left, row, compare->isSigned(), straight);
        add(last, last_of(right, row, compare->isSigned(), straight));
    }
    return straight ? ir_.CreateOr(some, ir_.CreateNot(straight)) : some;
}

llvm::Value* Widener::are_all(llvm::Value* mask) {
    llvm::Value* some = fold(ir_, mask, llvm::Instruction::And, machine_.bit_masks);
    return ir_.CreateICmpEQ(some, llvm::Constant::getAllOnesValue(some->getType()));
}

llvm::Value* Widener::any(llvm::Value* mask) {
    return ir_.CreateIsNotNull(fold(ir_, mask, llvm::Instruction::Or, machine_.bit_masks));
}

} // namespace ptx::simd

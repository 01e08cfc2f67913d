#include "simt_to_simd/rounds_of_all.h"

#include <llvm/Analysis/LoopInfo.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/Transforms/Utils/Cloning.h>

namespace ptx::simd {
namespace {

using llvm::BasicBlock;
using llvm::cast;
using llvm::Value;

constexpr unsigned most_instructions = 400;

/// Whether lanes leave the loop only at its end, by a comparison that the first and the last of them decide.
bool may_be_of_all(const llvm::Loop& loop, const Shapes& shapes) {
    const BasicBlock *latch = loop.getLoopLatch(), *before = loop.getLoopPreheader();
    if (!latch || !before || loop.getExitingBlock() != latch || !loop.getExitBlock() || !shapes.is_divergent(latch) ||
        shapes.is_masked(before))
        return false;
    size_t instructions = 0;
    for (const BasicBlock* block : loop.blocks()) instructions += block->size();
    return instructions <= most_instructions &&
           shapes.is_monotone(cast<llvm::BranchInst>(latch->getTerminator())->getCondition());
}

void copy_in_front(llvm::Function& function, const llvm::Loop& loop, Marks& marks) {
    BasicBlock *header = loop.getHeader(), *latch = loop.getLoopLatch(), *exit = loop.getExitBlock(),
               *before = loop.getLoopPreheader();
    llvm::ValueToValueMapTy map;
    llvm::SmallVector<BasicBlock*, 16> copies;
    for (BasicBlock* block : loop.blocks()) {
        copies.push_back(llvm::CloneBasicBlock(block, map, "", &function));
        copies.back()->moveBefore(header);
        map[block] = copies.back();
    }
    llvm::remapInstructionsInBlocks(copies, map);
    const auto copy_of = [&](Value* value) -> Value* {
        const auto found = map.find(value);
        return found == map.end() ? value : static_cast<Value*>(found->second);
    };
    auto *first_header = cast<BasicBlock>(map[header]), *first_latch = cast<BasicBlock>(map[latch]);
    before->getTerminator()->replaceSuccessorWith(header, first_header);

    const auto block = [&] { return BasicBlock::Create(function.getContext(), "", &function, header); };
    BasicBlock *between = block(), *enter = block(), *leave = block();
    auto& old_end = *cast<llvm::BranchInst>(first_latch->getTerminator());
    auto& compare = *cast<llvm::ICmpInst>(old_end.getCondition());
    llvm::IRBuilder<> ir(&old_end);
    const bool goes_on_if_true = old_end.getSuccessor(0) == first_header;
    Value* goes_on = ir.CreateICmp(goes_on_if_true ? compare.getPredicate() : compare.getInversePredicate(),
                                   compare.getOperand(0), compare.getOperand(1));
    auto* all = ir.Insert(new llvm::FreezeInst(goes_on));
    marks.of_all.insert(all);
    ir.CreateCondBr(all, first_header, between);
    old_end.eraseFromParent();

    // Values leave loops through phis.
    ir.SetInsertPoint(between);
    const auto through = [&](Value* value) -> Value* {
        if (!llvm::isa<llvm::Instruction>(value)) return value;
        llvm::PHINode* phi = ir.CreatePHI(value->getType(), 1);
        phi->addIncoming(value, first_latch);
        return phi;
    };
    for (llvm::PHINode& phi : header->phis()) {
        const int place = phi.getBasicBlockIndex(before);
        phi.setIncomingBlock(unsigned(place), enter);
        phi.setIncomingValue(unsigned(place), through(copy_of(phi.getIncomingValueForBlock(latch))));
    }
    llvm::SmallVector<std::pair<llvm::PHINode*, Value*>, 8> results;
    for (llvm::PHINode& phi : exit->phis())
        results.emplace_back(&phi, through(copy_of(phi.getIncomingValueForBlock(latch))));
    Value* some_go_on = through(goes_on);
    ir.CreateCondBr(some_go_on, enter, exit);
    ir.SetInsertPoint(enter);
    ir.CreateBr(header);
    ir.SetInsertPoint(leave);
    for (auto& [phi, value] : results) {
        llvm::PHINode* last = ir.CreatePHI(phi->getType(), 1);
        const int place = phi->getBasicBlockIndex(latch);
        last->addIncoming(phi->getIncomingValue(unsigned(place)), latch);
        phi->setIncomingBlock(unsigned(place), leave);
        phi->setIncomingValue(unsigned(place), last);
        phi->addIncoming(value, between);
    }
    ir.CreateBr(exit);
    latch->getTerminator()->replaceSuccessorWith(exit, leave);
}

} // namespace

void let_all_go_first(llvm::Function& function, const Shapes& shapes, const llvm::LoopInfo& loops, Marks& marks) {
    llvm::SmallVector<const llvm::Loop*, 4> found;
    for (const llvm::Loop* loop : loops.getLoopsInPreorder())
        if (loop->isInnermost() && may_be_of_all(*loop, shapes)) found.push_back(loop);
    for (const llvm::Loop* loop : found) copy_in_front(function, *loop, marks);
}

} // namespace ptx::simd

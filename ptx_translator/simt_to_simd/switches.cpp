#include "simt_to_simd/switches.h"

#include <llvm/ADT/SetVector.h>
#include <llvm/IR/CFG.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IRBuilder.h>

namespace ptx::simd {
namespace {

using llvm::BasicBlock;

constexpr unsigned most_cases = 8;

/// The blocks that control comes to only by way of `begin`, and from which it goes on only to `join`; none if that is
/// not so.
llvm::SmallSetVector<BasicBlock*, 16> way(BasicBlock* from, BasicBlock* begin, BasicBlock* join,
                                          const llvm::DominatorTree& dominators) {
    llvm::SmallSetVector<BasicBlock*, 16> blocks;
    if (begin == join || begin->getSinglePredecessor() != from) return blocks;
    blocks.insert(begin);
    for (size_t i = 0; i < blocks.size(); ++i) {
        if (!dominators.dominates(begin, blocks[i]) || llvm::succ_empty(blocks[i])) return {};
        for (BasicBlock* next : llvm::successors(blocks[i]))
            if (next != join) blocks.insert(next);
        if (llvm::count(llvm::successors(blocks[i]), join) > 1) return {};
    }
    return blocks;
}

bool unfold(llvm::SwitchInst& old, const llvm::DominatorTree& dominators) {
    BasicBlock *from = old.getParent(), *join = old.getDefaultDest();
    if (old.getNumCases() > most_cases) return false;
    llvm::SmallVector<llvm::SmallVector<BasicBlock*, 2>, 8> ends;
    for (const auto& one : old.cases()) {
        const auto blocks = way(from, one.getCaseSuccessor(), join, dominators);
        if (blocks.empty()) return false;
        auto& last = ends.emplace_back();
        for (BasicBlock* block : blocks)
            if (llvm::is_contained(llvm::successors(block), join)) last.push_back(block);
    }
    BasicBlock* test = from;
    size_t number = 0;
    llvm::IRBuilder<> ir(&old);
    for (const auto& one : old.cases()) {
        const bool is_last = number + 1 == old.getNumCases();
        BasicBlock *begin = one.getCaseSuccessor(),
                   *next = is_last ? join : BasicBlock::Create(from->getContext(), "", from->getParent(), join);
        ir.CreateCondBr(ir.CreateICmpEQ(old.getCondition(), one.getCaseValue()), begin, next);
        begin->replacePhiUsesWith(from, test);
        if (is_last) {
            join->replacePhiUsesWith(from, test);
            break;
        }
        ir.SetInsertPoint(next);
        // What comes from this way and from the tests so far comes to the join from the next test.
        for (llvm::PHINode& phi : join->phis()) {
            llvm::PHINode* both = ir.CreatePHI(phi.getType(), 2);
            both->addIncoming(phi.getIncomingValueForBlock(test), test);
            for (BasicBlock* end : ends[number]) {
                both->addIncoming(phi.getIncomingValueForBlock(end), end);
                phi.removeIncomingValue(end, false);
            }
            const int place = phi.getBasicBlockIndex(test);
            phi.setIncomingBlock(unsigned(place), next);
            phi.setIncomingValue(unsigned(place), both);
        }
        for (BasicBlock* end : ends[number]) end->getTerminator()->replaceSuccessorWith(join, next);
        test = next;
        ++number;
    }
    old.eraseFromParent();
    return true;
}

} // namespace

void unfold_switches(llvm::Function& function) {
    for (bool changed = true; changed;) {
        changed = false;
        const llvm::DominatorTree dominators(function);
        for (BasicBlock& block : function)
            if (auto* old = llvm::dyn_cast<llvm::SwitchInst>(block.getTerminator()); old && unfold(*old, dominators)) {
                changed = true;
                break;
            }
    }
}

} // namespace ptx::simd

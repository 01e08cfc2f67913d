#include "ast_to_llvm/insert_spins.h"

#include "ast_to_llvm/cuttle_functions.h"

#include <llvm/ADT/SmallPtrSet.h>
#include <llvm/Analysis/LoopInfo.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

namespace ptx::ast_to_llvm {
namespace {

using Functions = llvm::SmallPtrSet<const llvm::Function*, 8>;
using Work = llvm::SmallVector<const llvm::Value*, 32>;

/// Reads a clock: a loop that ends by it waits for time to pass, and other lanes and CTAs may have it meanwhile.
bool reads_clock(const llvm::Instruction& instruction) {
    auto* call = llvm::dyn_cast<llvm::CallInst>(&instruction);
    const llvm::Function* callee = call ? call->getCalledFunction() : nullptr;
    if (!callee) return false;
    return callee->getName().starts_with("cuttle.sreg.clock") ||
           callee->getName().starts_with("cuttle.sreg.globaltimer");
}

/// Reads what changes without this thread: a clock, or memory in a way that says another thread may write it.
bool polls(const llvm::Instruction& instruction) {
    if (reads_clock(instruction)) return true;
    if (llvm::isa<llvm::AtomicRMWInst, llvm::AtomicCmpXchgInst>(instruction)) return true;
    auto* load = llvm::dyn_cast<llvm::LoadInst>(&instruction);
    return load && (load->isVolatile() || load->isAtomic());
}

/// Calls something that may poll. What cuttle.* functions return does not depend on memory.
bool calls_any_of(const Functions& polling, const llvm::Instruction& instruction) {
    auto* call = llvm::dyn_cast<llvm::CallInst>(&instruction);
    if (!call) return false;
    const llvm::Function* callee = call->getCalledFunction();
    return !callee || polling.contains(callee);
}

Functions polling_functions(const llvm::Module& module) {
    Functions polling;
    for (bool changed = true; changed;) {
        changed = false;
        for (const llvm::Function& function : module)
            for (const llvm::Instruction& instruction : llvm::instructions(function))
                if (polls(instruction) || calls_any_of(polling, instruction)) {
                    changed |= polling.insert(&function).second;
                    break;
                }
    }
    return polling;
}

class WaitingLoops {
  public:
    WaitingLoops(llvm::Function& function, const Functions& polling)
        : polling_(polling), dominators_(function), loops_(dominators_) {}

    void insert_spins() {
        for (llvm::Loop* loop : loops_.getLoopsInPreorder())
            if (!repeats_lost_exchanges(*loop) && waits(*loop)) insert_spin(*loop);
    }

  private:
    static const llvm::Value* without_casts(const llvm::Value* value) {
        while (auto* cast = llvm::dyn_cast<llvm::BitCastInst>(value)) value = cast->getOperand(0);
        return value;
    }

    static const llvm::AtomicCmpXchgInst* exchange_that_gave(const llvm::Value* value) {
        auto* part = llvm::dyn_cast<llvm::ExtractValueInst>(without_casts(value));
        if (!part || part->getIndices()[0] != 0) return nullptr;
        return llvm::dyn_cast<llvm::AtomicCmpXchgInst>(part->getAggregateOperand());
    }

    /// Whether the loop goes round again only after a compare-and-swap with what the one before has given has failed,
    /// as in an atomic operation made of those: then another thread has written meanwhile, and nobody is waited for.
    bool repeats_lost_exchanges(const llvm::Loop& loop) const {
        const llvm::BasicBlock* latch = loop.getLoopLatch();
        llvm::SmallVector<llvm::BasicBlock*, 8> exiting;
        loop.getExitingBlocks(exiting);
        return latch && llvm::any_of(exiting, [&](const llvm::BasicBlock* block) {
                   auto* branch = llvm::dyn_cast<llvm::BranchInst>(block->getTerminator());
                   auto* compare = branch ? llvm::dyn_cast<llvm::ICmpInst>(branch->getCondition()) : nullptr;
                   if (!compare || !compare->isEquality() || !dominators_.dominates(block, latch)) return false;
                   const bool success = compare->getPredicate() == llvm::CmpInst::ICMP_EQ;
                   if (loop.contains(branch->getSuccessor(success ? 0 : 1))) return false;
                   for (const unsigned given : {0u, 1u}) {
                       const llvm::AtomicCmpXchgInst* exchange = exchange_that_gave(compare->getOperand(given));
                       const llvm::Value* expected = without_casts(compare->getOperand(1 - given));
                       auto* phi = llvm::dyn_cast<llvm::PHINode>(expected);
                       if (exchange && phi && phi->getParent() == loop.getHeader() &&
                           without_casts(exchange->getCompareOperand()) == phi &&
                           exchange_that_gave(phi->getIncomingValueForBlock(latch)) == exchange)
                           return true;
                   }
                   return false;
               });
    }

    static bool has_fence(const llvm::Loop& loop) {
        for (const llvm::BasicBlock* block : loop.blocks())
            for (const llvm::Instruction& instruction : *block)
                if (llvm::isa<llvm::FenceInst>(instruction)) return true;
        return false;
    }

    static void add_operands(const llvm::Instruction& instruction, Work& work) {
        for (const llvm::Value* operand : instruction.operand_values()) work.push_back(operand);
    }

    /// A value merged from several blocks depends on what chose between them.
    void add_conditions(const llvm::PHINode& phi, const llvm::Loop& loop, Work& work) const {
        const auto* merge = dominators_.getNode(phi.getParent())->getIDom();
        for (const llvm::BasicBlock* block : phi.blocks())
            for (const auto* node = dominators_.getNode(block); node && loop.contains(node->getBlock());
                 node = node->getIDom()) {
                add_operands(*node->getBlock()->getTerminator(), work);
                if (node == merge) break;
            }
    }

    bool waits(const llvm::Loop& loop) const {
        // With a fence in it, a loop polls by ordinary loads as well.
        bool any_load = has_fence(loop);
        llvm::SmallVector<llvm::BasicBlock*, 8> exiting;
        loop.getExitingBlocks(exiting);
        Work work;
        llvm::SmallPtrSet<const llvm::Value*, 32> seen;
        for (const llvm::BasicBlock* block : exiting) add_operands(*block->getTerminator(), work);
        while (!work.empty()) {
            auto* instruction = llvm::dyn_cast<llvm::Instruction>(work.pop_back_val());
            if (!instruction || !loop.contains(instruction) || !seen.insert(instruction).second) continue;
            if (polls(*instruction) || calls_any_of(polling_, *instruction)) return true;
            if (any_load && llvm::isa<llvm::LoadInst>(instruction)) return true;
            add_operands(*instruction, work);
            auto* phi = llvm::dyn_cast<llvm::PHINode>(instruction);
            // What comes round the loop has come by its one latch, whatever the way there.
            if (phi && !(phi->getParent() == loop.getHeader() && loop.getLoopLatch()))
                add_conditions(*phi, loop, work);
        }
        return false;
    }

    static void insert_spin(llvm::Loop& loop) {
        llvm::SmallVector<llvm::BasicBlock*, 4> latches;
        loop.getLoopLatches(latches);
        for (llvm::BasicBlock* latch : latches) {
            llvm::IRBuilder<> builder(latch->getTerminator());
            builder.CreateCall(cuttle_function(*latch->getModule(), "cuttle.spin", builder.getVoidTy(), {}, true));
        }
    }

    const Functions& polling_;
    llvm::DominatorTree dominators_;
    llvm::LoopInfo loops_;
};

bool may_wait(const llvm::Function& function, const Functions& polling) {
    for (const llvm::Instruction& instruction : llvm::instructions(function))
        if (polls(instruction) || calls_any_of(polling, instruction) || llvm::isa<llvm::FenceInst>(instruction))
            return true;
    return false;
}

} // namespace

void insert_spins(llvm::Module& module) {
    const Functions polling = polling_functions(module);
    llvm::SmallVector<llvm::Function*, 16> functions;
    for (llvm::Function& function : module)
        if (!function.isDeclaration() && may_wait(function, polling)) functions.push_back(&function);
    for (llvm::Function* function : functions) WaitingLoops(*function, polling).insert_spins();
}

} // namespace ptx::ast_to_llvm

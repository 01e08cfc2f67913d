#include "simt_to_simd/prepare.h"

#include "simt_to_simd/directed.h"
#include "simt_to_simd/packed_words.h"
#include "simt_to_simd/passes.h"
#include "simt_to_simd/switches.h"
#include "simt_to_simd/warp_operations.h"

#include <llvm/ADT/PostOrderIterator.h>
#include <llvm/ADT/SmallPtrSet.h>
#include <llvm/Analysis/CFG.h>
#include <llvm/Analysis/LoopInfo.h>
#include <llvm/Analysis/PostDominators.h>
#include <llvm/Analysis/ValueTracking.h>
#include <llvm/Analysis/VectorUtils.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/ADCE.h>
#include <llvm/Transforms/Scalar/CorrelatedValuePropagation.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/GVN.h>
#include <llvm/Transforms/Scalar/Scalarizer.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Utils/Cloning.h>
#include <llvm/Transforms/Utils/FixIrreducible.h>
#include <llvm/Transforms/Utils/LCSSA.h>
#include <llvm/Transforms/Utils/LoopSimplify.h>
#include <llvm/Transforms/Utils/LowerSwitch.h>
#include <llvm/Transforms/Utils/UnifyFunctionExitNodes.h>

namespace ptx::simd {
namespace {

using llvm::cast;
using llvm::dyn_cast;
using llvm::Instruction;
using llvm::isa;

constexpr unsigned most_blocks_inlined = 40, most_instructions = 4000;

/// Whether the function may come to call itself.
bool is_recursive(llvm::Function& function) {
    llvm::SmallPtrSet<llvm::Function*, 8> seen;
    llvm::SmallVector<llvm::Function*, 8> open{&function};
    while (!open.empty())
        for (Instruction& instruction : llvm::instructions(*open.pop_back_val())) {
            const auto* call = dyn_cast<llvm::CallBase>(&instruction);
            llvm::Function* callee = call ? call->getCalledFunction() : nullptr;
            if (callee == &function) return true;
            if (callee && !callee->isDeclaration() && seen.insert(callee).second) open.push_back(callee);
        }
    return false;
}

} // namespace

void inline_calls(llvm::Function& function) {
    llvm::SmallVector<llvm::CallBase*, 16> open;
    for (Instruction& instruction : llvm::instructions(function))
        if (auto* call = dyn_cast<llvm::CallInst>(&instruction)) open.push_back(call);
    unsigned count = function.getInstructionCount();
    while (!open.empty()) {
        llvm::CallBase* call = open.pop_back_val();
        llvm::Function* callee = call->getCalledFunction();
        if (!callee || callee->isDeclaration() || callee == &function || directed_of(*call)) continue;
        const unsigned more = callee->getInstructionCount();
        const bool is_small = callee->size() <= most_blocks_inlined && count + more <= most_instructions;
        if (!is_small && !callee->hasFnAttribute(llvm::Attribute::AlwaysInline)) continue;
        if (is_recursive(*callee)) continue;
        llvm::InlineFunctionInfo info;
        if (!llvm::InlineFunction(*call, info).isSuccess()) continue;
        count += more;
        open.append(info.InlinedCallSites.begin(), info.InlinedCallSites.end());
    }
}

namespace {

/// Lanes that are elsewhere compute along, on values for which promises need not hold.
void drop_promises(llvm::Function& function) {
    for (Instruction& instruction : llvm::make_early_inc_range(llvm::instructions(function))) {
        llvm::Value* replacement = nullptr;
        llvm::IRBuilder<> ir(&instruction);
        llvm::Type* type = instruction.getType();
        if (auto* either = dyn_cast<llvm::PossiblyDisjointInst>(&instruction); either && either->isDisjoint())
            replacement = ir.CreateAdd(instruction.getOperand(0), instruction.getOperand(1));
        if (auto* wide = dyn_cast<llvm::ZExtInst>(&instruction); wide && wide->hasNonNeg())
            replacement = ir.CreateSExt(instruction.getOperand(0), type);
        if (auto* call = dyn_cast<llvm::IntrinsicInst>(&instruction);
            call && (call->isAssumeLikeIntrinsic() || call->getIntrinsicID() == llvm::Intrinsic::assume)) {
            call->eraseFromParent();
            continue;
        }
        instruction.dropPoisonGeneratingFlags();
        if (!replacement) continue;
        replacement->takeName(&instruction);
        instruction.replaceAllUsesWith(replacement);
        instruction.eraseFromParent();
    }
}

std::string why_not(const Instruction& instruction) {
    if (isa<llvm::AllocaInst>(instruction)) return "it has variables on the stack";
    if (instruction.getType()->isVectorTy()) return "it has vectors";
    if (isa<llvm::SwitchInst, llvm::IndirectBrInst, llvm::InsertValueInst, llvm::VAArgInst>(instruction))
        return std::string("there is ") + instruction.getOpcodeName();
    if (isa<llvm::UnreachableInst>(instruction)) return "there is a place that is not reached";
    if (const auto* value = dyn_cast<llvm::ExtractValueInst>(&instruction); value && value->getNumIndices() != 1)
        return "there are structures in structures";
    const auto* call = dyn_cast<llvm::CallBase>(&instruction);
    if (!call) return {};
    const auto* callee = call->getCalledFunction();
    if (!callee) return call->isInlineAsm() ? "there is inline assembly" : "it asks for services";
    if (directed_of(*call) || warp_operation_of(*call)) return {};
    if (!callee->isIntrinsic()) return "it calls " + callee->getName().str();
    if (!call->doesNotAccessMemory()) return "there is " + callee->getName().str();
    if (call->isConvergent()) return "there is " + callee->getName().str();
    return {};
}

} // namespace

void prepare(llvm::Function& function, llvm::TargetMachine& machine) {
    Passes managers(&machine);
    llvm::ScalarizerPassOptions scalar;
    scalar.ScalarizeLoadStore = true;
    llvm::FunctionPassManager passes;
    passes.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
    passes.addPass(UnpackWordsPass());
    passes.addPass(llvm::ScalarizerPass(scalar));
    passes.addPass(llvm::EarlyCSEPass(true));
    passes.addPass(llvm::InstCombinePass());
    passes.addPass(llvm::SimplifyCFGPass());
    passes.addPass(llvm::GVNPass());
    passes.addPass(llvm::InstCombinePass());
    passes.addPass(llvm::SimplifyCFGPass());
    passes.addPass(llvm::ScalarizerPass(scalar));
    passes.addPass(llvm::ADCEPass());
    passes.run(function, managers.functions);
    unfold_switches(function);
    managers.functions.invalidate(function, llvm::PreservedAnalyses::none());
    llvm::FunctionPassManager shape;
    shape.addPass(llvm::LowerSwitchPass());
    shape.addPass(llvm::UnifyFunctionExitNodesPass());
    shape.addPass(llvm::FixIrreduciblePass());
    shape.addPass(llvm::LoopSimplifyPass());
    shape.addPass(llvm::LCSSAPass());
    shape.run(function, managers.functions);
    drop_promises(function);
}

std::string why_not(llvm::Function& function) {
    for (const Instruction& instruction : llvm::instructions(function))
        if (std::string reason = why_not(instruction); !reason.empty()) return reason;
    const llvm::DominatorTree dominators(function);
    const llvm::LoopInfo loops(dominators);
    const llvm::ReversePostOrderTraversal<const llvm::Function*> order(&function);
    if (llvm::containsIrreducibleCFG<const llvm::BasicBlock*>(order, loops)) return "a loop has several entries";
    unsigned exits = 0;
    for (const llvm::BasicBlock& block : function) exits += isa<llvm::ReturnInst>(block.getTerminator());
    if (exits != 1) return "it has no end, or several";
    for (const llvm::Loop* loop : loops.getLoopsInPreorder()) {
        if (!loop->isLoopSimplifyForm()) return "a loop is of no simple form";
        if (!loop->isLCSSAForm(dominators)) return "a loop is of no closed form";
        if (loop->hasNoExitBlocks()) return "a loop has no end";
    }
    return {};
}

} // namespace ptx::simd

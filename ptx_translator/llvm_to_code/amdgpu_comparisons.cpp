#include "llvm_to_code/amdgpu_comparisons.h"

#include <llvm/Analysis/ValueTracking.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/KnownBits.h>

namespace ptx::code {
namespace {

constexpr unsigned half = 32;

bool has_short_operands(const llvm::ICmpInst& comparison) {
    const llvm::DataLayout& layout = comparison.getModule()->getDataLayout();
    return comparison.getOperand(0)->getType()->isIntegerTy(2 * half) &&
           llvm::all_of(comparison.operands(), [&](const llvm::Value* operand) {
               return llvm::computeKnownBits(operand, layout, nullptr, &comparison).countMinLeadingZeros() >= half;
           });
}

void narrow(llvm::ICmpInst& comparison) {
    llvm::IRBuilder<> ir(&comparison);
    const auto lower = [&](unsigned i) { return ir.CreateTrunc(comparison.getOperand(i), ir.getInt32Ty()); };
    // Neither is negative, so that their signs order nothing.
    llvm::Value* narrowed = ir.CreateICmp(comparison.getUnsignedPredicate(), lower(0), lower(1));
    narrowed->takeName(&comparison);
    comparison.replaceAllUsesWith(narrowed);
    comparison.eraseFromParent();
}

} // namespace

void narrow_comparisons(llvm::Module& module) {
    llvm::SmallVector<llvm::ICmpInst*, 16> found;
    for (llvm::Function& function : module)
        for (llvm::Instruction& instruction : llvm::instructions(function))
            if (auto* comparison = llvm::dyn_cast<llvm::ICmpInst>(&instruction);
                comparison && has_short_operands(*comparison))
                found.push_back(comparison);
    for (llvm::ICmpInst* comparison : found) narrow(*comparison);
}

} // namespace ptx::code

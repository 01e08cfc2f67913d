#include "llvm_to_code/approximations.h"

#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

namespace ptx::code {
namespace {

struct Row {
    llvm::Intrinsic::ID intrinsic;
    llvm::StringLiteral function;
};

constexpr Row rows[] = {
    {llvm::Intrinsic::exp2, llvm::StringLiteral("cuttle_approximate_exp2")},
    {llvm::Intrinsic::log2, llvm::StringLiteral("cuttle_approximate_log2")},
    {llvm::Intrinsic::sin, llvm::StringLiteral("cuttle_approximate_sin")},
    {llvm::Intrinsic::cos, llvm::StringLiteral("cuttle_approximate_cos")},
    {llvm::Intrinsic::tanh, llvm::StringLiteral("cuttle_approximate_tanh")},
};

const Row* row_of(const llvm::Instruction& instruction) {
    const auto* call = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction);
    if (!call || !call->getType()->getScalarType()->isFloatTy()) return nullptr;
    for (const Row& row : rows)
        if (row.intrinsic == call->getIntrinsicID()) return &row;
    return nullptr;
}

/// Element by element: the vectorisers put the inlined code together again.
llvm::Value* replacement(llvm::Instruction& instruction, const Row& row) {
    llvm::IRBuilder<> ir(&instruction);
    llvm::Type* number = ir.getFloatTy();
    llvm::FunctionCallee callee =
        instruction.getModule()->getOrInsertFunction(row.function, llvm::FunctionType::get(number, {number}, false));
    llvm::Value* argument = instruction.getOperand(0);
    const auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(argument->getType());
    if (!vector) return ir.CreateCall(callee, argument);
    llvm::Value* result = llvm::PoisonValue::get(argument->getType());
    for (unsigned i = 0; i < vector->getNumElements(); ++i)
        result = ir.CreateInsertElement(result, ir.CreateCall(callee, ir.CreateExtractElement(argument, i)), i);
    return result;
}

} // namespace

void lower_approximations(llvm::Module& module) {
    for (llvm::Function& function : module)
        for (llvm::Instruction& instruction : llvm::make_early_inc_range(llvm::instructions(function))) {
            const Row* row = row_of(instruction);
            if (!row) continue;
            instruction.replaceAllUsesWith(replacement(instruction, *row));
            instruction.eraseFromParent();
        }
}

} // namespace ptx::code

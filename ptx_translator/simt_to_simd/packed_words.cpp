#include "simt_to_simd/packed_words.h"

#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/IRBuilder.h>

namespace ptx::simd {
namespace {

using IR = llvm::IRBuilder<>;
using llvm::Value;

/// The element's type as an integer; null if it has none of that size.
llvm::IntegerType* as_integer(llvm::Type* element) {
    const unsigned bits = element->isPointerTy() ? 0 : element->getPrimitiveSizeInBits().getFixedValue();
    return bits ? llvm::IntegerType::get(element->getContext(), bits) : nullptr;
}

/// Elements lie in a word from its low bits on, as in memory.
Value* elements_of(IR& ir, Value* word, llvm::FixedVectorType* type) {
    llvm::IntegerType* element = as_integer(type->getElementType());
    Value* result = llvm::PoisonValue::get(type);
    for (unsigned i = 0; i < type->getNumElements(); ++i) {
        Value* part = ir.CreateTrunc(ir.CreateLShr(word, uint64_t{i} * element->getBitWidth()), element);
        result = ir.CreateInsertElement(result, ir.CreateBitCast(part, type->getElementType()), i);
    }
    return result;
}

Value* word_of(IR& ir, Value* vector, llvm::IntegerType* word) {
    auto* type = llvm::cast<llvm::FixedVectorType>(vector->getType());
    llvm::IntegerType* element = as_integer(type->getElementType());
    Value* result = llvm::ConstantInt::get(word, 0);
    for (unsigned i = 0; i < type->getNumElements(); ++i) {
        Value* part = ir.CreateZExt(ir.CreateBitCast(ir.CreateExtractElement(vector, i), element), word);
        result = ir.CreateOr(result, ir.CreateShl(part, uint64_t{i} * element->getBitWidth()));
    }
    return result;
}

/// Null: it stays.
Value* rewritten(llvm::BitCastInst& cast) {
    auto* from = llvm::dyn_cast<llvm::FixedVectorType>(cast.getSrcTy());
    auto* to = llvm::dyn_cast<llvm::FixedVectorType>(cast.getDestTy());
    if ((!from && !to) || (from && to && from->getNumElements() == to->getNumElements())) return nullptr;
    for (const llvm::FixedVectorType* type : {from, to})
        if (type && !as_integer(type->getElementType())) return nullptr;
    IR ir(&cast);
    llvm::IntegerType* word = ir.getIntNTy(unsigned(cast.getSrcTy()->getPrimitiveSizeInBits().getFixedValue()));
    Value* whole = from ? word_of(ir, cast.getOperand(0), word) : ir.CreateBitCast(cast.getOperand(0), word);
    return to ? elements_of(ir, whole, to) : ir.CreateBitCast(whole, cast.getDestTy());
}

Value* rewritten(llvm::IntrinsicInst& call) {
    if (call.getIntrinsicID() != llvm::Intrinsic::vector_reduce_add) return nullptr;
    Value* vector = call.getArgOperand(0);
    IR ir(&call);
    Value* sum = ir.CreateExtractElement(vector, uint64_t{0});
    for (unsigned i = 1; i < llvm::cast<llvm::FixedVectorType>(vector->getType())->getNumElements(); ++i)
        sum = ir.CreateAdd(sum, ir.CreateExtractElement(vector, i));
    return sum;
}

} // namespace

llvm::PreservedAnalyses UnpackWordsPass::run(llvm::Function& function, llvm::FunctionAnalysisManager&) {
    bool changed = false;
    for (llvm::Instruction& instruction : llvm::make_early_inc_range(llvm::instructions(function))) {
        Value* replacement = nullptr;
        if (auto* cast = llvm::dyn_cast<llvm::BitCastInst>(&instruction)) replacement = rewritten(*cast);
        if (auto* call = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction)) replacement = rewritten(*call);
        if (!replacement) continue;
        instruction.replaceAllUsesWith(replacement);
        instruction.eraseFromParent();
        changed = true;
    }
    return changed ? llvm::PreservedAnalyses::none() : llvm::PreservedAnalyses::all();
}

} // namespace ptx::simd

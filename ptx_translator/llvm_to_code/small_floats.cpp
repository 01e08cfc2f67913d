#include "llvm_to_code/small_floats.h"

#include <llvm/ADT/STLFunctionalExtras.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

namespace ptx::code {
namespace {

using IR = llvm::IRBuilder<>;

/// A float as bfloat, to nearest even, in integer arithmetic that vectorises. NaNs become quiet.
llvm::Value* round_to_bfloat(IR& ir, llvm::Value* value) {
    llvm::Type* type = value->getType();
    auto constant = [&](uint32_t number) {
        return llvm::ConstantInt::get(type->getWithNewType(ir.getInt32Ty()), number);
    };
    llvm::Value* bits = ir.CreateBitCast(value, type->getWithNewType(ir.getInt32Ty()));
    llvm::Value* last = ir.CreateAnd(ir.CreateLShr(bits, constant(16)), constant(1));
    llvm::Value* rounded = ir.CreateAdd(bits, ir.CreateAdd(last, constant(0x7fff)));
    llvm::Value* quiet = ir.CreateOr(bits, constant(0x400000));
    llvm::Value* chosen = ir.CreateSelect(ir.CreateFCmpUNO(value, value), quiet, rounded);
    llvm::Value* high = ir.CreateTrunc(ir.CreateLShr(chosen, constant(16)), type->getWithNewType(ir.getInt16Ty()));
    return ir.CreateBitCast(high, type->getWithNewType(ir.getBFloatTy()));
}

/// The double operands' fma as a half or bfloat. The product is exact in double.
llvm::Value* fma_through_double(IR& ir, llvm::ArrayRef<llvm::Value*> operands, llvm::Type* type) {
    llvm::Value* wide[3];
    for (unsigned i = 0; i < 3; ++i) wide[i] = ir.CreateFPExt(operands[i], ir.getDoubleTy());
    // Half: no sum of a product and a half needs more bits than a double has before its last rounding.
    if (type->isHalfTy()) return ir.CreateFPTrunc(ir.CreateFAdd(ir.CreateFMul(wide[0], wide[1]), wide[2]), type);
    llvm::Type* number = ir.getDoubleTy();
    llvm::FunctionCallee to_odd = ir.GetInsertBlock()->getModule()->getOrInsertFunction(
        "cuttle_fma_to_odd", llvm::FunctionType::get(number, {number, number, number}, false));
    return ir.CreateFPTrunc(ir.CreateCall(to_odd, wide), type);
}

llvm::Value* by_elements(IR& ir, llvm::IntrinsicInst& fma) {
    auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(fma.getType());
    llvm::SmallVector<llvm::Value*, 3> operands(fma.args());
    if (!vector) return fma_through_double(ir, operands, fma.getType());
    llvm::Value* result = llvm::PoisonValue::get(vector);
    for (unsigned i = 0; i < vector->getNumElements(); ++i) {
        llvm::SmallVector<llvm::Value*, 3> elements;
        for (llvm::Value* operand : operands) elements.push_back(ir.CreateExtractElement(operand, i));
        result = ir.CreateInsertElement(result, fma_through_double(ir, elements, vector->getElementType()), i);
    }
    return result;
}

/// Integers as bfloat with one rounding: LLVM's way through float would round twice.
llvm::Value* integer_to_bfloat(IR& ir, llvm::CastInst& cast) {
    llvm::Value* value = cast.getOperand(0);
    llvm::Type* type = value->getType();
    const bool is_signed = llvm::isa<llvm::SIToFPInst>(cast);
    if (type->getScalarSizeInBits() > 64) return nullptr;
    if (type->getScalarSizeInBits() == 64) {
        // More bits than a double has: round to odd at bit 11, which loses nothing that the last rounding looks at.
        auto constant = [&](uint64_t number) { return llvm::ConstantInt::get(type, number); };
        llvm::Value* high = ir.CreateAnd(value, constant(~uint64_t{0x7ff}));
        llvm::Value* odd = ir.CreateOr(high, constant(0x800));
        llvm::Value* exact = ir.CreateICmpEQ(high, value);
        llvm::Value* fits = is_signed
                                ? ir.CreateICmpULT(ir.CreateAdd(value, constant(1ull << 53)), constant(1ull << 54))
                                : ir.CreateICmpULT(value, constant(1ull << 53));
        value = ir.CreateSelect(ir.CreateOr(fits, exact), value, odd);
    }
    llvm::Type* wide = type->getWithNewType(ir.getDoubleTy());
    llvm::Value* number = is_signed ? ir.CreateSIToFP(value, wide) : ir.CreateUIToFP(value, wide);
    // Called by name: LLVM would fold a plain fptrunc back into the conversion.
    llvm::FunctionCallee round = ir.GetInsertBlock()->getModule()->getOrInsertFunction(
        "__truncdfbf2", llvm::FunctionType::get(ir.getBFloatTy(), {ir.getDoubleTy()}, false));
    llvm::cast<llvm::Function>(round.getCallee())->setDoesNotAccessMemory();
    auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(type);
    if (!vector) return ir.CreateCall(round, number);
    llvm::Value* result = llvm::PoisonValue::get(cast.getType());
    for (unsigned i = 0; i < vector->getNumElements(); ++i)
        result = ir.CreateInsertElement(result, ir.CreateCall(round, ir.CreateExtractElement(number, i)), i);
    return result;
}

bool is_bfloat(const llvm::Value& value) { return value.getType()->getScalarType()->isBFloatTy(); }

/// Null if the instruction can stay. Made before it.
llvm::Value* rewritten(llvm::Instruction& instruction, bool half_fma) {
    IR ir(&instruction);
    const bool small = is_bfloat(instruction) || instruction.getType()->getScalarType()->isHalfTy();
    if (!small) return nullptr;
    if (auto* call = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction))
        return call->getIntrinsicID() == llvm::Intrinsic::fma && !(half_fma && !is_bfloat(instruction))
                   ? by_elements(ir, *call)
                   : nullptr;
    if (!is_bfloat(instruction)) return nullptr;
    if (llvm::isa<llvm::SIToFPInst, llvm::UIToFPInst>(instruction))
        return integer_to_bfloat(ir, llvm::cast<llvm::CastInst>(instruction));
    llvm::Type* wide = instruction.getType()->getWithNewType(ir.getFloatTy());
    if (llvm::isa<llvm::FPTruncInst>(instruction))
        return instruction.getOperand(0)->getType() == wide ? round_to_bfloat(ir, instruction.getOperand(0)) : nullptr;
    auto* binary = llvm::dyn_cast<llvm::BinaryOperator>(&instruction);
    if (!binary || binary->getOpcode() == llvm::Instruction::FRem) return nullptr;
    // One operation in float and one rounding are as good as one rounding: 24 >= 2 * 8 + 2 bits (Figueroa).
    llvm::Value* left = ir.CreateFPExt(binary->getOperand(0), wide);
    llvm::Value* right = ir.CreateFPExt(binary->getOperand(1), wide);
    return round_to_bfloat(ir, ir.CreateBinOp(binary->getOpcode(), left, right));
}

} // namespace

void lower_small_floats(llvm::Module& module, bool half_fma) {
    for (llvm::Function& function : module) {
        for (llvm::Instruction& instruction : llvm::make_early_inc_range(llvm::instructions(function))) {
            llvm::Value* replacement = rewritten(instruction, half_fma);
            if (!replacement) continue;
            instruction.replaceAllUsesWith(replacement);
            instruction.eraseFromParent();
        }
    }
}

} // namespace ptx::code

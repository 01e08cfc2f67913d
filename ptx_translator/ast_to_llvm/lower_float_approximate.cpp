#include "ast_to_llvm/float_bits.h"
#include "ast_to_llvm/operation.h"

#include <llvm/IR/Intrinsics.h>

// PTX ISA 9.7.3 and 9.7.4, instructions with .approx and .full: computed as well as the target's library can, within
// what the manual allows.
namespace ptx::ast_to_llvm {
namespace {

using llvm::Value;

Value* one(Value* like) { return llvm::ConstantFP::get(like->getType(), 1.0); }

// div.approx gives up where the reciprocal of the divisor is subnormal: 2^126 < |b| < 2^128.
Value* divide(const Operation& op, Value* a, Value* b) {
    Value* quotient = op.ir.CreateFDiv(a, b);
    if (!op.has(Modifier::approx)) return quotient;
    Value* magnitude = op.ir.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, b);
    Value* huge = op.ir.CreateFCmpOGT(magnitude, llvm::ConstantFP::get(b->getType(), 0x1p126));
    Value* finite = op.ir.CreateFCmpONE(magnitude, llvm::ConstantFP::getInfinity(b->getType()));
    Value* product = op.ir.CreateFMul(
        a, op.ir.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, llvm::ConstantFP::get(b->getType(), 0.0), b));
    return op.ir.CreateSelect(op.ir.CreateAnd(huge, finite), product, quotient);
}

Value* compute(const Operation& op, Value* x) {
    auto unary = [&](llvm::Intrinsic::ID id) { return op.ir.CreateUnaryIntrinsic(id, x); };
    switch (op.instruction.opcode) {
    case Opcode::rcp:
        return op.ir.CreateFDiv(one(x), x);
    case Opcode::sqrt:
        return unary(llvm::Intrinsic::sqrt);
    case Opcode::rsqrt: {
        Value* quotient = op.ir.CreateFDiv(one(x), unary(llvm::Intrinsic::sqrt));
        // Targets with a reciprocal root may know what is meant.
        if (auto* instruction = llvm::dyn_cast<llvm::Instruction>(quotient))
            instruction->setMetadata("cuttle.approximate", llvm::MDNode::get(instruction->getContext(), {}));
        return quotient;
    }
    case Opcode::sin:
        return unary(llvm::Intrinsic::sin);
    case Opcode::cos:
        return unary(llvm::Intrinsic::cos);
    case Opcode::lg2:
        return unary(llvm::Intrinsic::log2);
    case Opcode::ex2:
        return unary(llvm::Intrinsic::exp2);
    case Opcode::tanh:
        return unary(llvm::Intrinsic::tanh);
    default:
        op.refuse("no approximate form");
    }
}

/// rcp and rsqrt.approx.ftz.f64 look at the upper word alone, so that some NaNs pass for infinities.
Value* upper_word_infinity(const Operation& op, Value* x) {
    Value* bits = as_integer(op.ir, x);
    Value* upper = op.ir.CreateAnd(bits, op.constant(bits, 0xffffffff00000000));
    Value* magnitude = op.ir.CreateAnd(upper, op.constant(bits, 0x7fffffffffffffff));
    Value* infinite = op.ir.CreateICmpEQ(magnitude, op.constant(bits, 0x7ff0000000000000));
    return op.ir.CreateSelect(infinite, op.ir.CreateBitCast(upper, x->getType()), x);
}

/// Half precision is computed in float: the libraries have no narrower functions.
Value* widen(const Operation& op, Value* x) {
    if (!x->getType()->getScalarType()->isHalfTy()) return x;
    return op.ir.CreateFPExt(x, x->getType()->getWithNewType(op.ir.getFloatTy()));
}

} // namespace

void lower_approximate(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    const bool ftz = op.has(Modifier::ftz);
    Value* x = read_float(op, 0, op.type, ftz);
    if (ftz && op.type == Type::f64) x = upper_word_infinity(op, x);
    llvm::Type* type = x->getType();
    Value* result =
        instruction.opcode == Opcode::div ? divide(op, x, read_float(op, 1, op.type, ftz)) : compute(op, widen(op, x));
    if (result->getType() != type) result = op.ir.CreateFPTrunc(result, type);
    if (ftz) result = flush_subnormal(op.ir, result);
    write_float(op, result, op.type);
}

} // namespace ptx::ast_to_llvm

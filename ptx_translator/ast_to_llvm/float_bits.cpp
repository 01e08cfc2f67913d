#include "ast_to_llvm/float_bits.h"

#include <llvm/ADT/APFloat.h>
#include <llvm/IR/Intrinsics.h>

namespace ptx::ast_to_llvm {
namespace {

using Builder = llvm::IRBuilder<>;
using llvm::Value;

Value* like(Value* value, double constant) { return llvm::ConstantFP::get(value->getType(), constant); }
Value* bits_like(Value* value, uint64_t constant) { return llvm::ConstantInt::get(value->getType(), constant); }

Value* magnitude(Builder& ir, Value* value) { return ir.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, value); }

bool is_bfloat(Type type) { return type == Type::bf16 || type == Type::bf16x2; }

Value* sign_is_set(Builder& ir, Value* bits) { return ir.CreateICmpSLT(bits, bits_like(bits, 0)); }

/// Floating-point bits one step up or down in magnitude.
Value* step_magnitude(Builder& ir, Value* bits, Value* grow) {
    return ir.CreateSelect(grow, ir.CreateAdd(bits, bits_like(bits, 1)), ir.CreateSub(bits, bits_like(bits, 1)));
}

} // namespace

Rounding rounding_of(const Instruction& instruction) {
    for (Modifier modifier : instruction.modifiers) {
        switch (modifier) {
        case Modifier::rz:
        case Modifier::rzi:
            return Rounding::rz;
        case Modifier::rm:
        case Modifier::rmi:
            return Rounding::rm;
        case Modifier::rp:
        case Modifier::rpi:
            return Rounding::rp;
        default:
            break;
        }
    }
    return Rounding::rn;
}

const char* suffix_of(Rounding rounding) {
    switch (rounding) {
    case Rounding::rn:
        return "rn";
    case Rounding::rz:
        return "rz";
    case Rounding::rm:
        return "rm";
    case Rounding::rp:
        return "rp";
    }
    return "";
}

Value* read_float(const Operation& op, size_t n, Type type, bool ftz) {
    Value* value;
    if (is_bfloat(type)) {
        value = op.source(n, type == Type::bf16 ? Type::b16 : Type::b32);
        if (type == Type::bf16x2) value = op.ir.CreateBitCast(value, llvm::FixedVectorType::get(op.ir.getInt16Ty(), 2));
        value = widen_bfloat(op.ir, value);
    } else {
        value = op.source(n, type);
    }
    return ftz ? flush_subnormal(op.ir, value) : value;
}

void write_float(const Operation& op, Value* value, Type type, Rounding rounding) {
    if (is_bfloat(type)) value = round_to_bfloat(op.ir, value, rounding);
    op.result(value, type);
}

Value* flush_subnormal(Builder& ir, Value* value) {
    const auto& format = value->getType()->getScalarType()->getFltSemantics();
    Value* smallest = llvm::ConstantFP::get(value->getType(), llvm::APFloat::getSmallestNormalized(format));
    Value* zero = ir.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, like(value, 0), value);
    return ir.CreateSelect(ir.CreateFCmpOLT(magnitude(ir, value), smallest), zero, value);
}

Value* saturate(Builder& ir, Value* value) {
    Value* low = ir.CreateSelect(ir.CreateFCmpOGT(value, like(value, 0)), value, like(value, 0));
    return ir.CreateSelect(ir.CreateFCmpOLT(low, like(value, 1)), low, like(value, 1));
}

Value* clamp_negative(Builder& ir, Value* value) {
    // True for -0 as well, whose result is +0.
    return ir.CreateSelect(ir.CreateFCmpOLE(value, like(value, 0)), like(value, 0), value);
}

Value* is_nan(Builder& ir, Value* value) { return ir.CreateFCmpUNO(value, value); }

llvm::Type* integer_type(llvm::Type* type) {
    return type->getWithNewType(llvm::IntegerType::get(type->getContext(), type->getScalarSizeInBits()));
}

Value* as_integer(Builder& ir, Value* value) { return ir.CreateBitCast(value, integer_type(value->getType())); }

Value* widen_bfloat(Builder& ir, Value* bits) {
    Value* wide = ir.CreateZExt(bits, bits->getType()->getWithNewType(ir.getInt32Ty()));
    wide = ir.CreateShl(wide, bits_like(wide, 16));
    return ir.CreateBitCast(wide, bits->getType()->getWithNewType(ir.getFloatTy()));
}

Value* round_to_bfloat(Builder& ir, Value* value, Rounding rounding) {
    Value* bits = as_integer(ir, value);
    Value* addend = nullptr; // what carries into bit 16 when the magnitude is to grow
    switch (rounding) {
    case Rounding::rn: {
        Value* odd = ir.CreateAnd(ir.CreateLShr(bits, 16), 1);
        addend = ir.CreateAdd(odd, bits_like(bits, 0x7fff));
        break;
    }
    case Rounding::rz:
        addend = bits_like(bits, 0);
        break;
    case Rounding::rm:
    case Rounding::rp: {
        Value* negative = sign_is_set(ir, bits);
        Value* grow = rounding == Rounding::rm ? negative : ir.CreateNot(negative);
        addend = ir.CreateSelect(grow, bits_like(bits, 0xffff), bits_like(bits, 0));
        break;
    }
    }
    // An infinity has zeros below bit 16: no addend changes it.
    Value* rounded = ir.CreateLShr(ir.CreateAdd(bits, addend), 16);
    rounded = ir.CreateSelect(is_nan(ir, value), bits_like(bits, 0x7fff), rounded);
    return ir.CreateTrunc(rounded, value->getType()->getWithNewType(ir.getInt16Ty()));
}

// Rounds to nearest, then compares with the original, which is exact, and steps back where the mode wants the other
// neighbour. NaN fails every comparison.
Value* narrow(Builder& ir, Value* value, llvm::Type* to, Rounding rounding) {
    Value* nearest = ir.CreateFPTrunc(value, to);
    if (rounding == Rounding::rn) return nearest;
    Value* back = ir.CreateFPExt(nearest, value->getType());
    Value* bits = as_integer(ir, nearest);
    Value* negative = sign_is_set(ir, bits);
    Value* wrong;
    Value* grow;
    switch (rounding) {
    case Rounding::rm:
        wrong = ir.CreateFCmpOGT(back, value);
        grow = negative;
        break;
    case Rounding::rp:
        wrong = ir.CreateFCmpOLT(back, value);
        grow = ir.CreateNot(negative);
        break;
    default:
        wrong = ir.CreateFCmpOGT(magnitude(ir, back), magnitude(ir, value));
        grow = llvm::Constant::getNullValue(negative->getType());
        break;
    }
    bits = ir.CreateSelect(wrong, step_magnitude(ir, bits, grow), bits);
    return ir.CreateBitCast(bits, to);
}

Value* narrow_to_odd(Builder& ir, Value* value) {
    llvm::Type* to = value->getType()->getWithNewType(ir.getFloatTy());
    Value* truncated = narrow(ir, value, to, Rounding::rz);
    Value* inexact = ir.CreateFCmpONE(ir.CreateFPExt(truncated, value->getType()), value);
    Value* bits = as_integer(ir, truncated);
    Value* odd = ir.CreateOr(bits, ir.CreateZExt(inexact, bits->getType()));
    return ir.CreateBitCast(odd, to);
}

// The error of the sum is found exactly (Knuth's two-sum); it is NaN, and so fails every comparison, where the sum is
// no number.
Value* fma_to_odd(Builder& ir, Value* a, Value* b, Value* c) {
    Value* product = ir.CreateFMul(a, b);
    Value* sum = ir.CreateFAdd(product, c);
    Value* part = ir.CreateFSub(sum, product);
    Value* error = ir.CreateFAdd(ir.CreateFSub(product, ir.CreateFSub(sum, part)), ir.CreateFSub(c, part));
    Value* inexact = ir.CreateFCmpONE(error, like(error, 0));
    Value* bits = as_integer(ir, sum);
    Value* even = ir.CreateICmpEQ(ir.CreateAnd(bits, 1), bits_like(bits, 0));
    Value* away = ir.CreateICmpEQ(ir.CreateFCmpOGT(error, like(error, 0)), ir.CreateFCmpOGT(sum, like(sum, 0)));
    Value* odd = ir.CreateSelect(ir.CreateAnd(inexact, even), step_magnitude(ir, bits, away), bits);
    return ir.CreateBitCast(odd, sum->getType());
}

} // namespace ptx::ast_to_llvm

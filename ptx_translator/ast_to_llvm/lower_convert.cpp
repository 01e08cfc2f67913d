#include "ast_to_llvm/float_bits.h"
#include "ast_to_llvm/operation.h"
#include "ast_to_llvm/small_floats.h"

#include <llvm/IR/Intrinsics.h>

// PTX ISA 9.7.9.21: cvt. What the manual leaves undefined (NaN to integer) is what an H100 does.
namespace ptx::ast_to_llvm {
namespace {

using llvm::Value;

bool is_signed(Type type) { return kind_of(type) == TypeKind::signed_integer; }
bool is_bfloat(Type type) { return type == Type::bf16 || type == Type::bf16x2; }
unsigned width(Type type) {
    if (type == Type::u2 || type == Type::s2) return 2;
    return type == Type::u4 || type == Type::s4 ? 4 : 8 * size_of(type);
}

llvm::Intrinsic::ID integral_rounding(Rounding rounding) {
    switch (rounding) {
    case Rounding::rn:
        return llvm::Intrinsic::roundeven;
    case Rounding::rz:
        return llvm::Intrinsic::trunc;
    case Rounding::rm:
        return llvm::Intrinsic::floor;
    case Rounding::rp:
        return llvm::Intrinsic::ceil;
    }
    return llvm::Intrinsic::trunc;
}

bool rounds_to_integer(const Operation& op) {
    return op.instruction.first_of({Modifier::rni, Modifier::rzi, Modifier::rmi, Modifier::rpi}) != Modifier::none;
}

Value* resize(const Operation& op, Value* value, Type from, unsigned bits) {
    llvm::Type* to = op.ir.getIntNTy(bits);
    return is_signed(from) ? op.ir.CreateSExtOrTrunc(value, to) : op.ir.CreateZExtOrTrunc(value, to);
}

/// Clamps to the range of `to` where that is the narrower one, still in the width of `from`.
Value* clamp_to(const Operation& op, Value* value, Type from, Type to) {
    const unsigned have = width(from), want = width(to);
    auto apply = [&](llvm::Intrinsic::ID id, const llvm::APInt& limit) {
        value = op.ir.CreateBinaryIntrinsic(id, value, llvm::ConstantInt::get(value->getType(), limit));
    };
    if (is_signed(from) && is_signed(to)) {
        if (want >= have) return value;
        apply(llvm::Intrinsic::smax, llvm::APInt::getSignedMinValue(want).sext(have));
        apply(llvm::Intrinsic::smin, llvm::APInt::getSignedMaxValue(want).sext(have));
        return value;
    }
    if (is_signed(from)) apply(llvm::Intrinsic::smax, llvm::APInt::getZero(have));
    const llvm::APInt limit = is_signed(to) ? llvm::APInt::getSignedMaxValue(want) : llvm::APInt::getMaxValue(want);
    const llvm::APInt largest = is_signed(from) ? llvm::APInt::getSignedMaxValue(have) : llvm::APInt::getMaxValue(have);
    if (limit.getActiveBits() < largest.getActiveBits())
        apply(llvm::Intrinsic::umin, limit.zext(std::max(have, want)).trunc(have));
    return value;
}

void integer_to_integer(const Operation& op, Type to, Type from) {
    Value* value = op.source(0, from);
    if (op.has(Modifier::sat)) value = clamp_to(op, value, from, to);
    op.result(resize(op, value, from, width(to)), to);
}

// Out of range saturates with and without .sat. NaN becomes 0, but the smallest signed number where the source or the
// result has 64 bits.
void floating_to_integer(const Operation& op, Type to, Type from) {
    Value* value = read_float(op, 0, from, op.has(Modifier::ftz) && from == Type::f32);
    if (from == Type::f16) value = op.ir.CreateFPExt(value, op.ir.getFloatTy());
    const Rounding rounding = rounding_of(op.instruction);
    if (rounding != Rounding::rz) value = op.ir.CreateUnaryIntrinsic(integral_rounding(rounding), value);
    llvm::Type* type = op.ir.getIntNTy(width(to));
    const auto id = is_signed(to) ? llvm::Intrinsic::fptosi_sat : llvm::Intrinsic::fptoui_sat;
    Value* result = op.ir.CreateIntrinsic(id, {type, value->getType()}, {value});
    if (width(from) == 64 || width(to) == 64) {
        Value* smallest = llvm::ConstantInt::get(type, llvm::APInt::getSignedMinValue(width(to)));
        result = op.ir.CreateSelect(is_nan(op.ir, value), smallest, result);
    }
    op.result(result, to);
}

Value* to_float(const Operation& op, Value* value, Type from, llvm::Type* to) {
    return is_signed(from) ? op.ir.CreateSIToFP(value, to) : op.ir.CreateUIToFP(value, to);
}

/// A 64-bit integer as a double, exact up to 2^53, else rounded to odd at bit 11: good for one more rounding to at most
/// 51 bits.
Value* to_odd_double(const Operation& op, Value* value, Type from) {
    llvm::Type* wide = op.ir.getDoubleTy();
    if (width(from) < 64) return to_float(op, value, from, wide);
    Value* low = op.ir.CreateAnd(value, 0x7ff);
    Value* sticky = op.ir.CreateZExt(op.ir.CreateIsNotNull(low), value->getType());
    Value* odd = op.ir.CreateOr(op.ir.CreateXor(value, low), op.ir.CreateShl(sticky, 11));
    Value* magnitude =
        is_signed(from) ? op.ir.CreateBinaryIntrinsic(llvm::Intrinsic::abs, value, op.ir.getFalse()) : value;
    Value* exact = op.ir.CreateICmpULE(magnitude, op.constant(magnitude, uint64_t{1} << 53));
    return to_float(op, op.ir.CreateSelect(exact, value, odd), from, wide);
}

/// Both halves are exact doubles; their sum rounds once.
Value* directed_double(const Operation& op, Value* value, Type from, Rounding rounding) {
    llvm::Type* wide = op.ir.getDoubleTy();
    Value* high = is_signed(from) ? op.ir.CreateAShr(value, 32) : op.ir.CreateLShr(value, 32);
    high = op.ir.CreateFMul(to_float(op, high, from, wide), llvm::ConstantFP::get(wide, 0x1p32));
    Value* low = op.ir.CreateUIToFP(op.ir.CreateAnd(value, 0xffffffff), wide);
    return op.emitter.call(std::string("cuttle.round.fadd.") + suffix_of(rounding) + ".f64", wide, {high, low});
}

Value* integer_as(const Operation& op, Value* value, Type to, Type from, Rounding rounding) {
    const bool nearest = rounding == Rounding::rn;
    llvm::Type* single = op.ir.getFloatTy();
    switch (to) {
    case Type::f64:
        if (nearest || width(from) < 64) return to_float(op, value, from, op.ir.getDoubleTy());
        return directed_double(op, value, from, rounding);
    case Type::f32:
        if (nearest) return to_float(op, value, from, single);
        return narrow(op.ir, to_odd_double(op, value, from), single, rounding);
    // What a float cannot hold exactly is beyond the range of half anyway.
    case Type::f16:
        return narrow(op.ir, to_float(op, value, from, single), op.ir.getHalfTy(), rounding);
    case Type::bf16:
        return round_to_bfloat(op.ir, narrow_to_odd(op.ir, to_odd_double(op, value, from)), rounding);
    default:
        op.refuse("no conversion from an integer to this type");
    }
}

void integer_to_floating(const Operation& op, Type to, Type from) {
    Value* result = integer_as(op, op.source(0, from), to, from, rounding_of(op.instruction));
    if (op.has(Modifier::sat)) {
        if (is_bfloat(to)) op.refuse("no saturation for this type");
        result = saturate(op.ir, result);
    }
    op.result(result, to);
}

/// The largest finite number instead of an infinity. PTX ISA 9.7.9.21, .satfinite.
Value* clamp_infinite(const Operation& op, Value* bits, uint64_t infinity) {
    const unsigned signs = bits->getType()->getScalarSizeInBits() - 1;
    Value* magnitude = op.ir.CreateAnd(bits, op.constant(bits, (uint64_t{1} << signs) - 1));
    Value* infinite = op.ir.CreateICmpEQ(magnitude, op.constant(bits, infinity));
    return op.ir.CreateSelect(infinite, op.ir.CreateSub(bits, op.constant(bits, 1)), bits);
}

/// A computed value (bf16 sources are floats) in the format of the scalar type `to`; bf16 as bits.
Value* floating_as(const Operation& op, Value* value, Type to) {
    const Rounding rounding = rounds_to_integer(op) ? Rounding::rn : rounding_of(op.instruction);
    if (is_bfloat(to)) {
        if (value->getType()->isDoubleTy()) value = narrow_to_odd(op.ir, value);
        if (value->getType()->isHalfTy()) value = op.ir.CreateFPExt(value, op.ir.getFloatTy());
        Value* bits = round_to_bfloat(op.ir, value, rounding);
        return op.has(Modifier::satfinite) ? clamp_infinite(op, bits, 0x7f80) : bits;
    }
    llvm::Type* type = op.emitter.type_of(to);
    const unsigned have = value->getType()->getScalarSizeInBits(), want = type->getScalarSizeInBits();
    if (want > have) return op.ir.CreateFPExt(value, type);
    if (want < have) value = narrow(op.ir, value, type, rounding);
    if (!op.has(Modifier::satfinite) || to != Type::f16) return value;
    return op.ir.CreateBitCast(clamp_infinite(op, as_integer(op.ir, value), 0x7c00), type);
}

/// .relu and .sat act before rounding: both keep order, and 0 and 1 are exact everywhere.
Value* limit(const Operation& op, Value* value) {
    if (op.has(Modifier::relu)) value = clamp_negative(op.ir, value);
    return op.has(Modifier::sat) ? saturate(op.ir, value) : value;
}

/// Seen on H100: flushed is what is subnormal when rounded as if the exponent had no bounds, which twice the value
/// shows.
Value* flush_narrowed(const Operation& op, Value* value, Value* result) {
    auto& ir = op.ir;
    Value* twice = narrow(ir, ir.CreateFAdd(value, value), result->getType(), rounding_of(op.instruction));
    twice = ir.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, twice);
    Value* tiny = ir.CreateFCmpOLT(twice, llvm::ConstantFP::get(result->getType(), 0x1p-125));
    Value* zero =
        ir.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, llvm::ConstantFP::get(result->getType(), 0.0), result);
    return ir.CreateSelect(tiny, zero, result);
}

void floating_to_floating(const Operation& op, Type to, Type from) {
    const bool ftz = op.has(Modifier::ftz);
    // Seen on H100: a half's source keeps its subnormals, which directed rounding shows.
    Value* value = read_float(op, 0, from, ftz && from == Type::f32 && to != Type::f16);
    if (rounds_to_integer(op))
        value = op.ir.CreateUnaryIntrinsic(integral_rounding(rounding_of(op.instruction)), value);
    value = limit(op, value);
    Value* result = floating_as(op, value, to);
    if (ftz && to == Type::f32)
        result = from == Type::f64 ? flush_narrowed(op, value, result) : flush_subnormal(op.ir, result);
    op.result(result, to);
}

/// tf32: a float whose last 13 bits are zero. .rna rounds halves away from zero and treats NaN as any other pattern, in
/// .satfinite too, where everything from infinity on loses one unit; else NaN is 0x7fffe000. All seen on H100.
void to_tf32(const Operation& op, Type from) {
    if (from != Type::f32) op.refuse("only .f32 converts to .tf32");
    Value* bits = as_integer(op.ir, limit(op, op.source(0, from)));
    Value* addend = op.constant(bits, 0);
    if (op.has(Modifier::rna)) addend = op.constant(bits, 0x1000);
    if (op.has(Modifier::rn))
        addend = op.ir.CreateAdd(op.ir.CreateAnd(op.ir.CreateLShr(bits, 13), 1), op.constant(bits, 0xfff));
    Value* magnitude = op.ir.CreateAnd(bits, op.constant(bits, 0x7fffffff));
    Value* finite = op.ir.CreateICmpULT(magnitude, op.constant(bits, 0x7f800000));
    Value* rounded = op.ir.CreateSelect(finite, op.ir.CreateAdd(bits, addend), bits);
    rounded = op.ir.CreateAnd(rounded, op.constant(bits, 0xffffe000));
    if (op.has(Modifier::satfinite)) {
        Value* overflow =
            op.ir.CreateICmpUGE(op.ir.CreateAnd(rounded, op.constant(bits, 0x7fffffff)), op.constant(bits, 0x7f800000));
        rounded = op.ir.CreateSelect(overflow, op.ir.CreateSub(rounded, op.constant(bits, 0x2000)), rounded);
    }
    if (!op.has(Modifier::rna)) {
        Value* nan = op.ir.CreateICmpUGT(magnitude, op.constant(bits, 0x7f800000));
        rounded = op.ir.CreateSelect(nan, op.constant(bits, 0x7fffe000), rounded);
    }
    op.result(rounded, Type::b32);
}

/// Two floats to a packed pair: the first source is the upper half.
void pair_to_packed(const Operation& op, Type to) {
    const Type element = to == Type::f16x2 ? Type::f16 : Type::bf16;
    auto half = [&](size_t n) {
        Value* value = limit(op, read_float(op, n, Type::f32, op.has(Modifier::ftz)));
        value = as_integer(op.ir, floating_as(op, value, element));
        return op.ir.CreateZExt(value, op.ir.getInt32Ty());
    };
    Value *upper = half(0), *lower = half(1);
    op.result(op.ir.CreateOr(op.ir.CreateShl(upper, 16), lower), Type::b32);
}

} // namespace

void lower_cvt(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    const Type to = instruction.type(0), from = instruction.type(1);
    if (op.has(Modifier::rs)) return convert_stochastic(op, to);
    if (is_small_float(to) || is_small_float(from)) return convert_small_floats(op, to, from);
    if (to == Type::tf32) return to_tf32(op, from);
    if ((to == Type::f16x2 || to == Type::bf16x2) && from == Type::f32) return pair_to_packed(op, to);
    const bool from_float = kind_of(from) == TypeKind::floating, to_float = kind_of(to) == TypeKind::floating;
    if (from_float && to_float) return floating_to_floating(op, to, from);
    if (is_floating(from) != from_float || is_floating(to) != to_float) op.refuse("this conversion is not supported");
    if (from_float) return floating_to_integer(op, to, from);
    if (to_float) return integer_to_floating(op, to, from);
    integer_to_integer(op, to, from);
}

// Both sources are clamped to the first type; the first one is the upper. With a third source, that is shifted up to
// make room. PTX ISA 9.7.9.22.
void lower_cvt_pack(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    const Type to = instruction.type(0), from = instruction.type(1);
    const unsigned bits = width(to);
    auto packed = [&](size_t n) {
        Value* value = clamp_to(op, op.source(n, from), from, to);
        return op.ir.CreateAnd(value, op.constant(value, (uint64_t{1} << bits) - 1));
    };
    Value *upper = packed(0), *lower = packed(1);
    Value* result = op.ir.CreateOr(op.ir.CreateShl(upper, bits), lower);
    if (op.source_count() > 2) result = op.ir.CreateOr(result, op.ir.CreateShl(op.source(2, Type::b32), 2 * bits));
    op.result(result, Type::b32);
}

} // namespace ptx::ast_to_llvm

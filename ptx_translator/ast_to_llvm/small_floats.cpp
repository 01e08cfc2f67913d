#include "ast_to_llvm/small_floats.h"

#include "ast_to_llvm/float_bits.h"
#include "ast_to_llvm/small_float_formats.h"

#include <llvm/IR/Intrinsics.h>

#include <cmath>

namespace ptx::ast_to_llvm {
namespace {

using llvm::Value;

double power_of_two(int exponent) { return std::ldexp(1.0, exponent); }

/// A float's code, rounded to nearest even and clamped to the largest finite number (.satfinite), as i32.
/// Below the smallest normal number of the format, the code counts units in the last place: adding a number whose last
/// place is that unit does the rounding. Above it, the float's own bits are rounded and their exponent re-biased.
Value* encode(const Operation& op, Value* value, const SmallFloat& format) {
    auto& ir = op.ir;
    llvm::Type* single = ir.getFloatTy();
    const int unit = 1 - format.bias - static_cast<int>(format.fraction_bits);
    const unsigned dropped = 23 - format.fraction_bits;
    Value* magnitude = ir.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, value);
    Value* bits = as_integer(ir, magnitude);

    Value* magic = llvm::ConstantFP::get(single, power_of_two(23 + unit));
    Value* tiny = ir.CreateSub(as_integer(ir, ir.CreateFAdd(magnitude, magic)), as_integer(ir, magic));

    Value* odd = ir.CreateAnd(ir.CreateLShr(bits, dropped), 1);
    Value* rounded = ir.CreateAdd(bits, ir.CreateAdd(odd, ir.getInt32((1u << (dropped - 1)) - 1)));
    Value* normal = ir.CreateSub(ir.CreateLShr(rounded, dropped),
                                 ir.getInt32(static_cast<uint32_t>(127 - format.bias) << format.fraction_bits));

    Value* smallest = llvm::ConstantFP::get(single, power_of_two(1 - format.bias));
    Value* code = ir.CreateSelect(ir.CreateFCmpOLT(magnitude, smallest), tiny, normal);
    code = ir.CreateBinaryIntrinsic(llvm::Intrinsic::umin, code, ir.getInt32(format.largest));
    Value* negative = ir.CreateICmpSLT(as_integer(ir, value), ir.getInt32(0));
    code = ir.CreateOr(code, ir.CreateSelect(negative, ir.getInt32(format.sign), ir.getInt32(0)));
    return ir.CreateSelect(is_nan(ir, value), ir.getInt32(format.nan ? format.nan : format.largest), code);
}

/// A code (i16) as half, which holds every value of every format here exactly.
Value* decode(const Operation& op, Value* code, const SmallFloat& format) {
    auto& ir = op.ir;
    Value* magnitude = ir.CreateAnd(code, ir.getInt16(format.sign - 1));
    Value* bits = ir.CreateShl(magnitude, 10 - format.fraction_bits);
    Value* value = ir.CreateBitCast(bits, ir.getHalfTy());
    if (format.bias != 15)
        value = ir.CreateFMul(value, llvm::ConstantFP::get(ir.getHalfTy(), power_of_two(15 - format.bias)));
    bits = ir.CreateBitCast(value, ir.getInt16Ty());
    Value* negative = ir.CreateIsNotNull(ir.CreateAnd(code, ir.getInt16(format.sign)));
    bits = ir.CreateOr(bits, ir.CreateSelect(negative, ir.getInt16(0x8000), ir.getInt16(0)));
    if (!format.nan) return bits;
    // e5m2 has infinities: its NaNs lie above them; e4m3 has one NaN.
    const unsigned last_number = format.infinity ? format.infinity : format.largest;
    return ir.CreateSelect(ir.CreateICmpUGT(magnitude, ir.getInt16(last_number)), ir.getInt16(0x7fff), bits);
}

/// The elements as floats, the lowest first.
llvm::SmallVector<Value*, 2> float_sources(const Operation& op, Type from) {
    if (from == Type::f32) {
        // The first source is the upper element.
        Value* upper = op.source(0, from);
        return {op.source(1, from), upper};
    }
    if (from != Type::f16x2 && from != Type::bf16x2) op.refuse("this conversion is not supported");
    Value* pair = read_float(op, 0, from, false);
    llvm::SmallVector<Value*, 2> out;
    for (uint64_t lane = 0; lane < 2; ++lane) {
        Value* element = op.ir.CreateExtractElement(pair, lane);
        out.push_back(from == Type::f16x2 ? op.ir.CreateFPExt(element, op.ir.getFloatTy()) : element);
    }
    return out;
}

void encode_all(const Operation& op, const SmallFloat& format, Type to, Type from) {
    Value* packed = op.ir.getInt32(0);
    unsigned place = 0;
    for (Value* value : float_sources(op, from)) {
        if (op.has(Modifier::relu)) value = clamp_negative(op.ir, value);
        packed = op.ir.CreateOr(packed, op.ir.CreateShl(encode(op, value, format), place));
        place += format.element_bits;
    }
    const Type bits = size_of(to) == 1 ? Type::b8 : Type::b16;
    op.result(op.ir.CreateTrunc(packed, op.ir.getIntNTy(8 * size_of(to))), bits);
}

void decode_all(const Operation& op, const SmallFloat& format, Type to, Type from) {
    if (to != Type::f16x2) op.refuse("this conversion is not supported");
    Value* packed = op.ir.CreateZExt(op.source(0, size_of(from) == 1 ? Type::b8 : Type::b16), op.ir.getInt32Ty());
    Value* result = op.ir.getInt32(0);
    for (unsigned n = 0; n < 2; ++n) {
        Value* code = op.ir.CreateTrunc(op.ir.CreateLShr(packed, n * format.element_bits), op.ir.getInt16Ty());
        Value* bits = decode(op, code, format);
        if (op.has(Modifier::relu)) {
            Value* value = clamp_negative(op.ir, op.ir.CreateBitCast(bits, op.ir.getHalfTy()));
            bits = op.ir.CreateBitCast(value, op.ir.getInt16Ty());
        }
        result = op.ir.CreateOr(result, op.ir.CreateShl(op.ir.CreateZExt(bits, op.ir.getInt32Ty()), 16 * n));
    }
    op.result(result, Type::b32);
}

/// The exponent of the power of two at or below |value| (.rz) or at or above it (.rp), biased by 127; 0xff for NaN. An
/// infinity stays beyond the largest power, 0xfe, unless .satfinite.
Value* encode_power(const Operation& op, Value* value) {
    auto& ir = op.ir;
    Value* bits = ir.CreateAnd(as_integer(ir, value), 0x7fffffff);
    Value* code = ir.CreateLShr(bits, 23);
    if (op.has(Modifier::rp)) {
        Value* more = ir.CreateIsNotNull(ir.CreateAnd(bits, 0x7fffff));
        // 2^-127, code 0, is a subnormal float with one bit set: what is at or below it rounds up to it.
        more = ir.CreateAnd(more, ir.CreateICmpUGT(bits, ir.getInt32(0x400000)));
        code = ir.CreateAdd(code, ir.CreateZExt(more, ir.getInt32Ty()));
    }
    const uint32_t largest = op.has(Modifier::satfinite) ? 0xfe : 0xff;
    code = ir.CreateBinaryIntrinsic(llvm::Intrinsic::umin, code, ir.getInt32(largest));
    return ir.CreateSelect(is_nan(ir, value), ir.getInt32(0xff), code);
}

/// ue8m0x2 from two floats or a pair of bf16.
void encode_powers(const Operation& op, Type from) {
    const auto sources = float_sources(op, from);
    Value* upper = op.ir.CreateShl(encode_power(op, sources[1]), 8);
    Value* packed = op.ir.CreateOr(encode_power(op, sources[0]), upper);
    op.result(op.ir.CreateTrunc(packed, op.ir.getInt16Ty()), Type::b16);
}

/// ue8m0x2 to bf16x2: a power of two is an exponent, but the smallest one, 2^-127, is subnormal.
void decode_powers(const Operation& op) {
    Value* packed = op.ir.CreateZExt(op.source(0, Type::b16), op.ir.getInt32Ty());
    Value* result = op.ir.getInt32(0);
    for (unsigned n = 0; n < 2; ++n) {
        Value* code = op.ir.CreateAnd(op.ir.CreateLShr(packed, 8 * n), 0xff);
        Value* bits = op.ir.CreateShl(code, 7);
        bits = op.ir.CreateSelect(op.ir.CreateICmpEQ(code, op.ir.getInt32(0)), op.ir.getInt32(0x40), bits);
        bits = op.ir.CreateSelect(op.ir.CreateICmpEQ(code, op.ir.getInt32(0xff)), op.ir.getInt32(0x7fff), bits);
        result = op.ir.CreateOr(result, op.ir.CreateShl(bits, 16 * n));
    }
    op.result(result, Type::b32);
}

} // namespace

bool is_small_float(Type type) {
    if (type == Type::ue8m0x2) return true;
    return is_floating(type) && type != Type::f16x2 && type != Type::bf16x2 && type != Type::f32x2 &&
           type != Type::f16 && type != Type::bf16 && type != Type::f32 && type != Type::f64 && type != Type::tf32;
}

void convert_small_floats(const Operation& op, Type to, Type from) {
    if (to == Type::ue8m0x2) return encode_powers(op, from);
    if (from == Type::ue8m0x2 && to == Type::bf16x2) return decode_powers(op);
    const bool widens = to == Type::f16x2;
    if (const SmallFloat* format = small_float(widens ? from : to))
        return widens ? decode_all(op, *format, to, from) : encode_all(op, *format, to, from);
    op.refuse("this conversion is not supported yet");
}

} // namespace ptx::ast_to_llvm

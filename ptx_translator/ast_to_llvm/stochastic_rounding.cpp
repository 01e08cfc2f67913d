#include "ast_to_llvm/float_bits.h"
#include "ast_to_llvm/small_float_formats.h"
#include "ast_to_llvm/small_floats.h"

#include <llvm/IR/Intrinsics.h>

// cvt.rs, PTX ISA 9.7.9.21: random bits are added to those that rounding drops, and the carry decides.
namespace ptx::ast_to_llvm {
namespace {

using llvm::Value;

/// The random bits of each element, the first source first, and how many they are.
struct RandomBits {
    unsigned count;
    llvm::SmallVector<Value*, 4> of;
};

/// Which bits of `word` an element uses. Pairs have a half each, .f16 the lower 13 bits of it. Of four elements the
/// first two share one half and the others the other one (.e2m1: bytes 3 and 1, 2 and 0); of two that share, the
/// first sees the bits in the opposite order, which the manual does not say, but public measurements on an sm_100 do
/// (github.com/vkuzo/quant_cast_bench, nvidia_rs_bit_probe).
RandomBits random_bits(const Operation& op, const SmallFloat& format, unsigned elements, Value* word) {
    auto& ir = op.ir;
    const auto bits = [&](unsigned first, unsigned count) {
        return ir.CreateAnd(ir.CreateLShr(word, first), (1u << count) - 1);
    };
    if (elements == 2) {
        const unsigned count = std::min(16u, 23 - format.fraction_bits);
        return {count, {bits(16, count), bits(0, count)}};
    }
    RandomBits random{16, {}};
    for (const bool upper : {true, false}) {
        Value* shared = bits(upper ? 16 : 0, 16);
        if (format.element_bits == 4) {
            const unsigned low = upper ? 8 : 0;
            shared = ir.CreateOr(ir.CreateShl(bits(low + 16, 8), 8), bits(low, 8));
        }
        Value* narrow = ir.CreateTrunc(shared, ir.getInt16Ty());
        Value* reversed = ir.CreateUnaryIntrinsic(llvm::Intrinsic::bitreverse, narrow);
        random.of.append({ir.CreateZExt(reversed, ir.getInt32Ty()), shared});
    }
    return random;
}

/// The code of a float, as i32. Its significand, with as many bits below the last place as there are random ones, gets
/// those added; a carry into the exponent is right.
Value* encode(const Operation& op, Value* value, const SmallFloat& format, Value* random, unsigned count) {
    auto& ir = op.ir;
    Value* bits = ir.CreateAnd(as_integer(ir, value), 0x7fffffff);
    const unsigned dropped = 23 - format.fraction_bits - count;
    const auto rebias = static_cast<uint32_t>(127 - format.bias);
    Value* normal = ir.CreateLShr(ir.CreateSub(bits, ir.getInt32(rebias << 23)), dropped);

    // Below the smallest normal number the exponent is that of the smallest, and so much more is dropped.
    Value* exponent = ir.CreateLShr(bits, 23);
    Value* implicit = ir.CreateSelect(ir.CreateIsNull(exponent), ir.getInt32(0), ir.getInt32(1u << 23));
    Value* significand = ir.CreateOr(ir.CreateAnd(bits, 0x7fffff), implicit);
    exponent = ir.CreateBinaryIntrinsic(llvm::Intrinsic::umax, exponent, ir.getInt32(1));
    Value* more = ir.CreateSub(ir.getInt32(rebias + 1 + dropped), exponent);
    more = ir.CreateBinaryIntrinsic(llvm::Intrinsic::umin, more, ir.getInt32(31));
    Value* subnormal = ir.CreateLShr(significand, more);

    Value* is_normal = ir.CreateICmpUGE(bits, ir.getInt32((rebias + 1) << 23));
    Value* code = ir.CreateLShr(ir.CreateAdd(ir.CreateSelect(is_normal, normal, subnormal), random), count);
    const bool finite = op.has(Modifier::satfinite);
    code =
        ir.CreateBinaryIntrinsic(llvm::Intrinsic::umin, code, ir.getInt32(finite ? format.largest : format.infinity));
    Value* negative = ir.CreateICmpSLT(as_integer(ir, value), ir.getInt32(0));
    code = ir.CreateOr(code, ir.CreateSelect(negative, ir.getInt32(format.sign), ir.getInt32(0)));
    return ir.CreateSelect(is_nan(ir, value), ir.getInt32(format.nan ? format.nan : format.largest), code);
}

} // namespace

// d, a, b, bits for a pair, d, {a, b, e, f}, bits for four: the first source is the uppermost element.
void convert_stochastic(const Operation& op, Type to) {
    const SmallFloat* format = small_float(to);
    if (!format || (op.instruction.type(1) != Type::f32)) op.refuse("no conversion with stochastic rounding");
    const bool pair = format->pair == to;
    llvm::SmallVector<Value*, 4> sources;
    if (pair) {
        sources = {op.source(0, Type::f32), op.source(1, Type::f32)};
    } else {
        const Operand& list = op.operand(1);
        if (list.elements.size() != 4) op.refuse("expected four sources");
        for (const Operand& element : list.elements) sources.push_back(op.emitter.read(element, Type::f32));
    }
    const auto elements = static_cast<unsigned>(sources.size());
    const RandomBits random = random_bits(op, *format, elements, op.source(pair ? 2 : 1, Type::b32));
    Value* packed = op.ir.getInt32(0);
    for (unsigned n = 0; n < elements; ++n) {
        Value* value = op.has(Modifier::relu) ? clamp_negative(op.ir, sources[n]) : sources[n];
        Value* code = encode(op, value, *format, random.of[n], random.count);
        packed = op.ir.CreateOr(packed, op.ir.CreateShl(code, (elements - 1 - n) * format->element_bits));
    }
    const Type bits = size_of(to) == 2 ? Type::b16 : Type::b32;
    op.result(op.ir.CreateTrunc(packed, op.ir.getIntNTy(8 * size_of(to))), bits);
}

} // namespace ptx::ast_to_llvm

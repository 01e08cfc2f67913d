#include "ast_to_llvm/arithmetic.h"
#include "ast_to_llvm/float_bits.h"
#include "ast_to_llvm/operation.h"

#include <llvm/IR/Intrinsics.h>

// PTX ISA 9.7.3 to 9.7.5: floating point of all widths, half precision and mixed precision included.
namespace ptx::ast_to_llvm {

void lower_approximate(Emitter&, const Instruction&);

namespace {

using llvm::Value;

/// An operation that exists in every rounding mode.
struct RoundedOperation {
    Opcode opcode;
    const char* name; ///< in cuttle.round.NAME.MODE.TYPE
    unsigned sources;
    bool subtract_last;
};

constexpr RoundedOperation rounded_operations[] = {
    {Opcode::add, "fadd", 2, false}, {Opcode::sub, "fsub", 2, true},   {Opcode::mul, "fmul", 2, false},
    {Opcode::fma, "fma", 3, false},  {Opcode::mad, "fma", 3, false},   {Opcode::div, "fdiv", 2, false},
    {Opcode::rcp, "fdiv", 1, false}, {Opcode::sqrt, "sqrt", 1, false},
};

bool is_bfloat(Type type) { return type == Type::bf16 || type == Type::bf16x2; }

Value* nearest(const Operation& op, llvm::StringRef name, llvm::ArrayRef<Value*> a) {
    auto& ir = op.ir;
    if (name == "fadd") return ir.CreateFAdd(a[0], a[1]);
    if (name == "fsub") return ir.CreateFSub(a[0], a[1]);
    if (name == "fmul") return ir.CreateFMul(a[0], a[1]);
    if (name == "fdiv") return ir.CreateFDiv(a[0], a[1]);
    if (name == "sqrt") return ir.CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, a[0]);
    return ir.CreateIntrinsic(llvm::Intrinsic::fma, {a[0]->getType()}, {a[0], a[1], a[2]});
}

Value* directed_scalar(const Operation& op, llvm::StringRef name, Rounding rounding, llvm::ArrayRef<Value*> a) {
    llvm::Type* type = a[0]->getType();
    const char* suffix = type->isDoubleTy() ? "f64" : "f32";
    return op.emitter.call(("cuttle.round." + name + "." + suffix_of(rounding) + "." + suffix).str(), type, a);
}

Value* directed(const Operation& op, llvm::StringRef name, Rounding rounding, llvm::ArrayRef<Value*> a) {
    auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(a[0]->getType());
    if (!vector) return directed_scalar(op, name, rounding, a);
    Value* result = llvm::PoisonValue::get(vector);
    for (unsigned lane = 0; lane < vector->getNumElements(); ++lane) {
        llvm::SmallVector<Value*, 3> elements;
        for (Value* source : a) elements.push_back(op.ir.CreateExtractElement(source, lane));
        result = op.ir.CreateInsertElement(result, directed_scalar(op, name, rounding, elements), lane);
    }
    return result;
}

Value* sign_bit(const Operation& op, Value* value) {
    Value* bits = as_integer(op.ir, value);
    const unsigned width = bits->getType()->getScalarSizeInBits();
    return op.ir.CreateAnd(bits, llvm::ConstantInt::get(bits->getType(), llvm::APInt::getSignMask(width)));
}

/// bf16 arithmetic in float rounds twice, which is harmless but for fma: that one goes through double.
Value* bfloat_fma(const Operation& op, llvm::ArrayRef<Value*> a) {
    llvm::Type* wide = a[0]->getType()->getWithNewType(op.ir.getDoubleTy());
    auto widen = [&](Value* value) { return op.ir.CreateFPExt(value, wide); };
    return narrow_to_odd(op.ir, fma_to_odd(op.ir, widen(a[0]), widen(a[1]), widen(a[2])));
}

Value* compute(const Operation& op, const RoundedOperation& row, llvm::ArrayRef<Value*> sources) {
    const Rounding rounding = rounding_of(op.instruction);
    const bool fma = llvm::StringRef(row.name) == "fma";
    if (is_bfloat(op.type) && fma) return bfloat_fma(op, sources);
    if (rounding == Rounding::rn) return nearest(op, row.name, sources);
    if (op.type != Type::f32 && op.type != Type::f64 && op.type != Type::f32x2)
        op.refuse("only .f32 and .f64 have this rounding mode");
    return directed(op, row.name, rounding, sources);
}

/// Mixed precision: the second type, if any, is that of all sources but the addend. PTX ISA 9.7.5.
Type source_type(const Operation& op, const RoundedOperation& row, unsigned n) {
    const Type narrow = op.instruction.type(1);
    if (narrow == Type::none || n + 1 == row.sources) return op.type;
    return narrow;
}

Value* read_source(const Operation& op, const RoundedOperation& row, unsigned n) {
    const Type type = source_type(op, row, n);
    Value* value = read_float(op, n, type, op.has(Modifier::ftz) && type != Type::f64);
    if (type == op.type || is_bfloat(type)) return value;
    return op.ir.CreateFPExt(value, op.emitter.type_of(op.type));
}

/// .oob: zero where a factor is the NaN that stands for an element beyond a tensor's border, which fills of tensor maps
/// write: 0x7ff7 on an H100, of either sign and in both formats. PTX ISA 9.7.4.4.
Value* zero_out_of_bounds(const Operation& op, Value* result) {
    constexpr uint64_t out_of_bounds = 0x7ff7;
    for (size_t n : {0u, 1u}) {
        Value* bits = op.source(n, size_of(op.type) == 2 ? Type::b16 : Type::b32);
        if (size_of(op.type) == 4) bits = op.ir.CreateBitCast(bits, llvm::FixedVectorType::get(op.ir.getInt16Ty(), 2));
        Value* magnitude = op.ir.CreateAnd(bits, op.constant(bits, 0x7fff));
        Value* outside = op.ir.CreateICmpEQ(magnitude, op.constant(bits, out_of_bounds));
        result = op.ir.CreateSelect(outside, llvm::Constant::getNullValue(result->getType()), result);
    }
    return result;
}

/// Hardware flushes what is subnormal after rounding as if the exponent had no bounds, so that some results that round
/// to the smallest normal number are flushed too. Twice the result, which is normal then, shows it; sums are exact.
Value* flush_result(const Operation& op, const RoundedOperation& row, Value* result, llvm::ArrayRef<Value*> sources) {
    auto& ir = op.ir;
    const llvm::StringRef name = row.name;
    if (name == "fadd" || name == "fsub" || name == "sqrt") return flush_subnormal(ir, result);
    llvm::SmallVector<Value*, 3> doubled(sources);
    doubled[0] = ir.CreateFAdd(doubled[0], doubled[0]);
    if (name == "fma") doubled[2] = ir.CreateFAdd(doubled[2], doubled[2]);
    Value* twice = ir.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, compute(op, row, doubled));
    llvm::Type* type = result->getType();
    const double smallest = type->getScalarType()->isHalfTy() ? 0x1p-14 : 0x1p-126;
    Value* tiny = ir.CreateFCmpOLT(twice, llvm::ConstantFP::get(type, 2 * smallest));
    Value* zero = ir.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, llvm::ConstantFP::get(type, 0.0), result);
    return ir.CreateSelect(tiny, zero, result);
}

/// What ptxas makes of fma.{rz,rm,rp}.bf16, which it takes though no manual has it: an fma of .f16 rounded to nearest,
/// without .relu. Its .bf16x2 rounds to nearest too.
void directed_bfloat_fma(const Operation& op) {
    llvm::SmallVector<Value*, 3> a;
    for (size_t n = 0; n < 3; ++n) a.push_back(op.source(n, Type::f16));
    Value* result = op.ir.CreateIntrinsic(llvm::Intrinsic::fma, {a[0]->getType()}, a);
    Value* bits = as_integer(op.ir, result);
    op.result(op.ir.CreateSelect(is_nan(op.ir, result), op.constant(bits, 0x7fff), bits), Type::b16);
}

void lower_rounded(const Operation& op, const RoundedOperation& row) {
    const bool is_fma = llvm::StringRef(row.name) == "fma";
    const Rounding rounding = is_bfloat(op.type) && is_fma ? Rounding::rn : rounding_of(op.instruction);
    if (rounding != rounding_of(op.instruction) && op.type == Type::bf16) return directed_bfloat_fma(op);
    llvm::SmallVector<Value*, 3> sources;
    for (unsigned n = 0; n < row.sources; ++n) sources.push_back(read_source(op, row, n));
    if (op.instruction.opcode == Opcode::rcp)
        sources.insert(sources.begin(), llvm::ConstantFP::get(sources[0]->getType(), 1.0));
    Value* result = compute(op, row, sources);
    // ptxas takes .ftz for rcp.f64, whose subnormals stay.
    if (op.has(Modifier::ftz) && op.type != Type::f64) result = flush_result(op, row, result, sources);
    if (op.has(Modifier::sat)) result = saturate(op.ir, result);
    if (op.has(Modifier::relu)) result = clamp_negative(op.ir, result);
    if (op.has(Modifier::oob)) result = zero_out_of_bounds(op, result);
    write_float(op, result, op.type, rounding);
}

// PTX ISA 9.7.3.11, 9.7.3.12, 9.7.4.7: -0 is less than +0, a NaN loses against a number unless .NaN is given.
void min_or_max(const Operation& op, bool max) {
    const bool nan = op.has(Modifier::NaN), xorsign = op.has(Modifier::xorsign);
    const auto id = max ? (nan ? llvm::Intrinsic::maximum : llvm::Intrinsic::maximumnum)
                        : (nan ? llvm::Intrinsic::minimum : llvm::Intrinsic::minimumnum);
    auto source = [&](size_t n) { return read_float(op, n, op.type, op.has(Modifier::ftz)); };
    auto bare = [&](Value* v) { return xorsign ? op.ir.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, v) : v; };
    Value* result = source(0);
    Value* sign = xorsign ? sign_bit(op, result) : nullptr;
    result = bare(result);
    for (size_t n = 1; n < op.source_count(); ++n) {
        Value* next = source(n);
        if (xorsign) sign = op.ir.CreateXor(sign, sign_bit(op, next));
        result = op.ir.CreateBinaryIntrinsic(id, result, bare(next));
    }
    if (xorsign) {
        Value* bits = op.ir.CreateOr(as_integer(op.ir, result), sign);
        result = op.ir.CreateBitCast(bits, result->getType());
    }
    write_float(op, result, op.type);
}

Type bits_of(Type type) { return size_of(type) == 2 ? Type::b16 : Type::b32; }

// Nothing but the sign bit changes, so bf16 need not be widened.
void abs_or_neg(const Operation& op, bool abs) {
    if (is_bfloat(op.type) && !op.has(Modifier::ftz)) {
        const bool packed = op.type == Type::bf16x2;
        Value* bits = op.source(0, bits_of(op.type));
        bits = abs ? op.ir.CreateAnd(bits, op.constant(bits, packed ? 0x7fff7fff : 0x7fff))
                   : op.ir.CreateXor(bits, op.constant(bits, packed ? 0x80008000 : 0x8000));
        return op.result(bits, bits_of(op.type));
    }
    Value* value = read_float(op, 0, op.type, op.has(Modifier::ftz));
    value = abs ? op.ir.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, value) : op.ir.CreateFNeg(value);
    write_float(op, value, op.type);
}

/// llvm.is.fpclass mask. PTX ISA 9.7.3.1.
unsigned tested_classes(const Operation& op) {
    constexpr unsigned nan = 0x003, infinite = 0x204, normal = 0x108, subnormal = 0x090, zero = 0x060;
    switch (op.instruction.first_of({Modifier::finite, Modifier::infinite, Modifier::number, Modifier::notanumber,
                                     Modifier::normal, Modifier::subnormal})) {
    case Modifier::finite:
        return normal | subnormal | zero;
    case Modifier::infinite:
        return infinite;
    case Modifier::number:
        return infinite | normal | subnormal | zero;
    case Modifier::notanumber:
        return nan;
    // On H100 zero passes for normal, whatever the manual says.
    case Modifier::normal:
        return normal | zero;
    case Modifier::subnormal:
        return subnormal;
    default:
        op.refuse("no property to test");
    }
}

} // namespace

void lower_floating_arithmetic(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    if (op.has(Modifier::approx) || op.has(Modifier::full)) return lower_approximate(emitter, instruction);
    switch (instruction.opcode) {
    case Opcode::min:
        return min_or_max(op, false);
    case Opcode::max:
        return min_or_max(op, true);
    case Opcode::abs:
        return abs_or_neg(op, true);
    case Opcode::neg:
        return abs_or_neg(op, false);
    default:
        break;
    }
    for (const RoundedOperation& row : rounded_operations)
        if (row.opcode == instruction.opcode) return lower_rounded(op, row);
    op.refuse("no floating-point form");
}

void lower_copysign(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    Value* sign = op.source(0);
    op.result(op.ir.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, op.source(1), sign));
}

void lower_testp(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    Value* value = op.source(0);
    Value* classes = op.ir.getInt32(tested_classes(op));
    op.result(op.ir.CreateIntrinsic(llvm::Intrinsic::is_fpclass, {value->getType()}, {value, classes}), Type::pred);
}

} // namespace ptx::ast_to_llvm

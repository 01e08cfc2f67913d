#include "ast_to_llvm/operation.h"

#include <llvm/IR/Intrinsics.h>

#include <string_view>

// PTX ISA 9.7.18: video instructions, scalar and SIMD. Everything is computed in 64 bits, so that no intermediate
// result is cut off.
namespace ptx::ast_to_llvm {
namespace {

using llvm::CmpInst;
using llvm::Value;

enum class Function { add, sub, absolute_difference, min, max, average, shift_left, shift_right, set };

struct VideoOperation {
    Opcode opcode;
    Function function;
    unsigned lanes; ///< 1 for the scalar instructions
};

// clang-format off
constexpr VideoOperation video_operations[] = {
    {Opcode::vadd,      Function::add, 1},                 {Opcode::vsub,      Function::sub, 1},
    {Opcode::vabsdiff,  Function::absolute_difference, 1}, {Opcode::vmin,      Function::min, 1},
    {Opcode::vmax,      Function::max, 1},                 {Opcode::vshl,      Function::shift_left, 1},
    {Opcode::vshr,      Function::shift_right, 1},         {Opcode::vset,      Function::set, 1},
    {Opcode::vadd2,     Function::add, 2},                 {Opcode::vadd4,     Function::add, 4},
    {Opcode::vsub2,     Function::sub, 2},                 {Opcode::vsub4,     Function::sub, 4},
    {Opcode::vavrg2,    Function::average, 2},             {Opcode::vavrg4,    Function::average, 4},
    {Opcode::vabsdiff2, Function::absolute_difference, 2}, {Opcode::vabsdiff4, Function::absolute_difference, 4},
    {Opcode::vmin2,     Function::min, 2},                 {Opcode::vmin4,     Function::min, 4},
    {Opcode::vmax2,     Function::max, 2},                 {Opcode::vmax4,     Function::max, 4},
    {Opcode::vset2,     Function::set, 2},                 {Opcode::vset4,     Function::set, 4},
};
// clang-format on

bool is_signed(Type type) { return kind_of(type) == TypeKind::signed_integer; }

Value* extend(const Operation& op, Value* value, unsigned bits, bool sign) {
    Value* narrow = op.ir.CreateTrunc(value, op.ir.getIntNTy(bits));
    llvm::Type* wide = op.ir.getInt64Ty();
    return sign ? op.ir.CreateSExt(narrow, wide) : op.ir.CreateZExt(narrow, wide);
}

/// A part of a 32-bit register: `.b2` is byte 2, `.h1` the upper half, nothing the whole.
struct Part {
    unsigned first_bit = 0, bits = 32;
};

Part part_of(const Operation& op, std::string_view selector) {
    if (selector.empty()) return {};
    const unsigned bits = selector[0] == 'b' ? 8 : 16;
    const unsigned index = selector.size() == 2 ? static_cast<unsigned>(selector[1] - '0') : 4;
    if (index * bits >= 32) op.refuse("no such part of a register");
    return {index * bits, bits};
}

/// The register itself, without the sign and the selector that the source may carry.
Value* whole(const Operation& op, size_t n) {
    Operand plain = op.operand(n + 1);
    plain.negated = false;
    return op.emitter.read(plain, Type::b32);
}

Value* part(const Operation& op, size_t n, Type type) {
    const Part part = part_of(op, op.operand(n + 1).name);
    return extend(op, op.ir.CreateLShr(whole(op, n), part.first_bit), part.bits, is_signed(type));
}

Value* clamp(const Operation& op, Value* value, unsigned bits, bool sign) {
    const llvm::APInt low = sign ? llvm::APInt::getSignedMinValue(bits) : llvm::APInt::getZero(bits);
    const llvm::APInt high = sign ? llvm::APInt::getSignedMaxValue(bits) : llvm::APInt::getMaxValue(bits);
    const unsigned width = value->getType()->getIntegerBitWidth();
    auto limit = [&](const llvm::APInt& v) { return op.ir.getInt(sign ? v.sext(width) : v.zext(width)); };
    value = op.ir.CreateBinaryIntrinsic(llvm::Intrinsic::smax, value, limit(low));
    return op.ir.CreateBinaryIntrinsic(llvm::Intrinsic::smin, value, limit(high));
}

CmpInst::Predicate predicate_of(const Operation& op) {
    switch (
        op.instruction.first_of({Modifier::eq, Modifier::ne, Modifier::lt, Modifier::le, Modifier::gt, Modifier::ge})) {
    case Modifier::eq:
        return CmpInst::ICMP_EQ;
    case Modifier::ne:
        return CmpInst::ICMP_NE;
    case Modifier::lt:
        return CmpInst::ICMP_SLT;
    case Modifier::le:
        return CmpInst::ICMP_SLE;
    case Modifier::gt:
        return CmpInst::ICMP_SGT;
    case Modifier::ge:
        return CmpInst::ICMP_SGE;
    default:
        op.refuse("no comparison operator");
    }
}

/// (a + b) / 2, halves away from zero.
Value* average(const Operation& op, Value* a, Value* b) {
    Value* sum = op.ir.CreateAdd(a, b);
    Value* positive = op.ir.CreateZExt(op.ir.CreateICmpSGE(sum, op.constant(sum, 0)), sum->getType());
    return op.ir.CreateAShr(op.ir.CreateAdd(sum, positive), 1);
}

Value* shift_amount(const Operation& op, Value* amount) {
    if (op.has(Modifier::wrap)) return op.ir.CreateAnd(amount, 31);
    return op.ir.CreateBinaryIntrinsic(llvm::Intrinsic::umin, amount, op.constant(amount, 32));
}

Value* apply(const Operation& op, Function function, Value* a, Value* b) {
    auto& ir = op.ir;
    switch (function) {
    case Function::add:
        return ir.CreateAdd(a, b);
    case Function::sub:
        return ir.CreateSub(a, b);
    case Function::absolute_difference:
        return ir.CreateBinaryIntrinsic(llvm::Intrinsic::abs, ir.CreateSub(a, b), ir.getFalse());
    case Function::min:
        return ir.CreateBinaryIntrinsic(llvm::Intrinsic::smin, a, b);
    case Function::max:
        return ir.CreateBinaryIntrinsic(llvm::Intrinsic::smax, a, b);
    case Function::average:
        return average(op, a, b);
    case Function::shift_left:
        return ir.CreateShl(a, shift_amount(op, b));
    case Function::shift_right:
        return ir.CreateAShr(a, shift_amount(op, b));
    case Function::set:
        return ir.CreateZExt(ir.CreateICmp(predicate_of(op), a, b), a->getType());
    }
    return nullptr;
}

/// Types are result, a, b; `vset` has those of a and b only, and an unsigned result.
struct Types {
    Type result, a, b;
};

Types types_of(const Operation& op, Function function) {
    const Instruction& i = op.instruction;
    if (function == Function::set) return {Type::u32, i.type(0), i.type(1)};
    return {i.type(0), i.type(1), i.type(2)};
}

/// What the scalar instructions do with their result and a third source: combine the two, or put a part of the result
/// into the third. Seen on H100: into .h1 goes the upper half of the result, and a negative result is larger than any
/// unsigned third source.
void finish(const Operation& op, Value* value, Type type) {
    const Part place = part_of(op, op.operand(0).name);
    auto narrow = [&](Value* v) { return op.ir.CreateTrunc(v, op.ir.getInt32Ty()); };
    if (op.source_count() < 3) return op.result(narrow(value), Type::b32);
    Value* c = op.source(2, Type::b32);
    if (place.bits != 32) {
        const uint64_t mask = ((uint64_t{1} << place.bits) - 1) << place.first_bit;
        value = narrow(value);
        if (place.bits == 8) value = op.ir.CreateShl(value, place.first_bit);
        value = op.ir.CreateAnd(value, op.constant(value, mask));
        return op.result(op.ir.CreateOr(value, op.ir.CreateAnd(c, op.constant(c, ~mask & 0xffffffff))), Type::b32);
    }
    const bool sign = is_signed(type);
    Value* wide = sign ? op.ir.CreateSExt(c, value->getType()) : op.ir.CreateZExt(c, value->getType());
    switch (op.instruction.first_of({Modifier::add, Modifier::min, Modifier::max})) {
    case Modifier::add:
        value = op.ir.CreateAdd(value, wide);
        break;
    case Modifier::min:
        if (sign) value = op.ir.CreateSExt(narrow(value), value->getType());
        value = op.ir.CreateBinaryIntrinsic(sign ? llvm::Intrinsic::smin : llvm::Intrinsic::umin, value, wide);
        break;
    case Modifier::max:
        if (sign) value = op.ir.CreateSExt(narrow(value), value->getType());
        value = op.ir.CreateBinaryIntrinsic(sign ? llvm::Intrinsic::smax : llvm::Intrinsic::umax, value, wide);
        break;
    // The whole destination is replaced: nothing of the third source is left.
    default:
        break;
    }
    op.result(narrow(value), Type::b32);
}

/// .sat as an H100 does it: an unsigned word is clamped from below only, and into a part of a register the result goes
/// as an unsigned word, clamped from above only.
Value* saturate(const Operation& op, Value* value, Type type) {
    const unsigned bits = part_of(op, op.operand(0).name).bits;
    const bool sign = is_signed(type);
    if (bits == 32 && sign) return clamp(op, value, 32, true);
    if (bits == 32) return op.ir.CreateBinaryIntrinsic(llvm::Intrinsic::smax, value, op.constant(value, 0));
    const uint64_t largest = (uint64_t{1} << (sign ? bits - 1 : bits)) - 1;
    value = op.ir.CreateAnd(value, op.constant(value, 0xffffffff));
    return op.ir.CreateBinaryIntrinsic(llvm::Intrinsic::umin, value, op.constant(value, largest));
}

/// Of what a left shift gives an H100 sees 34 bits, as a signed number, and clamps that.
Value* saturate_shifted(const Operation& op, Value* value, Type type) {
    value = extend(op, value, 34, true);
    if (part_of(op, op.operand(0).name).bits != 32) return saturate(op, value, type);
    return clamp(op, value, 32, is_signed(type));
}

void lower_scalar(const Operation& op, Function function) {
    const Types types = types_of(op, function);
    Value* value = apply(op, function, part(op, 0, types.a), part(op, 1, types.b));
    if (op.has(Modifier::sat)) {
        const bool left = function == Function::shift_left;
        value = left ? saturate_shifted(op, value, types.result) : saturate(op, value, types.result);
    }
    finish(op, value, types.result);
}

/// Elements of a SIMD source; a selector such as `.h10` or `.b7610` names, highest first, where each comes from: the
/// lower numbers are elements of a, the upper ones of b.
Value* lane(const Operation& op, size_t n, unsigned index, unsigned lanes, Type type) {
    const std::string& selector = op.operand(n + 1).name;
    const unsigned bits = 32 / lanes;
    unsigned from = n == 0 ? index : index + lanes;
    if (selector.size() == lanes + 1)
        from = static_cast<unsigned>(selector[lanes - index] - '0');
    else if (!selector.empty())
        op.refuse("bad selector ." + selector);
    if (from >= 2 * lanes) op.refuse("no such element: ." + selector);
    Value* source = whole(op, from / lanes);
    return extend(op, op.ir.CreateLShr(source, from % lanes * bits), bits, is_signed(type));
}

/// Whether the destination's mask (`.b20`: elements 2 and 0) names this element; without a mask all do.
bool is_written(const Operation& op, unsigned index) {
    const std::string& mask = op.operand(0).name;
    return mask.empty() || mask.find(static_cast<char>('0' + index), 1) != mask.npos;
}

// With .add the results are summed up, c included; else those that the mask leaves out come from c.
void lower_simd(const Operation& op, Function function, unsigned lanes) {
    const Types types = types_of(op, function);
    const unsigned bits = 32 / lanes;
    const bool sum = op.has(Modifier::add);
    Value* c = op.source_count() > 2 ? whole(op, 2) : op.ir.getInt32(0);
    Value* result = sum ? c : op.ir.getInt32(0);
    for (unsigned index = 0; index < lanes; ++index) {
        const uint64_t mask = ((uint64_t{1} << bits) - 1) << (index * bits);
        if (!is_written(op, index)) {
            if (!sum) result = op.ir.CreateOr(result, op.ir.CreateAnd(c, op.constant(c, mask)));
            continue;
        }
        Value* value = apply(op, function, lane(op, 0, index, lanes, types.a), lane(op, 1, index, lanes, types.b));
        if (op.has(Modifier::sat)) value = clamp(op, value, bits, is_signed(types.result));
        value = op.ir.CreateTrunc(value, op.ir.getInt32Ty());
        if (sum) {
            result = op.ir.CreateAdd(result, value);
            continue;
        }
        value = op.ir.CreateAnd(op.ir.CreateShl(value, index * bits), op.constant(value, mask));
        result = op.ir.CreateOr(result, value);
    }
    op.result(result, Type::b32);
}

} // namespace

void lower_video(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    for (const VideoOperation& row : video_operations) {
        if (row.opcode != instruction.opcode) continue;
        if (row.lanes == 1) return lower_scalar(op, row.function);
        return lower_simd(op, row.function, row.lanes);
    }
    op.refuse("no such video instruction");
}

// A negated product or addend is complemented and one is added; .po adds one as it is.
void lower_vmad(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    const Type a = instruction.type(1), b = instruction.type(2);
    const bool minus_product = op.operand(1).negated != op.operand(2).negated, minus_c = op.operand(3).negated;
    const bool sign = is_signed(a) || is_signed(b) || minus_product || minus_c;
    const bool shifts = op.has(Modifier::shr7) || op.has(Modifier::shr15);
    llvm::Type* wide = op.ir.getIntNTy(128);
    Value* product = op.ir.CreateMul(op.ir.CreateSExt(part(op, 0, a), wide), op.ir.CreateSExt(part(op, 1, b), wide));
    // Seen on H100: the addend is signed even where everything else is not, and what a shift leaves negative saturates
    // upwards then.
    Value* c = op.ir.CreateSExt(extend(op, whole(op, 2), 32, true), wide);
    const bool plus_one = op.has(Modifier::po);
    if (minus_product && !plus_one)
        product = op.ir.CreateNeg(product);
    else if (minus_c && !plus_one)
        c = op.ir.CreateNeg(c);
    Value* result = op.ir.CreateAdd(product, c);
    if (plus_one) result = op.ir.CreateAdd(result, op.constant(result, 1));
    if (op.has(Modifier::shr7)) result = op.ir.CreateAShr(result, 7);
    if (op.has(Modifier::shr15)) result = op.ir.CreateAShr(result, 15);
    if (op.has(Modifier::sat)) {
        Value* negative = op.ir.CreateICmpSLT(result, op.constant(result, 0));
        result = clamp(op, result, 32, sign);
        if (!sign && shifts) result = op.ir.CreateSelect(negative, op.constant(result, 0xffffffff), result);
    }
    op.result(op.ir.CreateTrunc(result, op.ir.getInt32Ty()), Type::b32);
}

} // namespace ptx::ast_to_llvm

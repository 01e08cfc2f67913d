#include "ast_to_llvm/float_bits.h"
#include "ast_to_llvm/operation.h"

#include <array>
#include <utility>

// PTX ISA 9.7.6, 9.7.7 and 9.3.1: comparison and selection.
namespace ptx::ast_to_llvm {
namespace {

using llvm::CmpInst;
using llvm::Value;

struct Comparison {
    Modifier name;
    CmpInst::Predicate floating, signed_integer, unsigned_integer;
};

constexpr auto no_integer = CmpInst::BAD_ICMP_PREDICATE;
constexpr auto no_floating = CmpInst::BAD_FCMP_PREDICATE;

// clang-format off
constexpr Comparison comparisons[] = {
    {Modifier::eq,  CmpInst::FCMP_OEQ, CmpInst::ICMP_EQ,  CmpInst::ICMP_EQ},
    {Modifier::ne,  CmpInst::FCMP_ONE, CmpInst::ICMP_NE,  CmpInst::ICMP_NE},
    {Modifier::lt,  CmpInst::FCMP_OLT, CmpInst::ICMP_SLT, CmpInst::ICMP_ULT},
    {Modifier::le,  CmpInst::FCMP_OLE, CmpInst::ICMP_SLE, CmpInst::ICMP_ULE},
    {Modifier::gt,  CmpInst::FCMP_OGT, CmpInst::ICMP_SGT, CmpInst::ICMP_UGT},
    {Modifier::ge,  CmpInst::FCMP_OGE, CmpInst::ICMP_SGE, CmpInst::ICMP_UGE},
    {Modifier::lo,  no_floating,       CmpInst::ICMP_ULT, CmpInst::ICMP_ULT},
    {Modifier::ls,  no_floating,       CmpInst::ICMP_ULE, CmpInst::ICMP_ULE},
    {Modifier::hi,  no_floating,       CmpInst::ICMP_UGT, CmpInst::ICMP_UGT},
    {Modifier::hs,  no_floating,       CmpInst::ICMP_UGE, CmpInst::ICMP_UGE},
    {Modifier::equ, CmpInst::FCMP_UEQ, no_integer,        no_integer},
    {Modifier::neu, CmpInst::FCMP_UNE, no_integer,        no_integer},
    {Modifier::ltu, CmpInst::FCMP_ULT, no_integer,        no_integer},
    {Modifier::leu, CmpInst::FCMP_ULE, no_integer,        no_integer},
    {Modifier::gtu, CmpInst::FCMP_UGT, no_integer,        no_integer},
    {Modifier::geu, CmpInst::FCMP_UGE, no_integer,        no_integer},
    {Modifier::num, CmpInst::FCMP_ORD, no_integer,        no_integer},
    {Modifier::nan, CmpInst::FCMP_UNO, no_integer,        no_integer},
};
// clang-format on

const Comparison& comparison_of(const Operation& op) {
    for (Modifier modifier : op.instruction.modifiers)
        for (const Comparison& row : comparisons)
            if (row.name == modifier) return row;
    op.refuse("no comparison operator");
}

/// i1, or <2 x i1> for packed types.
Value* compare(const Operation& op, Type type) {
    const Comparison& row = comparison_of(op);
    if (is_floating(type)) {
        if (row.floating == no_floating) op.refuse("this comparison is for integers");
        const bool ftz = op.has(Modifier::ftz);
        Value* a = read_float(op, 0, type, ftz);
        return op.ir.CreateFCmp(row.floating, a, read_float(op, 1, type, ftz));
    }
    const bool is_signed = kind_of(type) == TypeKind::signed_integer;
    const auto predicate = is_signed ? row.signed_integer : row.unsigned_integer;
    if (predicate == no_integer) op.refuse("this comparison is for floating point");
    Value* a = op.source(0, type);
    return op.ir.CreateICmp(predicate, a, op.source(1, type));
}

/// Combines a comparison with the predicate operand, if the instruction has one.
Value* combine(const Operation& op, Value* compared) {
    if (op.source_count() < 3) return compared;
    Value* other = op.source(2, Type::pred);
    if (other->getType() != compared->getType()) other = op.ir.CreateVectorSplat(2, other);
    switch (op.instruction.first_of({Modifier::and_, Modifier::or_, Modifier::xor_})) {
    case Modifier::and_:
        return op.ir.CreateAnd(compared, other);
    case Modifier::or_:
        return op.ir.CreateOr(compared, other);
    case Modifier::xor_:
        return op.ir.CreateXor(compared, other);
    default:
        op.refuse("a third source needs .and, .or or .xor");
    }
}

std::pair<const Operand*, const Operand*> destinations(const Operand& operand) {
    if (operand.kind != Operand::Kind::pair) return {&operand, nullptr};
    return {&operand.elements[0], &operand.elements[1]};
}

/// 1.0 or 0.0 for a floating-point result, in bits, so that bf16 needs no type of its own; all ones or 0 else.
Value* one_or_zero(const Operation& op, Value* condition, Type type) {
    llvm::Type* result = op.emitter.type_of(type);
    if (!result->isFPOrFPVectorTy()) return op.ir.CreateSExt(condition, result);
    Value* one = as_integer(op.ir, llvm::ConstantFP::get(result, 1.0));
    return op.ir.CreateSelect(condition, one, llvm::Constant::getNullValue(one->getType()));
}

} // namespace

// With two destinations: p|q. q is the negated comparison combined with the same predicate; for packed types it is the
// comparison of the upper halves.
void lower_setp(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    const auto [p, q] = destinations(op.operand(0));
    Value* compared = compare(op, op.type);
    if (compared->getType()->isVectorTy()) {
        Value* result = combine(op, compared);
        emitter.write(*p, op.ir.CreateExtractElement(result, uint64_t{0}), Type::pred);
        if (q) emitter.write(*q, op.ir.CreateExtractElement(result, 1), Type::pred);
        return;
    }
    // Both before the first write: p may be the predicate that is combined.
    Value* result = combine(op, compared);
    Value* negated = q ? combine(op, op.ir.CreateNot(compared)) : nullptr;
    emitter.write(*p, result, Type::pred);
    if (q) emitter.write(*q, negated, Type::pred);
}

// Types: result, then sources.
void lower_set(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    const Type compared_type = instruction.type(1);
    Value* condition = combine(op, compare(op, compared_type));
    const bool packed = condition->getType()->isVectorTy();
    llvm::Type* result = emitter.type_of(op.type);
    // set.u32.f16x2 and the like: each half of the result is the answer for that half.
    if (packed && !result->isVectorTy())
        return op.result(op.ir.CreateSExt(condition, llvm::FixedVectorType::get(op.ir.getInt16Ty(), 2)));
    op.result(one_or_zero(op, condition, op.type));
}

void lower_selp(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    Value* a = op.source(0);
    Value* b = op.source(1);
    op.result(op.ir.CreateSelect(op.source(2, Type::pred), a, b));
}

// The sign of the third source chooses; a NaN chooses the second.
void lower_slct(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    const Type selector = instruction.type(1);
    Value* first;
    if (is_floating(selector)) {
        Value* c = read_float(op, 2, selector, op.has(Modifier::ftz));
        first = op.ir.CreateFCmpOGE(c, llvm::ConstantFP::get(c->getType(), 0.0));
    } else {
        Value* c = op.source(2, selector);
        first = op.ir.CreateICmpSGE(c, op.constant(c, 0));
    }
    Value* a = op.source(0);
    op.result(op.ir.CreateSelect(first, a, op.source(1)));
}

} // namespace ptx::ast_to_llvm

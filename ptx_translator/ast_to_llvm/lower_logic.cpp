#include "ast_to_llvm/operation.h"

#include <llvm/IR/Intrinsics.h>

// PTX ISA 9.7.8: logic and shifts.
namespace ptx::ast_to_llvm {
namespace {

using llvm::Value;

Value* minimum(const Operation& op, Value* value, uint64_t limit) {
    return op.ir.CreateBinaryIntrinsic(llvm::Intrinsic::umin, value, op.constant(value, limit));
}

/// One of the 16 functions of two bits; bit 2 * b + c of `table` is the answer.
Value* two_bit_function(llvm::IRBuilder<>& ir, unsigned table, Value* b, Value* c) {
    switch (table) {
    case 0x0:
        return llvm::Constant::getNullValue(b->getType());
    case 0x1:
        return ir.CreateNot(ir.CreateOr(b, c));
    case 0x2:
        return ir.CreateAnd(ir.CreateNot(b), c);
    case 0x3:
        return ir.CreateNot(b);
    case 0x4:
        return ir.CreateAnd(b, ir.CreateNot(c));
    case 0x5:
        return ir.CreateNot(c);
    case 0x6:
        return ir.CreateXor(b, c);
    case 0x7:
        return ir.CreateNot(ir.CreateAnd(b, c));
    default:
        return ir.CreateNot(two_bit_function(ir, ~table & 0xf, b, c));
    }
}

/// Bit 4 * a + 2 * b + c of `table` is the answer. PTX ISA 9.7.8.6.
Value* three_bit_function(llvm::IRBuilder<>& ir, unsigned table, Value* a, Value* b, Value* c) {
    const unsigned if_clear = table & 0xf, if_set = table >> 4 & 0xf;
    if (if_clear == if_set) return two_bit_function(ir, if_set, b, c);
    if (if_clear == (~if_set & 0xf)) return ir.CreateXor(a, two_bit_function(ir, if_clear, b, c));
    Value* set = ir.CreateAnd(a, two_bit_function(ir, if_set, b, c));
    return ir.CreateOr(set, ir.CreateAnd(ir.CreateNot(a), two_bit_function(ir, if_clear, b, c)));
}

uint64_t immediate(const Operation& op, size_t n) {
    const Operand& operand = op.operand(n + 1);
    if (operand.kind != Operand::Kind::integer) op.refuse("the look-up table must be a constant");
    return operand.integer;
}

/// The amount in the width of what is shifted.
Value* amount_like(const Operation& op, Value* amount, Value* value) {
    return op.ir.CreateZExtOrTrunc(amount, value->getType());
}

} // namespace

void lower_logic(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    Value* a = op.source(0);
    switch (instruction.opcode) {
    case Opcode::and_:
        return op.result(op.ir.CreateAnd(a, op.source(1)));
    case Opcode::or_:
        return op.result(op.ir.CreateOr(a, op.source(1)));
    case Opcode::xor_:
        return op.result(op.ir.CreateXor(a, op.source(1)));
    case Opcode::not_:
        return op.result(op.ir.CreateNot(a));
    case Opcode::cnot:
        return op.result(op.ir.CreateZExt(op.ir.CreateICmpEQ(a, op.constant(a, 0)), a->getType()));
    default:
        op.refuse("no logical operation");
    }
}

// With .and, .or or .xor the destination is d|p, and p = (d != 0) OP q.
void lower_lop3(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    Value *a = op.source(0), *b = op.source(1), *c = op.source(2);
    Value* d = three_bit_function(op.ir, static_cast<unsigned>(immediate(op, 3)), a, b, c);
    const Modifier combine = instruction.first_of({Modifier::and_, Modifier::or_, Modifier::xor_});
    if (combine == Modifier::none) return op.result(d);
    const Operand& destination = op.operand(0);
    if (destination.kind != Operand::Kind::pair) op.refuse("needs two destinations, d|p");
    Value* p = op.ir.CreateIsNotNull(d);
    Value* q = op.source(4, Type::pred);
    if (combine == Modifier::and_) p = op.ir.CreateAnd(p, q);
    if (combine == Modifier::or_) p = op.ir.CreateOr(p, q);
    if (combine == Modifier::xor_) p = op.ir.CreateXor(p, q);
    emitter.write(destination.elements[0], d, op.type);
    emitter.write(destination.elements[1], p, Type::pred);
}

// Amounts are unsigned and clamped to the width.
void lower_shl(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    Value *value = op.source(0), *amount = op.source(1, Type::u32);
    Value* shifted = op.ir.CreateShl(value, amount_like(op, amount, value));
    Value* out = op.ir.CreateICmpUGE(amount, op.constant(amount, op.bits()));
    op.result(op.ir.CreateSelect(out, op.constant(value, 0), shifted));
}

void lower_shr(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    Value *value = op.source(0), *amount = op.source(1, Type::u32);
    if (op.is_signed()) {
        amount = amount_like(op, minimum(op, amount, op.bits() - 1), value);
        return op.result(op.ir.CreateAShr(value, amount));
    }
    Value* shifted = op.ir.CreateLShr(value, amount_like(op, amount, value));
    Value* out = op.ir.CreateICmpUGE(amount, op.constant(amount, op.bits()));
    op.result(op.ir.CreateSelect(out, op.constant(value, 0), shifted));
}

// a is the lower half of what is shifted, b the upper one.
void lower_shf(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    const bool left = op.has(Modifier::l);
    Value *a = op.source(0), *b = op.source(1), *amount = op.source(2, Type::u32);
    const auto funnel = left ? llvm::Intrinsic::fshl : llvm::Intrinsic::fshr;
    Value* shifted = op.ir.CreateIntrinsic(funnel, {a->getType()}, {b, a, amount});
    if (op.has(Modifier::wrap)) return op.result(shifted);
    Value* whole = op.ir.CreateICmpUGE(amount, op.constant(amount, 32));
    op.result(op.ir.CreateSelect(whole, left ? a : b, shifted));
}

} // namespace ptx::ast_to_llvm

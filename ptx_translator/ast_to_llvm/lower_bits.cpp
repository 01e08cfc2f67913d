#include "ast_to_llvm/operation.h"

#include <llvm/IR/Intrinsics.h>

// PTX ISA 9.7.1: counting, finding and moving bits; 9.7.9.7: prmt.
namespace ptx::ast_to_llvm {
namespace {

using llvm::Value;

/// `count` ones from bit 0 on; any count.
Value* low_mask(const Operation& op, Value* count) {
    Value* ones = llvm::Constant::getAllOnesValue(count->getType());
    Value* mask = op.ir.CreateNot(op.ir.CreateShl(ones, count));
    return op.ir.CreateSelect(op.ir.CreateICmpUGE(count, op.constant(count, op.bits())), ones, mask);
}

/// Position or length of a bit field, in the width of the value: the 32-bit instructions look at 8 bits of it, the
/// 64-bit ones at all 32 (seen on H100; the manual says 8 bits of both).
Value* field_operand(const Operation& op, size_t n) {
    Value* value = op.source(n, Type::u32);
    if (op.bits() == 32) return op.ir.CreateAnd(value, 0xff);
    return op.ir.CreateZExt(value, op.ir.getInt64Ty());
}

Value* clamp(const Operation& op, Value* value, uint64_t limit) {
    return op.ir.CreateBinaryIntrinsic(llvm::Intrinsic::umin, value, op.constant(value, limit));
}

/// The lowest `length` bits, which is at least 1, with their upper bit as sign.
Value* sign_extend(const Operation& op, Value* value, Value* length) {
    Value* unused = op.ir.CreateSub(op.constant(length, op.bits()), clamp(op, length, op.bits()));
    return op.ir.CreateAShr(op.ir.CreateShl(value, unused), unused);
}

Value* count(const Operation& op, llvm::Intrinsic::ID id, Value* value) {
    Value* result = id == llvm::Intrinsic::ctpop ? op.ir.CreateUnaryIntrinsic(id, value)
                                                 : op.ir.CreateBinaryIntrinsic(id, value, op.ir.getFalse());
    return op.ir.CreateZExtOrTrunc(result, op.ir.getInt32Ty());
}

/// Position of the n-th set bit of a 32-bit mask, n >= 1; there must be so many. Halves the range five times.
Value* nth_set_bit(const Operation& op, Value* mask, Value* n) {
    Value* position = op.ir.getInt32(0);
    for (unsigned width = 16; width != 0; width /= 2) {
        Value* window = op.ir.CreateAnd(op.ir.CreateLShr(mask, position), (1u << width) - 1);
        Value* set = op.ir.CreateUnaryIntrinsic(llvm::Intrinsic::ctpop, window);
        Value* beyond = op.ir.CreateICmpUGT(n, set);
        n = op.ir.CreateSelect(beyond, op.ir.CreateSub(n, set), n);
        position = op.ir.CreateSelect(beyond, op.ir.CreateAdd(position, op.ir.getInt32(width)), position);
    }
    return position;
}

/// Where byte i of the result comes from in the modes of prmt that have a name. PTX ISA 9.7.9.7.
Value* named_selector(const Operation& op, Modifier mode, Value* selector, unsigned i) {
    Value* s = op.ir.CreateAnd(selector, 3);
    Value* index = op.ir.getInt32(i);
    switch (mode) {
    case Modifier::f4e:
        return op.ir.CreateAdd(s, index);
    case Modifier::b4e:
        return op.ir.CreateAnd(op.ir.CreateSub(s, index), 7);
    case Modifier::rc8:
        return s;
    case Modifier::ecl:
        return op.ir.CreateBinaryIntrinsic(llvm::Intrinsic::umax, s, index);
    case Modifier::ecr:
        return op.ir.CreateBinaryIntrinsic(llvm::Intrinsic::umin, s, index);
    default:
        return op.ir.CreateAdd(op.ir.CreateShl(op.ir.CreateAnd(s, 1), 1), op.ir.getInt32(i & 1));
    }
}

Value* byte_of(const Operation& op, Value* value, Value* selector) {
    Value* amount = op.ir.CreateZExt(op.ir.CreateShl(selector, 3), op.ir.getInt64Ty());
    return op.ir.CreateTrunc(op.ir.CreateLShr(value, amount), op.ir.getInt8Ty());
}

} // namespace

void lower_count(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    const auto id = instruction.opcode == Opcode::popc ? llvm::Intrinsic::ctpop : llvm::Intrinsic::ctlz;
    op.result(count(op, id, op.source(0)), Type::u32);
}

void lower_brev(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    op.result(op.ir.CreateUnaryIntrinsic(llvm::Intrinsic::bitreverse, op.source(0)));
}

// The highest bit that differs from the sign; all ones when there is none.
void lower_bfind(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    Value* value = op.source(0);
    if (op.is_signed()) value = op.ir.CreateXor(value, op.ir.CreateAShr(value, op.bits() - 1));
    Value* zeros = count(op, llvm::Intrinsic::ctlz, value);
    Value* result = zeros;
    if (!op.has(Modifier::shiftamt)) result = op.ir.CreateSub(op.ir.getInt32(op.bits() - 1), zeros);
    Value* none = op.ir.CreateICmpEQ(value, op.constant(value, 0));
    op.result(op.ir.CreateSelect(none, op.ir.getInt32(0xffffffff), result), Type::u32);
}

// Counts from `base` up, or down for a negative offset; offset 0 asks whether `base` itself is set.
void lower_fns(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    Value *mask = op.source(0, Type::b32), *base = op.source(1, Type::b32), *offset = op.source(2, Type::s32);
    Value* within = op.ir.CreateICmpULT(base, op.ir.getInt32(32));
    base = op.ir.CreateAnd(base, 31);
    Value* down = op.ir.CreateICmpSLT(offset, op.ir.getInt32(0));
    Value* same = op.ir.CreateICmpEQ(offset, op.ir.getInt32(0));
    Value* reversed = op.ir.CreateUnaryIntrinsic(llvm::Intrinsic::bitreverse, mask);
    mask = op.ir.CreateSelect(down, reversed, mask);
    base = op.ir.CreateSelect(down, op.ir.CreateSub(op.ir.getInt32(31), base), base);
    Value* from_base = op.ir.CreateShl(op.ir.getInt32(0xffffffff), base);
    mask = op.ir.CreateAnd(mask, op.ir.CreateSelect(same, op.ir.CreateShl(op.ir.getInt32(1), base), from_base));
    Value* n = op.ir.CreateBinaryIntrinsic(llvm::Intrinsic::abs, offset, op.ir.getFalse());
    n = op.ir.CreateSelect(same, op.ir.getInt32(1), n);
    Value* position = nth_set_bit(op, mask, n);
    position = op.ir.CreateSelect(down, op.ir.CreateSub(op.ir.getInt32(31), position), position);
    Value* enough = op.ir.CreateICmpULE(n, op.ir.CreateUnaryIntrinsic(llvm::Intrinsic::ctpop, mask));
    Value* found = op.ir.CreateSelect(enough, position, op.ir.getInt32(0xffffffff));
    // Seen on H100: a base beyond the mask finds nothing, and one offset always gives 0.
    found = op.ir.CreateSelect(within, found, op.ir.getInt32(0xffffffff));
    Value* odd = op.ir.CreateICmpEQ(offset, op.ir.getInt32(0x80000000));
    op.result(op.ir.CreateSelect(odd, op.ir.getInt32(0), found), Type::b32);
}

void lower_bfe(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    Value *value = op.source(0), *position = field_operand(op, 1), *length = field_operand(op, 2);
    if (op.is_signed()) {
        Value* shifted = op.ir.CreateAShr(value, clamp(op, position, op.bits() - 1));
        Value* empty = op.ir.CreateICmpEQ(length, op.constant(length, 0));
        // An empty field would be shifted by the whole width: the select below hides that.
        return op.result(op.ir.CreateSelect(empty, op.constant(value, 0), sign_extend(op, shifted, length)));
    }
    Value* beyond = op.ir.CreateICmpUGE(position, op.constant(position, op.bits()));
    Value* shifted = op.ir.CreateSelect(beyond, op.constant(value, 0), op.ir.CreateLShr(value, position));
    op.result(op.ir.CreateAnd(shifted, low_mask(op, length)));
}

void lower_bfi(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    Value *field = op.source(0), *into = op.source(1);
    Value *position = field_operand(op, 2), *length = field_operand(op, 3);
    Value* beyond = op.ir.CreateICmpUGE(position, op.constant(position, op.bits()));
    Value* mask = op.ir.CreateShl(low_mask(op, length), position);
    Value* inserted = op.ir.CreateAnd(op.ir.CreateShl(field, position), mask);
    inserted = op.ir.CreateOr(op.ir.CreateAnd(into, op.ir.CreateNot(mask)), inserted);
    op.result(op.ir.CreateSelect(beyond, into, inserted));
}

// b ones from bit a on.
void lower_bmsk(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    const bool wrap = op.has(Modifier::wrap);
    auto source = [&](size_t n) {
        Value* value = op.source(n, Type::u32);
        value = wrap ? op.ir.CreateAnd(value, 31) : clamp(op, value, 32);
        return op.ir.CreateZExt(value, op.ir.getInt64Ty());
    };
    Value *first = source(0), *width = source(1);
    Value* ones = op.ir.CreateSub(op.ir.CreateShl(op.ir.getInt64(1), width), op.ir.getInt64(1));
    op.result(op.ir.CreateTrunc(op.ir.CreateShl(ones, first), op.ir.getInt32Ty()));
}

void lower_szext(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    Value *value = op.source(0), *width = op.source(1, Type::u32);
    if (op.has(Modifier::wrap)) width = op.ir.CreateAnd(width, 31);
    if (!op.is_signed()) return op.result(op.ir.CreateAnd(value, low_mask(op, width)));
    Value* empty = op.ir.CreateICmpEQ(width, op.constant(width, 0));
    op.result(op.ir.CreateSelect(empty, op.constant(value, 0), sign_extend(op, value, width)));
}

void lower_prmt(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    llvm::Type* wide = op.ir.getInt64Ty();
    Value *a = op.source(0, Type::b32), *b = op.source(1, Type::b32), *selector = op.source(2, Type::b32);
    Value* value = op.ir.CreateOr(op.ir.CreateZExt(a, wide), op.ir.CreateShl(op.ir.CreateZExt(b, wide), 32));
    const Modifier mode = instruction.first_of(
        {Modifier::f4e, Modifier::b4e, Modifier::rc8, Modifier::ecl, Modifier::ecr, Modifier::rc16});
    Value* result = op.ir.getInt32(0);
    for (unsigned i = 0; i < 4; ++i) {
        Value* byte;
        if (mode != Modifier::none) {
            byte = byte_of(op, value, named_selector(op, mode, selector, i));
        } else {
            Value* nibble = op.ir.CreateLShr(selector, 4 * i);
            byte = byte_of(op, value, op.ir.CreateAnd(nibble, 7));
            Value* signs = op.ir.CreateIsNotNull(op.ir.CreateAnd(nibble, 8));
            byte = op.ir.CreateSelect(signs, op.ir.CreateAShr(byte, 7), byte);
        }
        result = op.ir.CreateOr(result, op.ir.CreateShl(op.ir.CreateZExt(byte, op.ir.getInt32Ty()), 8 * i));
    }
    op.result(result, Type::b32);
}

} // namespace ptx::ast_to_llvm

#include "ast_to_llvm/arithmetic.h"
#include "ast_to_llvm/operation.h"

#include <llvm/IR/Intrinsics.h>

// PTX ISA 9.7.2: extended precision. CC.CF holds the carry out of the last addition; a subtraction is the addition of
// the complement, so that it leaves the opposite of a borrow, which is what an addc after it sees on an H100.
namespace ptx::ast_to_llvm {
namespace {

using llvm::Value;

struct WithCarry {
    Value* value;
    Value* carry;
};

WithCarry with_overflow(const Operation& op, llvm::Intrinsic::ID id, Value* a, Value* b) {
    Value* both = op.ir.CreateBinaryIntrinsic(id, a, b);
    return {op.ir.CreateExtractValue(both, 0), op.ir.CreateExtractValue(both, 1)};
}

/// a + b or a - b, and the carry flag if `carry_in`, which leaves the new carry.
void combine(const Operation& op, Value* a, Value* b, bool subtract, bool carry_in) {
    const auto id = subtract ? llvm::Intrinsic::usub_with_overflow : llvm::Intrinsic::uadd_with_overflow;
    Value* flag = op.emitter.carry_flag();
    WithCarry sum = with_overflow(op, id, a, b);
    if (carry_in) {
        Value* bit = op.ir.CreateLoad(op.ir.getInt1Ty(), flag);
        Value* carry = op.ir.CreateZExt(subtract ? op.ir.CreateNot(bit) : bit, a->getType());
        const WithCarry second = with_overflow(op, id, sum.value, carry);
        sum = {second.value, op.ir.CreateOr(sum.carry, second.carry)};
    }
    if (op.has(Modifier::cc)) op.ir.CreateStore(subtract ? op.ir.CreateNot(sum.carry) : sum.carry, flag);
    op.result(sum.value);
}

Value* product(const Operation& op) {
    const unsigned bits = op.bits();
    if (!op.has(Modifier::hi)) return op.ir.CreateMul(op.source(0), op.source(1));
    llvm::Type* wide = op.ir.getIntNTy(2 * bits);
    auto widen = [&](Value* v) { return op.is_signed() ? op.ir.CreateSExt(v, wide) : op.ir.CreateZExt(v, wide); };
    Value* full = op.ir.CreateMul(widen(op.source(0)), widen(op.source(1)));
    return op.ir.CreateTrunc(op.ir.CreateLShr(full, bits), op.ir.getIntNTy(bits));
}

} // namespace

void lower_extended(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    switch (instruction.opcode) {
    case Opcode::add:
        return combine(op, op.source(0), op.source(1), false, false);
    case Opcode::addc:
        return combine(op, op.source(0), op.source(1), false, true);
    case Opcode::sub:
        return combine(op, op.source(0), op.source(1), true, false);
    case Opcode::subc:
        return combine(op, op.source(0), op.source(1), true, true);
    case Opcode::mad:
        return combine(op, product(op), op.source(2), false, false);
    case Opcode::madc:
        // On an H100 .sat, which madc.hi.s32 takes, clamps nothing.
        return combine(op, product(op), op.source(2), false, true);
    default:
        op.refuse("no extended-precision form");
    }
}

} // namespace ptx::ast_to_llvm

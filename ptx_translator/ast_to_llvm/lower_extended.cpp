#include "ast_to_llvm/arithmetic.h"
#include "ast_to_llvm/operation.h"

#include <llvm/IR/Intrinsics.h>

// PTX ISA 9.7.2: extended precision. CC.CF holds the carry out of the last addition, or the borrow of the last
// subtraction, so subc subtracts it.
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
        Value* carry = op.ir.CreateZExt(op.ir.CreateLoad(op.ir.getInt1Ty(), flag), a->getType());
        const WithCarry second = with_overflow(op, id, sum.value, carry);
        sum = {second.value, op.ir.CreateOr(sum.carry, second.carry)};
    }
    if (op.has(Modifier::cc)) op.ir.CreateStore(sum.carry, flag);
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
    if (op.bits() != 32 && op.bits() != 64) op.refuse("extended precision needs a 32-bit or 64-bit integer type");
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
        return combine(op, product(op), op.source(2), false, true);
    default:
        op.refuse("no extended-precision form");
    }
}

} // namespace ptx::ast_to_llvm

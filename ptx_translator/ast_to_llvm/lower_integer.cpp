#include "ast_to_llvm/arithmetic.h"
#include "ast_to_llvm/operation.h"

#include <llvm/IR/Intrinsics.h>

#include <utility>

// PTX ISA 9.7.1: integer arithmetic. What the manual leaves undefined is what an H100 does.
namespace ptx::ast_to_llvm {
namespace {

using llvm::Value;
using llvm::Intrinsic::ID;

Value* pick(const Operation& op, ID signed_form, ID unsigned_form, Value* a, Value* b) {
    return op.ir.CreateBinaryIntrinsic(op.is_signed() ? signed_form : unsigned_form, a, b);
}

Value* widen(const Operation& op, Value* value, unsigned bits) {
    llvm::Type* wide = op.ir.getIntNTy(bits);
    return op.is_signed() ? op.ir.CreateSExt(value, wide) : op.ir.CreateZExt(value, wide);
}

/// The whole product: twice the width of the operands.
Value* full_product(const Operation& op) {
    const unsigned wide = 2 * op.bits();
    return op.ir.CreateMul(widen(op, op.source(0), wide), widen(op, op.source(1), wide));
}

Value* high_product(const Operation& op) {
    return op.ir.CreateTrunc(op.ir.CreateLShr(full_product(op), op.bits()), op.ir.getIntNTy(op.bits()));
}

Type double_width(const Operation& op) {
    switch (op.type) {
    case Type::u16:
        return Type::u32;
    case Type::s16:
        return Type::s32;
    case Type::u32:
        return Type::u64;
    case Type::s32:
        return Type::s64;
    default:
        op.refuse("no .wide form for this type");
    }
}

void add_or_sub(const Operation& op, bool subtract) {
    Value *a = op.source(0), *b = op.source(1);
    if (op.has(Modifier::sat)) {
        const ID saturating = subtract ? llvm::Intrinsic::ssub_sat : llvm::Intrinsic::sadd_sat;
        return op.result(op.ir.CreateBinaryIntrinsic(saturating, a, b));
    }
    op.result(subtract ? op.ir.CreateSub(a, b) : op.ir.CreateAdd(a, b));
}

// mul and mad: `.lo` of the sum is the sum of `.lo`, so that one function serves both.
void multiply(const Operation& op, bool add) {
    if (op.has(Modifier::wide)) {
        const Type wide = double_width(op);
        Value* product = full_product(op);
        return op.result(add ? op.ir.CreateAdd(product, op.source(2, wide)) : product, wide);
    }
    Value* product = op.has(Modifier::hi) ? high_product(op) : op.ir.CreateMul(op.source(0), op.source(1));
    if (!add) return op.result(product);
    if (op.has(Modifier::sat))
        return op.result(op.ir.CreateBinaryIntrinsic(llvm::Intrinsic::sadd_sat, product, op.source(2)));
    op.result(op.ir.CreateAdd(product, op.source(2)));
}

/// Bits 0..23 of a source, extended to 64 bits.
Value* low_24_bits(const Operation& op, size_t n) {
    Value* narrow = op.ir.CreateTrunc(op.source(n), op.ir.getIntNTy(24));
    return widen(op, narrow, 64);
}

// `.hi` are bits 16..47 of the 48-bit product.
void multiply_24(const Operation& op, bool add) {
    Value* product = op.ir.CreateMul(low_24_bits(op, 0), low_24_bits(op, 1));
    if (op.has(Modifier::hi)) product = op.ir.CreateLShr(product, 16);
    product = op.ir.CreateTrunc(product, op.ir.getInt32Ty());
    if (!add) return op.result(product);
    if (op.has(Modifier::sat))
        return op.result(op.ir.CreateBinaryIntrinsic(llvm::Intrinsic::sadd_sat, product, op.source(2)));
    op.result(op.ir.CreateAdd(product, op.source(2)));
}

// A zero divisor gives all ones, for the quotient and for the remainder. The one quotient that overflows wraps.
void divide(const Operation& op, bool remainder) {
    Value *a = op.source(0), *b = op.source(1);
    Value* by_zero = op.ir.CreateICmpEQ(b, op.constant(b, 0));
    Value* unsafe = by_zero;
    if (op.is_signed())
        unsafe = op.ir.CreateOr(unsafe, op.ir.CreateICmpEQ(b, llvm::Constant::getAllOnesValue(b->getType())));
    Value* divisor = op.ir.CreateSelect(unsafe, op.constant(b, 1), b);
    Value* result;
    if (remainder) {
        result = op.is_signed() ? op.ir.CreateSRem(a, divisor) : op.ir.CreateURem(a, divisor);
    } else {
        result = op.is_signed() ? op.ir.CreateSDiv(a, divisor) : op.ir.CreateUDiv(a, divisor);
        // Here the divisor is 0, 1 or -1; the right answer for the last is the negated dividend.
        if (op.is_signed()) result = op.ir.CreateSelect(unsafe, op.ir.CreateNeg(a), result);
    }
    op.result(op.ir.CreateSelect(by_zero, llvm::Constant::getAllOnesValue(b->getType()), result));
}

void min_or_max(const Operation& op, bool max) {
    Value *a = op.source(0), *b = op.source(1);
    Value* result = max ? pick(op, llvm::Intrinsic::smax, llvm::Intrinsic::umax, a, b)
                        : pick(op, llvm::Intrinsic::smin, llvm::Intrinsic::umin, a, b);
    if (op.has(Modifier::relu))
        result = op.ir.CreateBinaryIntrinsic(llvm::Intrinsic::smax, result, op.constant(result, 0));
    op.result(result);
}

Value* absolute_difference(const Operation& op) {
    Value *a = op.source(0), *b = op.source(1);
    Value* larger = pick(op, llvm::Intrinsic::smax, llvm::Intrinsic::umax, a, b);
    return op.ir.CreateSub(larger, pick(op, llvm::Intrinsic::smin, llvm::Intrinsic::umin, a, b));
}

} // namespace

void lower_integer_arithmetic(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    switch (instruction.opcode) {
    case Opcode::add:
        return add_or_sub(op, false);
    case Opcode::sub:
        return add_or_sub(op, true);
    case Opcode::mul:
        return multiply(op, false);
    case Opcode::mad:
        return multiply(op, true);
    case Opcode::div:
        return divide(op, false);
    case Opcode::rem:
        return divide(op, true);
    case Opcode::min:
        return min_or_max(op, false);
    case Opcode::max:
        return min_or_max(op, true);
    case Opcode::neg:
        return op.result(op.ir.CreateNeg(op.source(0)));
    case Opcode::abs:
        return op.result(op.ir.CreateBinaryIntrinsic(llvm::Intrinsic::abs, op.source(0), op.ir.getFalse()));
    case Opcode::sad:
        return op.result(op.ir.CreateAdd(op.source(2), absolute_difference(op)));
    case Opcode::mul24:
        return multiply_24(op, false);
    case Opcode::mad24:
        return multiply_24(op, true);
    default:
        op.refuse("no integer form");
    }
}

} // namespace ptx::ast_to_llvm

#include "llvm_to_code/spirv_legalize.h"

#include "llvm_to_code/spirv_calls.h"

#include <llvm/CodeGen/AtomicExpandUtils.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

namespace ptx::code {
namespace {

using IR = llvm::IRBuilder<>;
using llvm::Value;

Value* pair(IR& ir, llvm::Type* type, Value* first, Value* second) {
    Value* result = ir.CreateInsertValue(llvm::PoisonValue::get(type), first, 0);
    return ir.CreateInsertValue(result, second, 1);
}

/// OpIAddCarry and OpISubBorrow bring Intel's compiler down; there are none for signed numbers.
Value* with_overflow(IR& ir, llvm::WithOverflowInst& call) {
    Value *a = call.getLHS(), *b = call.getRHS();
    Value* zero = llvm::Constant::getNullValue(a->getType());
    switch (call.getIntrinsicID()) {
    case llvm::Intrinsic::uadd_with_overflow: {
        Value* sum = ir.CreateAdd(a, b);
        return pair(ir, call.getType(), sum, ir.CreateICmpULT(sum, a));
    }
    case llvm::Intrinsic::usub_with_overflow:
        return pair(ir, call.getType(), ir.CreateSub(a, b), ir.CreateICmpULT(a, b));
    case llvm::Intrinsic::sadd_with_overflow: {
        Value* sum = ir.CreateAdd(a, b);
        Value* changed = ir.CreateAnd(ir.CreateXor(sum, a), ir.CreateXor(sum, b));
        return pair(ir, call.getType(), sum, ir.CreateICmpSLT(changed, zero));
    }
    case llvm::Intrinsic::ssub_with_overflow: {
        Value* difference = ir.CreateSub(a, b);
        Value* changed = ir.CreateAnd(ir.CreateXor(a, b), ir.CreateXor(difference, a));
        return pair(ir, call.getType(), difference, ir.CreateICmpSLT(changed, zero));
    }
    default:
        break;
    }
    const bool is_signed = call.isSigned();
    const unsigned bits = a->getType()->getScalarSizeInBits();
    llvm::Type* wide = a->getType()->getWithNewBitWidth(2 * bits);
    const auto widen = [&](Value* value) {
        return is_signed ? ir.CreateSExt(value, wide) : ir.CreateZExt(value, wide);
    };
    Value* product = ir.CreateMul(widen(a), widen(b));
    Value* low = ir.CreateTrunc(product, a->getType());
    return pair(ir, call.getType(), low, ir.CreateICmpNE(widen(low), product));
}

Value* constant(llvm::Type* type, uint64_t value) { return llvm::ConstantInt::get(type, value); }

/// By halves, quarters and so on.
Value* reversed_bits(IR& ir, Value* value) {
    llvm::Type* type = value->getType();
    const unsigned bits = type->getScalarSizeInBits();
    for (unsigned part = bits / 2; part; part /= 2) {
        uint64_t mask = 0;
        for (unsigned i = 0; i < bits; ++i)
            if ((i / part & 1) == 0) mask |= uint64_t{1} << i;
        Value* up = ir.CreateShl(ir.CreateAnd(value, constant(type, mask)), constant(type, part));
        Value* down = ir.CreateAnd(ir.CreateLShr(value, constant(type, part)), constant(type, mask));
        value = ir.CreateOr(up, down);
    }
    return value;
}

/// llvm.bswap of a width: OpenCL has none.
Value* reversed_bytes(IR& ir, Value* value) {
    llvm::Type* type = value->getType();
    const unsigned bits = type->getScalarSizeInBits();
    Value* result = constant(type, 0);
    for (unsigned at = 0; at < bits; at += 8) {
        Value* byte = ir.CreateAnd(ir.CreateLShr(value, constant(type, at)), constant(type, 0xff));
        result = ir.CreateOr(result, ir.CreateShl(byte, constant(type, bits - 8 - at)));
    }
    return result;
}

/// The bits that order floats as signed integers do, -0 below +0.
Value* order_of(IR& ir, Value* number) {
    const unsigned bits = number->getType()->getScalarSizeInBits();
    llvm::Type* type = number->getType()->getWithNewBitWidth(bits);
    Value* word = ir.CreateBitCast(number, type);
    Value* others = ir.CreateLShr(ir.CreateAShr(word, constant(type, bits - 1)), constant(type, 1));
    return ir.CreateXor(word, others);
}

/// IEEE 754-2019's minimum, maximum and their forms that prefer numbers. OpenCL's fmin and fmax leave zeros' signs
/// open.
Value* extreme(IR& ir, llvm::IntrinsicInst& call, bool greatest, bool keeps_nan) {
    Value *a = call.getArgOperand(0), *b = call.getArgOperand(1);
    Value *x = order_of(ir, a), *y = order_of(ir, b);
    Value* first = greatest ? ir.CreateICmpSGT(x, y) : ir.CreateICmpSLT(x, y);
    Value* number = ir.CreateSelect(first, a, b);
    Value *a_is_nan = ir.CreateFCmpUNO(a, a), *b_is_nan = ir.CreateFCmpUNO(b, b);
    Value* nan = llvm::ConstantFP::getNaN(call.getType());
    if (keeps_nan) return ir.CreateSelect(ir.CreateOr(a_is_nan, b_is_nan), nan, number);
    Value* other = ir.CreateSelect(a_is_nan, b, a);
    Value* both = ir.CreateAnd(a_is_nan, b_is_nan);
    return ir.CreateSelect(both, nan, ir.CreateSelect(ir.CreateOr(a_is_nan, b_is_nan), other, number));
}

/// A number of a float's bits that are zero or one, as is_fpclass asks.
Value* is_class(IR& ir, llvm::IntrinsicInst& call) {
    Value* number = call.getArgOperand(0);
    const auto wanted =
        static_cast<llvm::FPClassTest>(llvm::cast<llvm::ConstantInt>(call.getArgOperand(1))->getZExtValue());
    const unsigned bits = number->getType()->getScalarSizeInBits();
    llvm::Type* type = number->getType()->getWithNewBitWidth(bits);
    const llvm::fltSemantics& format = number->getType()->getScalarType()->getFltSemantics();
    const auto bits_of = [&](const llvm::APFloat& value) {
        return llvm::ConstantInt::get(type, value.bitcastToAPInt());
    };
    Value* word = ir.CreateBitCast(number, type);
    Value* size = ir.CreateAnd(word, constant(type, (uint64_t{1} << (bits - 1)) - 1));
    Value* negative = ir.CreateICmpSLT(word, constant(type, 0));
    Value* infinity = bits_of(llvm::APFloat::getInf(format));
    Value* normal = bits_of(llvm::APFloat::getSmallestNormalized(format));
    Value* quiet = bits_of(llvm::APFloat::getQNaN(format));
    Value* result = ir.CreateICmpNE(word, word);
    const auto add = [&](llvm::FPClassTest positive_class, llvm::FPClassTest negative_class, Value* test) {
        if (wanted & positive_class) result = ir.CreateOr(result, ir.CreateAnd(test, ir.CreateNot(negative)));
        if (wanted & negative_class) result = ir.CreateOr(result, ir.CreateAnd(test, negative));
    };
    Value* zero = ir.CreateICmpEQ(size, constant(type, 0));
    Value* below_normal = ir.CreateICmpULT(size, normal);
    Value* below_infinity = ir.CreateICmpULT(size, infinity);
    add(llvm::fcPosZero, llvm::fcNegZero, zero);
    add(llvm::fcPosSubnormal, llvm::fcNegSubnormal, ir.CreateAnd(below_normal, ir.CreateNot(zero)));
    add(llvm::fcPosNormal, llvm::fcNegNormal, ir.CreateAnd(below_infinity, ir.CreateNot(below_normal)));
    add(llvm::fcPosInf, llvm::fcNegInf, ir.CreateICmpEQ(size, infinity));
    Value* nan = ir.CreateICmpUGT(size, infinity);
    Value* is_quiet = ir.CreateICmpUGE(size, quiet);
    if (wanted & llvm::fcQNan) result = ir.CreateOr(result, ir.CreateAnd(nan, is_quiet));
    if (wanted & llvm::fcSNan) result = ir.CreateOr(result, ir.CreateAnd(nan, ir.CreateNot(is_quiet)));
    return result;
}

/// Of a width that is a power of two. LLVM would call a function, which costs Intel's compiler its sub-groups of 32.
Value* funnel_shift(IR& ir, llvm::IntrinsicInst& call, bool left) {
    Value *high = call.getArgOperand(0), *low = call.getArgOperand(1);
    llvm::Type* type = high->getType();
    Value* last = constant(type, type->getScalarSizeInBits() - 1);
    Value* by = ir.CreateAnd(call.getArgOperand(2), last);
    // One place and the rest, so that no amount is the whole width.
    Value* rest = ir.CreateXor(by, last);
    Value* one = constant(type, 1);
    if (left) return ir.CreateOr(ir.CreateShl(high, by), ir.CreateLShr(ir.CreateLShr(low, one), rest));
    return ir.CreateOr(ir.CreateShl(ir.CreateShl(high, one), rest), ir.CreateLShr(low, by));
}

/// Made before the call; null if it can stay.
Value* rewritten(llvm::IntrinsicInst& call) {
    IR ir(&call);
    if (auto* overflow = llvm::dyn_cast<llvm::WithOverflowInst>(&call)) return with_overflow(ir, *overflow);
    switch (call.getIntrinsicID()) {
    case llvm::Intrinsic::fshl:
    case llvm::Intrinsic::fshr:
        if (call.getType()->getScalarSizeInBits() > 64 || !llvm::isPowerOf2_32(call.getType()->getScalarSizeInBits()))
            return nullptr;
        return funnel_shift(ir, call, call.getIntrinsicID() == llvm::Intrinsic::fshl);
    case llvm::Intrinsic::bitreverse:
        return reversed_bits(ir, call.getArgOperand(0));
    case llvm::Intrinsic::bswap:
        return reversed_bytes(ir, call.getArgOperand(0));
    case llvm::Intrinsic::minimum:
        return extreme(ir, call, false, true);
    case llvm::Intrinsic::maximum:
        return extreme(ir, call, true, true);
    case llvm::Intrinsic::minimumnum:
    case llvm::Intrinsic::minnum:
        return extreme(ir, call, false, false);
    case llvm::Intrinsic::maximumnum:
    case llvm::Intrinsic::maxnum:
        return extreme(ir, call, true, false);
    case llvm::Intrinsic::is_fpclass:
        return is_class(ir, call);
    default:
        return nullptr;
    }
}

bool is_native(const llvm::AtomicRMWInst& update) {
    switch (update.getOperation()) {
    case llvm::AtomicRMWInst::Xchg:
    case llvm::AtomicRMWInst::Add:
    case llvm::AtomicRMWInst::Sub:
    case llvm::AtomicRMWInst::And:
    case llvm::AtomicRMWInst::Or:
    case llvm::AtomicRMWInst::Xor:
    case llvm::AtomicRMWInst::Max:
    case llvm::AtomicRMWInst::Min:
    case llvm::AtomicRMWInst::UMax:
    case llvm::AtomicRMWInst::UMin:
        return update.getType()->isIntegerTy();
    default:
        return false;
    }
}

/// As a loop of compare and exchange, of integers.
void expand_update(llvm::AtomicRMWInst& update) {
    llvm::expandAtomicRMWToCmpXchg(&update, [](llvm::IRBuilderBase& ir, Value* address, Value* loaded, Value* wanted,
                                               llvm::Align alignment, llvm::AtomicOrdering order,
                                               llvm::SyncScope::ID scope, Value*& success, Value*& now,
                                               llvm::Instruction*) {
        llvm::Type* type = wanted->getType();
        llvm::Type* word = ir.getIntNTy(type->getPrimitiveSizeInBits());
        Value* exchange =
            ir.CreateAtomicCmpXchg(address, ir.CreateBitCast(loaded, word), ir.CreateBitCast(wanted, word), alignment,
                                   order, llvm::AtomicCmpXchgInst::getStrongestFailureOrdering(order), scope);
        success = ir.CreateExtractValue(exchange, 1);
        now = ir.CreateBitCast(ir.CreateExtractValue(exchange, 0), type);
    });
}

template <class Instruction> llvm::SmallVector<Instruction*, 16> all_in(llvm::Function& function) {
    llvm::SmallVector<Instruction*, 16> found;
    for (llvm::Instruction& instruction : llvm::instructions(function))
        if (auto* one = llvm::dyn_cast<Instruction>(&instruction)) found.push_back(one);
    return found;
}

/// OpPtrEqual and its like came with SPIR-V 1.4. Intel's compiler of 2022 does not know them.
void compare_as_integers(llvm::ICmpInst& comparison) {
    if (!comparison.getOperand(0)->getType()->isPointerTy()) return;
    IR ir(&comparison);
    for (llvm::Use& operand : comparison.operands()) operand.set(ir.CreatePtrToInt(operand, ir.getInt64Ty()));
}

} // namespace

void legalize_for_spirv(llvm::Function& function) {
    for (auto* comparison : all_in<llvm::ICmpInst>(function)) compare_as_integers(*comparison);
    for (auto* call : all_in<llvm::CallInst>(function)) {
        if (!call->getCalledFunction() || call->getCalledFunction()->getName() != spirv_opaque) continue;
        call->replaceAllUsesWith(call->getArgOperand(0));
        call->eraseFromParent();
    }
    for (auto* update : all_in<llvm::AtomicRMWInst>(function))
        if (!is_native(*update)) expand_update(*update);
    for (auto* call : all_in<llvm::IntrinsicInst>(function)) {
        Value* value = rewritten(*call);
        if (!value) continue;
        call->replaceAllUsesWith(value);
        call->eraseFromParent();
    }
    remove_bfloat(function);
    split_wide_integers(function);
}

} // namespace ptx::code

#include "llvm_to_code/spirv_legalize.h"

#include "llvm_to_code/spirv_calls.h"

#include <llvm/ADT/MapVector.h>
#include <llvm/IR/CFG.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/IntrinsicsSPIRV.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/PatternMatch.h>
#include <llvm/Transforms/Utils/Local.h>

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

/// The greater or lesser of `a`, which may be NaN, and a number.
Value* extreme_of_number(IR& ir, Value* a, llvm::ConstantFP& number, bool greatest) {
    // +0 is above -0, but compares like it: where `a` may be the other zero, and the one to take, equal is enough.
    const bool or_equal = number.isZero() && number.isNegative() == greatest;
    const auto predicate = greatest ? or_equal ? llvm::FCmpInst::FCMP_OGE : llvm::FCmpInst::FCMP_OGT
                           : or_equal ? llvm::FCmpInst::FCMP_OLE
                                      : llvm::FCmpInst::FCMP_OLT;
    return ir.CreateSelect(ir.CreateFCmp(predicate, a, &number), a, &number);
}

/// IEEE 754-2019's minimum, maximum and their forms that prefer numbers. OpenCL's fmin and fmax, which LLVM makes of
/// minnum and maxnum, leave zeros' signs open: what is equal has all bits in common but that.
Value* extreme(IR& ir, llvm::IntrinsicInst& call, bool greatest, bool keeps_nan) {
    Value *a = call.getArgOperand(0), *b = call.getArgOperand(1);
    Value* number = nullptr;
    if (auto* constant = llvm::dyn_cast<llvm::ConstantFP>(b); constant && !constant->isNaN()) {
        number = extreme_of_number(ir, a, *constant, greatest);
    } else {
        llvm::Type* words = a->getType()->getWithNewType(ir.getIntNTy(a->getType()->getScalarSizeInBits()));
        Value *x = ir.CreateBitCast(a, words), *y = ir.CreateBitCast(b, words);
        Value* same = ir.CreateBitCast(greatest ? ir.CreateAnd(x, y) : ir.CreateOr(x, y), a->getType());
        Value* other = ir.CreateBinaryIntrinsic(greatest ? llvm::Intrinsic::maxnum : llvm::Intrinsic::minnum, a, b);
        number = ir.CreateSelect(ir.CreateFCmpOEQ(a, b), same, other);
    }
    if (!keeps_nan) return number;
    return ir.CreateSelect(ir.CreateFCmpUNO(a, b), llvm::ConstantFP::getNaN(call.getType()), number);
}

/// To the left, by an amount modulo the width.
Value* rotation(IR& ir, Value* value, Value* by) {
    const char* name = nullptr;
    switch (value->getType()->getScalarSizeInBits()) {
    case 8:
        name = "_Z6rotatehh";
        break;
    case 16:
        name = "_Z6rotatett";
        break;
    case 32:
        name = "_Z6rotatejj";
        break;
    default:
        name = "_Z6rotatemm";
        break;
    }
    return call_builtin(ir, name, value->getType(), {value, by});
}

/// Of a width that is a power of two. LLVM would call a function, which costs Intel's compiler its sub-groups of 32.
Value* funnel_shift(IR& ir, llvm::IntrinsicInst& call, bool left) {
    Value *high = call.getArgOperand(0), *low = call.getArgOperand(1);
    llvm::Type* type = high->getType();
    if (high == low && !type->isVectorTy()) {
        Value* by = call.getArgOperand(2);
        return rotation(ir, high, left ? by : ir.CreateNeg(by));
    }
    if (const auto* amount = llvm::dyn_cast<llvm::ConstantInt>(call.getArgOperand(2))) {
        const unsigned bits = type->getScalarSizeInBits();
        const uint64_t by = amount->getValue().urem(bits);
        if (by == 0) return left ? high : low;
        return ir.CreateOr(ir.CreateShl(high, left ? by : bits - by), ir.CreateLShr(low, left ? bits - by : by));
    }
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
        if (call.getType()->isIntegerTy(32) || call.getType()->isIntegerTy(64)) return nullptr; // OpBitReverse
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
        return is_of_class(ir, call.getArgOperand(0), call.getArgOperand(1));
    default:
        return nullptr;
    }
}

template <class Instruction> llvm::SmallVector<Instruction*, 16> all_in(llvm::Function& function) {
    llvm::SmallVector<Instruction*, 16> found;
    for (llvm::Instruction& instruction : llvm::instructions(function))
        if (auto* one = llvm::dyn_cast<Instruction>(&instruction)) found.push_back(one);
    return found;
}

/// PTX's rsqrt.approx (docs/neutral_ir.md, "Floating point") is OpenCL's rsqrt.
void use_reciprocal_root(llvm::BinaryOperator& quotient) {
    using namespace llvm::PatternMatch;
    Value* square = nullptr;
    if (!quotient.hasMetadata("cuttle.approximate") || !quotient.getType()->isFloatTy() ||
        !match(&quotient, m_FDiv(m_FPOne(), m_Sqrt(m_Value(square)))))
        return;
    IR ir(&quotient);
    quotient.replaceAllUsesWith(call_builtin(ir, "_Z5rsqrtf", quotient.getType(), {square}));
    llvm::RecursivelyDeleteTriviallyDeadInstructions(&quotient);
}

/// Where several cases go to a block with phis, they go by way of another: SPIR-V's phis name a block once, from which
/// Intel's compiler makes phis with too few entries, and then crashes.
void enter_once(llvm::SwitchInst& choice) {
    llvm::SmallMapVector<llvm::BasicBlock*, unsigned, 8> edges;
    for (llvm::BasicBlock* next : llvm::successors(&choice)) edges[next]++;
    for (const auto& [next, count] : edges) {
        if (count == 1 || next->phis().empty()) continue;
        llvm::BasicBlock* from = choice.getParent();
        auto* way = llvm::BasicBlock::Create(choice.getContext(), "", from->getParent(), next);
        llvm::BranchInst::Create(next, way);
        for (llvm::PHINode& phi : next->phis()) {
            phi.addIncoming(phi.getIncomingValueForBlock(from), way);
            for (int i = phi.getBasicBlockIndex(from); i >= 0; i = phi.getBasicBlockIndex(from))
                phi.removeIncomingValue(unsigned(i));
        }
        for (unsigned i = 0; i < choice.getNumSuccessors(); i++)
            if (choice.getSuccessor(i) == next) choice.setSuccessor(i, way);
    }
}

/// Generic pointers, which come from the device library, are joined as numbers: LLVM gives what phis join different types
/// where loops are in each other.
void join_as_integers(llvm::Function& function) {
    llvm::SmallVector<std::pair<llvm::PHINode*, llvm::PHINode*>, 16> joined;
    for (auto* phi : all_in<llvm::PHINode>(function)) {
        if (!phi->getType()->isPointerTy() || phi->getType()->getPointerAddressSpace() != spirv_generic) continue;
        IR ir(phi);
        llvm::PHINode* number = ir.CreatePHI(ir.getInt64Ty(), phi->getNumIncomingValues());
        joined.push_back({phi, number});
    }
    for (const auto& [phi, number] : joined) {
        llvm::SmallDenseMap<llvm::BasicBlock*, Value*, 4> made; // several edges from a block have one value
        for (unsigned i = 0; i < phi->getNumIncomingValues(); i++) {
            llvm::BasicBlock* block = phi->getIncomingBlock(i);
            Value*& value = made[block];
            if (!value) value = IR(block->getTerminator()).CreatePtrToInt(phi->getIncomingValue(i), number->getType());
            number->addIncoming(value, block);
        }
    }
    for (const auto& [phi, number] : joined) {
        IR ir(&*phi->getParent()->getFirstInsertionPt());
        phi->replaceAllUsesWith(ir.CreateIntToPtr(number, phi->getType()));
        phi->eraseFromParent();
    }
}

/// Pointers in memory are numbers, too.
void load_as_integer(llvm::LoadInst& load) {
    if (!load.getType()->isPointerTy()) return;
    IR ir(&load);
    llvm::LoadInst* number = ir.CreateAlignedLoad(ir.getInt64Ty(), load.getPointerOperand(), load.getAlign());
    number->setVolatile(load.isVolatile());
    load.replaceAllUsesWith(ir.CreateIntToPtr(number, load.getType()));
    load.eraseFromParent();
}
void store_as_integer(llvm::StoreInst& store) {
    if (!store.getValueOperand()->getType()->isPointerTy()) return;
    IR ir(&store);
    store.setOperand(0, ir.CreatePtrToInt(store.getValueOperand(), ir.getInt64Ty()));
}

/// OpPtrEqual and its like came with SPIR-V 1.4. Intel's compiler of 2022 does not know them.
void compare_as_integers(llvm::ICmpInst& comparison) {
    if (!comparison.getOperand(0)->getType()->isPointerTy()) return;
    IR ir(&comparison);
    for (llvm::Use& operand : comparison.operands()) operand.set(ir.CreatePtrToInt(operand, ir.getInt64Ty()));
}

/// Of a structure, over which LLVM's back end reads memory that it does not have.
void freeze_parts(llvm::FreezeInst& frozen) {
    auto* structure = llvm::dyn_cast<llvm::StructType>(frozen.getType());
    if (!structure) return;
    IR ir(&frozen);
    Value* result = llvm::PoisonValue::get(structure);
    for (unsigned i = 0; i < structure->getNumElements(); ++i)
        result = ir.CreateInsertValue(result, ir.CreateFreeze(ir.CreateExtractValue(frozen.getOperand(0), i)), i);
    frozen.replaceAllUsesWith(result);
    frozen.eraseFromParent();
}

/// LLVM takes the pointer in OpGenericCastToPtrExplicit for one to a pointer, over which Intel's compiler crashes, unless
/// its address is seen to count bytes.
void cast_bytes(llvm::IntrinsicInst& cast) {
    if (cast.getIntrinsicID() != llvm::Intrinsic::spv_generic_cast_to_ptr_explicit) return;
    IR ir(&cast);
    cast.setArgOperand(0, ir.CreateGEP(ir.getInt8Ty(), cast.getArgOperand(0), ir.getInt64(0)));
}

} // namespace

Value* is_of_class(IR& ir, Value* number, Value* classes) {
    const auto wanted = static_cast<llvm::FPClassTest>(llvm::cast<llvm::ConstantInt>(classes)->getZExtValue());
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

void legalize_for_spirv(llvm::Function& function) {
    for (auto* quotient : all_in<llvm::BinaryOperator>(function)) use_reciprocal_root(*quotient);
    for (auto* comparison : all_in<llvm::ICmpInst>(function)) compare_as_integers(*comparison);
    for (auto* choice : all_in<llvm::SwitchInst>(function)) enter_once(*choice);
    join_as_integers(function);
    for (auto* load : all_in<llvm::LoadInst>(function)) load_as_integer(*load);
    for (auto* store : all_in<llvm::StoreInst>(function)) store_as_integer(*store);
    for (auto* call : all_in<llvm::CallInst>(function)) {
        if (!call->getCalledFunction() || call->getCalledFunction()->getName() != spirv_opaque) continue;
        call->replaceAllUsesWith(call->getArgOperand(0));
        call->eraseFromParent();
    }
    for (auto* call : all_in<llvm::IntrinsicInst>(function)) {
        cast_bytes(*call);
        Value* value = rewritten(*call);
        if (!value) continue;
        call->replaceAllUsesWith(value);
        call->eraseFromParent();
    }
    for (auto* frozen : all_in<llvm::FreezeInst>(function)) freeze_parts(*frozen);
    remove_bfloat(function);
    widen_odd_integers(function);
    split_wide_integers(function);
}

} // namespace ptx::code

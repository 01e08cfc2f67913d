#include "llvm_to_code/machine.h"
#include "llvm_to_code/spirv_legalize.h"

#include <llvm/ADT/DenseMap.h>
#include <llvm/ADT/PostOrderIterator.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <utility>

namespace ptx::code {
namespace {

using IR = llvm::IRBuilder<>;
using llvm::Value;

bool is_wide(const llvm::Type* type) { return type->isIntegerTy() && type->getIntegerBitWidth() > 64; }

bool is_zero(const Value* value) {
    const auto* number = llvm::dyn_cast<llvm::ConstantInt>(value);
    return number && number->isZero();
}

/// Bits above the width of the value that a pair stands for are anything.
struct Pair {
    Value *low = nullptr, *high = nullptr;
};

class Splitter {
  public:
    explicit Splitter(llvm::Function& function) : function_(function), ir_(function.getContext()) {}

    void run() {
        const llvm::ReversePostOrderTraversal<llvm::Function*> order(&function_);
        llvm::SmallVector<llvm::Instruction*, 32> instructions;
        for (llvm::BasicBlock* block : order)
            for (llvm::Instruction& instruction : *block)
                if (is_wide(instruction.getType()) ||
                    llvm::any_of(instruction.operands(), [](Value* value) { return is_wide(value->getType()); }))
                    instructions.push_back(&instruction);
        for (llvm::Instruction* instruction : instructions) {
            ir_.SetInsertPoint(instruction);
            split(*instruction);
        }
        for (llvm::PHINode* phi : phis_) {
            const Pair halves = pairs_[phi];
            for (unsigned i = 0; i < phi->getNumIncomingValues(); ++i) {
                const Pair incoming = halves_of(phi->getIncomingValue(i));
                llvm::cast<llvm::PHINode>(halves.low)->addIncoming(incoming.low, phi->getIncomingBlock(i));
                llvm::cast<llvm::PHINode>(halves.high)->addIncoming(incoming.high, phi->getIncomingBlock(i));
            }
        }
        for (llvm::Instruction* instruction : llvm::reverse(instructions)) {
            instruction->replaceAllUsesWith(llvm::PoisonValue::get(instruction->getType()));
            instruction->eraseFromParent();
        }
    }

  private:
    Value* word(uint64_t value) { return ir_.getInt64(value); }

    Pair halves_of(Value* value) {
        if (const auto found = pairs_.find(value); found != pairs_.end()) return found->second;
        if (auto* number = llvm::dyn_cast<llvm::ConstantInt>(value)) {
            const llvm::APInt bits = number->getValue().zext(128);
            return {word(bits.extractBitsAsZExtValue(64, 0)), word(bits.extractBitsAsZExtValue(64, 64))};
        }
        if (llvm::isa<llvm::UndefValue>(value)) return {word(0), word(0)};
        refuse_form(*value);
    }

    unsigned width(const Value* value) { return value->getType()->getIntegerBitWidth(); }

    /// The bits above the value's width zero, or copies of its sign.
    Pair zero_extended(Value* value) {
        Pair pair = halves_of(value);
        if (const unsigned bits = width(value); bits < 128)
            pair.high = ir_.CreateAnd(pair.high, word((uint64_t{1} << (bits - 64)) - 1));
        return pair;
    }
    Pair sign_extended(Value* value) {
        Pair pair = halves_of(value);
        if (const unsigned bits = width(value); bits < 128)
            pair.high = ir_.CreateAShr(ir_.CreateShl(pair.high, word(128 - bits)), word(128 - bits));
        return pair;
    }

    Pair sum(Pair a, Pair b) {
        Value* low = ir_.CreateAdd(a.low, b.low);
        Value* carry = ir_.CreateZExt(ir_.CreateICmpULT(low, a.low), ir_.getInt64Ty());
        return {low, ir_.CreateAdd(ir_.CreateAdd(a.high, b.high), carry)};
    }
    Pair difference(Pair a, Pair b) {
        Value* borrow = ir_.CreateZExt(ir_.CreateICmpULT(a.low, b.low), ir_.getInt64Ty());
        return {ir_.CreateSub(a.low, b.low), ir_.CreateSub(ir_.CreateSub(a.high, b.high), borrow)};
    }
    /// OpenCL's mul_hi of two ulongs.
    Value* high_product(Value* a, Value* b) {
        llvm::Type* type = ir_.getInt64Ty();
        llvm::FunctionCallee callee = function_.getParent()->getOrInsertFunction(
            "_Z6mul_himm", llvm::FunctionType::get(type, {type, type}, false));
        auto* function = llvm::cast<llvm::Function>(callee.getCallee());
        function->setCallingConv(llvm::CallingConv::SPIR_FUNC);
        function->setDoesNotThrow();
        function->setDoesNotAccessMemory();
        llvm::CallInst* call = ir_.CreateCall(callee, {a, b});
        call->setCallingConv(llvm::CallingConv::SPIR_FUNC);
        return call;
    }
    Pair product(Pair a, Pair b) {
        Value* high = high_product(a.low, b.low);
        if (!is_zero(b.high)) high = ir_.CreateAdd(high, ir_.CreateMul(a.low, b.high));
        if (!is_zero(a.high)) high = ir_.CreateAdd(high, ir_.CreateMul(a.high, b.low));
        return {ir_.CreateMul(a.low, b.low), high};
    }

    /// `amount`: of 64 bits, less than 128. Both cases, of less than 64 and more.
    Pair shifted_left(Pair a, Value* amount) {
        Value* part = ir_.CreateAnd(amount, word(63));
        Value* over = ir_.CreateLShr(ir_.CreateLShr(a.low, word(1)), ir_.CreateXor(part, word(63)));
        Value* low = ir_.CreateShl(a.low, part);
        Value* high = ir_.CreateOr(ir_.CreateShl(a.high, part), over);
        Value* far = ir_.CreateICmpUGE(amount, word(64));
        return {ir_.CreateSelect(far, word(0), low), ir_.CreateSelect(far, low, high)};
    }
    Pair shifted_right(Pair a, Value* amount, bool is_signed) {
        Value* part = ir_.CreateAnd(amount, word(63));
        Value* over = ir_.CreateShl(ir_.CreateShl(a.high, word(1)), ir_.CreateXor(part, word(63)));
        Value* low = ir_.CreateOr(ir_.CreateLShr(a.low, part), over);
        Value* high = is_signed ? ir_.CreateAShr(a.high, part) : ir_.CreateLShr(a.high, part);
        Value* rest = is_signed ? ir_.CreateAShr(a.high, word(63)) : word(0);
        Value* far = ir_.CreateICmpUGE(amount, word(64));
        return {ir_.CreateSelect(far, high, low), ir_.CreateSelect(far, rest, high)};
    }

    Pair binary(llvm::BinaryOperator& operation) {
        Value *x = operation.getOperand(0), *y = operation.getOperand(1);
        const Pair a = halves_of(x), b = halves_of(y);
        switch (operation.getOpcode()) {
        case llvm::Instruction::Add:
            return sum(a, b);
        case llvm::Instruction::Sub:
            return difference(a, b);
        case llvm::Instruction::Mul:
            return product(a, b);
        case llvm::Instruction::And:
            return {ir_.CreateAnd(a.low, b.low), ir_.CreateAnd(a.high, b.high)};
        case llvm::Instruction::Or:
            return {ir_.CreateOr(a.low, b.low), ir_.CreateOr(a.high, b.high)};
        case llvm::Instruction::Xor:
            return {ir_.CreateXor(a.low, b.low), ir_.CreateXor(a.high, b.high)};
        case llvm::Instruction::Shl:
            return shifted_left(a, b.low);
        case llvm::Instruction::LShr:
            return shifted_right(zero_extended(x), b.low, false);
        case llvm::Instruction::AShr:
            return shifted_right(sign_extended(x), b.low, true);
        default:
            refuse_form(operation);
        }
    }

    Value* compared(llvm::ICmpInst& compare) {
        const bool is_signed = compare.isSigned();
        const Pair a = is_signed ? sign_extended(compare.getOperand(0)) : zero_extended(compare.getOperand(0));
        const Pair b = is_signed ? sign_extended(compare.getOperand(1)) : zero_extended(compare.getOperand(1));
        if (compare.isEquality()) {
            Value* different = ir_.CreateOr(ir_.CreateXor(a.low, b.low), ir_.CreateXor(a.high, b.high));
            return ir_.CreateICmp(compare.getPredicate(), different, word(0));
        }
        Value* high = ir_.CreateICmp(compare.getStrictPredicate(), a.high, b.high);
        Value* low = ir_.CreateICmp(compare.getUnsignedPredicate(), a.low, b.low);
        return ir_.CreateSelect(ir_.CreateICmpEQ(a.high, b.high), low, high);
    }

    Pair cast(llvm::CastInst& operation) {
        Value* from = operation.getOperand(0);
        switch (operation.getOpcode()) {
        case llvm::Instruction::ZExt:
            if (is_wide(from->getType())) return zero_extended(from);
            return {ir_.CreateZExt(from, ir_.getInt64Ty()), word(0)};
        case llvm::Instruction::SExt: {
            if (is_wide(from->getType())) return sign_extended(from);
            Value* low = ir_.CreateSExt(from, ir_.getInt64Ty());
            return {low, ir_.CreateAShr(low, word(63))};
        }
        case llvm::Instruction::Trunc:
            return halves_of(from);
        case llvm::Instruction::BitCast: {
            if (operation.getType()->getIntegerBitWidth() != 128) refuse_form(operation);
            Value* words = ir_.CreateBitCast(from, llvm::FixedVectorType::get(ir_.getInt64Ty(), 2));
            return {ir_.CreateExtractElement(words, uint64_t{0}), ir_.CreateExtractElement(words, uint64_t{1})};
        }
        default:
            refuse_form(operation);
        }
    }

    Pair loaded(llvm::LoadInst& load) {
        if (!load.isSimple() && !load.isVolatile()) refuse_form(load);
        if (load.getType()->getIntegerBitWidth() != 128) refuse_form(load);
        const auto at = [&](unsigned offset) {
            Value* place = ir_.CreateConstGEP1_32(ir_.getInt8Ty(), load.getPointerOperand(), offset);
            return ir_.CreateAlignedLoad(ir_.getInt64Ty(), place, llvm::commonAlignment(load.getAlign(), offset),
                                         load.isVolatile());
        };
        Value* low = at(0);
        return {low, at(8)};
    }

    void store(llvm::StoreInst& store) {
        Value* value = store.getValueOperand();
        if (store.isAtomic() || width(value) != 128) refuse_form(store);
        const Pair pair = halves_of(value);
        for (unsigned offset : {0u, 8u}) {
            Value* place = ir_.CreateConstGEP1_32(ir_.getInt8Ty(), store.getPointerOperand(), offset);
            ir_.CreateAlignedStore(offset ? pair.high : pair.low, place,
                                   llvm::commonAlignment(store.getAlign(), offset), store.isVolatile());
        }
    }

    Pair called(llvm::IntrinsicInst& call) {
        const unsigned bits = width(call.getArgOperand(0));
        const auto count = [&](Value* value) {
            return call.getIntrinsicID() == llvm::Intrinsic::ctpop
                       ? ir_.CreateUnaryIntrinsic(llvm::Intrinsic::ctpop, value)
                       : ir_.CreateIntrinsic(call.getIntrinsicID(), {ir_.getInt64Ty()}, {value, ir_.getFalse()});
        };
        switch (call.getIntrinsicID()) {
        case llvm::Intrinsic::ctpop: {
            const Pair a = zero_extended(call.getArgOperand(0));
            return {ir_.CreateAdd(count(a.low), count(a.high)), word(0)};
        }
        case llvm::Intrinsic::ctlz: {
            const Pair a = zero_extended(call.getArgOperand(0));
            Value* below = ir_.CreateAdd(count(a.low), word(64));
            Value* zeros = ir_.CreateSelect(ir_.CreateICmpEQ(a.high, word(0)), below, count(a.high));
            return {ir_.CreateSub(zeros, word(128 - bits)), word(0)};
        }
        case llvm::Intrinsic::cttz: {
            if (bits != 128) refuse_form(call);
            const Pair a = halves_of(call.getArgOperand(0));
            Value* above = ir_.CreateAdd(count(a.high), word(64));
            return {ir_.CreateSelect(ir_.CreateICmpEQ(a.low, word(0)), above, count(a.low)), word(0)};
        }
        case llvm::Intrinsic::abs: {
            const Pair a = sign_extended(call.getArgOperand(0));
            Value* sign = ir_.CreateAShr(a.high, word(63));
            return difference({ir_.CreateXor(a.low, sign), ir_.CreateXor(a.high, sign)}, {sign, sign});
        }
        case llvm::Intrinsic::umin:
        case llvm::Intrinsic::umax:
        case llvm::Intrinsic::smin:
        case llvm::Intrinsic::smax: {
            const auto& extreme = llvm::cast<llvm::MinMaxIntrinsic>(call);
            auto* compare = llvm::cast<llvm::ICmpInst>(
                llvm::ICmpInst::Create(llvm::Instruction::ICmp, extreme.getPredicate(), extreme.getLHS(),
                                       extreme.getRHS(), "", call.getIterator()));
            Value* first = compared(*compare);
            compare->eraseFromParent();
            return selected(first, halves_of(extreme.getLHS()), halves_of(extreme.getRHS()));
        }
        case llvm::Intrinsic::fshl:
        case llvm::Intrinsic::fshr: {
            if (bits != 128) refuse_form(call);
            const bool left = call.getIntrinsicID() == llvm::Intrinsic::fshl;
            const Pair a = halves_of(call.getArgOperand(0)), b = halves_of(call.getArgOperand(1));
            Value* amount = ir_.CreateAnd(halves_of(call.getArgOperand(2)).low, word(127));
            Value* rest = ir_.CreateXor(amount, word(127));
            const Pair one = {word(1), word(0)};
            const Pair up = left ? shifted_left(a, amount) : shifted_left(shifted_left(a, one.low), rest);
            const Pair down =
                left ? shifted_right(shifted_right(b, one.low, false), rest, false) : shifted_right(b, amount, false);
            return {ir_.CreateOr(up.low, down.low), ir_.CreateOr(up.high, down.high)};
        }
        default:
            refuse_form(call);
        }
    }

    Pair selected(Value* condition, Pair a, Pair b) {
        return {ir_.CreateSelect(condition, a.low, b.low), ir_.CreateSelect(condition, a.high, b.high)};
    }

    /// Of an instruction whose result is narrow, though an operand is wide.
    Value* narrow(llvm::Instruction& instruction) {
        if (auto* compare = llvm::dyn_cast<llvm::ICmpInst>(&instruction)) return compared(*compare);
        if (llvm::isa<llvm::TruncInst>(instruction))
            return ir_.CreateTrunc(halves_of(instruction.getOperand(0)).low, instruction.getType());
        if (llvm::isa<llvm::BitCastInst>(instruction)) {
            const Pair pair = halves_of(instruction.getOperand(0));
            Value* words = llvm::PoisonValue::get(llvm::FixedVectorType::get(ir_.getInt64Ty(), 2));
            words = ir_.CreateInsertElement(words, pair.low, uint64_t{0});
            return ir_.CreateBitCast(ir_.CreateInsertElement(words, pair.high, uint64_t{1}), instruction.getType());
        }
        refuse_form(instruction);
    }

    Pair wide(llvm::Instruction& instruction) {
        if (auto* operation = llvm::dyn_cast<llvm::BinaryOperator>(&instruction)) return binary(*operation);
        if (auto* operation = llvm::dyn_cast<llvm::CastInst>(&instruction)) return cast(*operation);
        if (auto* load = llvm::dyn_cast<llvm::LoadInst>(&instruction)) return loaded(*load);
        if (auto* call = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction)) return called(*call);
        if (auto* select = llvm::dyn_cast<llvm::SelectInst>(&instruction))
            return selected(select->getCondition(), halves_of(select->getTrueValue()),
                            halves_of(select->getFalseValue()));
        if (llvm::isa<llvm::FreezeInst>(instruction)) {
            const Pair pair = halves_of(instruction.getOperand(0));
            return {ir_.CreateFreeze(pair.low), ir_.CreateFreeze(pair.high)};
        }
        if (auto* phi = llvm::dyn_cast<llvm::PHINode>(&instruction)) {
            phis_.push_back(phi);
            const unsigned count = phi->getNumIncomingValues();
            llvm::PHINode* low = ir_.CreatePHI(ir_.getInt64Ty(), count);
            return {low, ir_.CreatePHI(ir_.getInt64Ty(), count)};
        }
        refuse_form(instruction);
    }

    void split(llvm::Instruction& instruction) {
        if (is_wide(instruction.getType())) {
            const Pair pair = wide(instruction);
            pairs_[&instruction] = pair;
        } else if (auto* to = llvm::dyn_cast<llvm::StoreInst>(&instruction)) {
            store(*to);
        } else {
            instruction.replaceAllUsesWith(narrow(instruction));
        }
    }

    llvm::Function& function_;
    IR ir_;
    llvm::DenseMap<Value*, Pair> pairs_;
    llvm::SmallVector<llvm::PHINode*, 8> phis_;
};

} // namespace

void refuse_form(const llvm::Value& value) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    value.print(stream);
    fail("the spirv target has no form of '" + text + "'");
}

void split_wide_integers(llvm::Function& function) { Splitter(function).run(); }

} // namespace ptx::code

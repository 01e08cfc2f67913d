#include "llvm_to_code/spirv_legalize.h"

#include <llvm/ADT/DenseMap.h>
#include <llvm/ADT/PostOrderIterator.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/IRBuilder.h>

#include <bit>

namespace ptx::code {
namespace {

using llvm::Value;

/// Of a width that SPIR-V has not; wider ones are split.
bool is_odd(const llvm::Type* type) {
    if (!type->isIntegerTy()) return false;
    const unsigned bits = type->getIntegerBitWidth();
    return bits > 1 && bits < 64 && (bits < 8 || !std::has_single_bit(bits));
}

class Widener {
  public:
    explicit Widener(llvm::Function& function) : function_(function), ir_(function.getContext()) {}

    void run() {
        llvm::SmallVector<llvm::Instruction*, 32> instructions;
        for (llvm::BasicBlock* block : llvm::ReversePostOrderTraversal<llvm::Function*>(&function_))
            for (llvm::Instruction& instruction : *block)
                if (is_odd(instruction.getType()) ||
                    llvm::any_of(instruction.operands(), [](Value* value) { return is_odd(value->getType()); }))
                    instructions.push_back(&instruction);
        for (llvm::Instruction* instruction : instructions) {
            ir_.SetInsertPoint(instruction);
            widen(*instruction);
        }
        for (const auto& [phi, wide] : phis_)
            for (unsigned i = 0; i < phi->getNumIncomingValues(); ++i)
                wide->addIncoming(held(phi->getIncomingValue(i)), phi->getIncomingBlock(i));
        for (llvm::Instruction* instruction : llvm::reverse(instructions)) {
            if (!instruction->use_empty())
                instruction->replaceAllUsesWith(llvm::PoisonValue::get(instruction->getType()));
            instruction->eraseFromParent();
        }
    }

  private:
    /// The next wider type that SPIR-V has.
    llvm::Type* wide_type(llvm::Type* type) {
        return is_odd(type) ? ir_.getIntNTy(std::max(8u, std::bit_ceil(type->getIntegerBitWidth()))) : type;
    }

    /// In a wide type, with anything above the value's own bits. Other values as they are.
    Value* held(Value* value) {
        if (!is_odd(value->getType())) return value;
        if (const auto found = wide_.find(value); found != wide_.end()) return found->second;
        llvm::Type* type = wide_type(value->getType());
        if (const auto* number = llvm::dyn_cast<llvm::ConstantInt>(value))
            return llvm::ConstantInt::get(type, number->getZExtValue());
        if (llvm::isa<llvm::UndefValue>(value)) return llvm::Constant::getNullValue(type);
        refuse_form(*value);
    }
    Value* zero_extended(Value* value) {
        if (!is_odd(value->getType())) return value;
        return ir_.CreateAnd(held(value), llvm::maskTrailingOnes<uint64_t>(value->getType()->getIntegerBitWidth()));
    }
    Value* sign_extended(Value* value) {
        if (!is_odd(value->getType())) return value;
        Value* wide = held(value);
        const unsigned rest = wide->getType()->getIntegerBitWidth() - value->getType()->getIntegerBitWidth();
        return ir_.CreateAShr(ir_.CreateShl(wide, rest), rest);
    }
    Value* extended(Value* value, bool is_signed) { return is_signed ? sign_extended(value) : zero_extended(value); }

    void widen(llvm::Instruction& instruction) {
        if (auto* choice = llvm::dyn_cast<llvm::SwitchInst>(&instruction)) return widen_switch(*choice);
        Value* value = value_of(instruction);
        if (is_odd(instruction.getType()))
            wide_[&instruction] = value;
        else
            instruction.replaceAllUsesWith(value);
    }

    Value* value_of(llvm::Instruction& instruction) {
        llvm::Type* type = wide_type(instruction.getType());
        if (auto* operation = llvm::dyn_cast<llvm::BinaryOperator>(&instruction)) return arithmetic(*operation);
        if (auto* call = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction)) return intrinsic(*call);
        if (auto* comparison = llvm::dyn_cast<llvm::ICmpInst>(&instruction)) {
            const bool is_signed = comparison->isSigned();
            return ir_.CreateICmp(comparison->getPredicate(), extended(comparison->getOperand(0), is_signed),
                                  extended(comparison->getOperand(1), is_signed));
        }
        if (auto* phi = llvm::dyn_cast<llvm::PHINode>(&instruction)) {
            llvm::PHINode* wide = ir_.CreatePHI(type, phi->getNumIncomingValues());
            phis_.push_back({phi, wide});
            return wide;
        }
        if (auto* choice = llvm::dyn_cast<llvm::SelectInst>(&instruction))
            return ir_.CreateSelect(choice->getCondition(), held(choice->getTrueValue()), held(choice->getFalseValue()));
        Value* operand = instruction.getOperand(0);
        switch (instruction.getOpcode()) {
        case llvm::Instruction::Freeze:
            return ir_.CreateFreeze(held(operand));
        case llvm::Instruction::Trunc:
            return ir_.CreateZExtOrTrunc(held(operand), type);
        case llvm::Instruction::ZExt:
            return ir_.CreateZExtOrTrunc(zero_extended(operand), type);
        case llvm::Instruction::SExt:
            return ir_.CreateSExtOrTrunc(sign_extended(operand), type);
        case llvm::Instruction::UIToFP:
            return ir_.CreateUIToFP(zero_extended(operand), type);
        case llvm::Instruction::SIToFP:
            return ir_.CreateSIToFP(sign_extended(operand), type);
        default:
            refuse_form(instruction);
        }
    }

    Value* arithmetic(llvm::BinaryOperator& operation) {
        Value *a = operation.getOperand(0), *b = operation.getOperand(1);
        const auto opcode = operation.getOpcode();
        switch (opcode) {
        case llvm::Instruction::Shl:
            return ir_.CreateShl(held(a), zero_extended(b));
        case llvm::Instruction::AShr:
            return ir_.CreateAShr(sign_extended(a), zero_extended(b));
        case llvm::Instruction::LShr:
        case llvm::Instruction::UDiv:
        case llvm::Instruction::URem:
            return ir_.CreateBinOp(opcode, zero_extended(a), zero_extended(b));
        case llvm::Instruction::SDiv:
        case llvm::Instruction::SRem:
            return ir_.CreateBinOp(opcode, sign_extended(a), sign_extended(b));
        default:
            return ir_.CreateBinOp(opcode, held(a), held(b)); // bits do not depend on higher ones
        }
    }

    Value* intrinsic(llvm::IntrinsicInst& call) {
        const llvm::Intrinsic::ID id = call.getIntrinsicID();
        switch (id) {
        case llvm::Intrinsic::umin:
        case llvm::Intrinsic::umax:
            return ir_.CreateBinaryIntrinsic(id, zero_extended(call.getArgOperand(0)),
                                             zero_extended(call.getArgOperand(1)));
        case llvm::Intrinsic::smin:
        case llvm::Intrinsic::smax:
            return ir_.CreateBinaryIntrinsic(id, sign_extended(call.getArgOperand(0)),
                                             sign_extended(call.getArgOperand(1)));
        case llvm::Intrinsic::abs:
            return ir_.CreateBinaryIntrinsic(id, sign_extended(call.getArgOperand(0)), ir_.getFalse());
        case llvm::Intrinsic::ctpop:
            return ir_.CreateUnaryIntrinsic(id, zero_extended(call.getArgOperand(0)));
        default:
            refuse_form(call);
        }
    }

    void widen_switch(llvm::SwitchInst& choice) {
        llvm::SwitchInst* wide =
            ir_.CreateSwitch(zero_extended(choice.getCondition()), choice.getDefaultDest(), choice.getNumCases());
        for (const auto& each : choice.cases())
            wide->addCase(llvm::cast<llvm::ConstantInt>(held(each.getCaseValue())), each.getCaseSuccessor());
    }

    llvm::Function& function_;
    llvm::IRBuilder<> ir_;
    llvm::DenseMap<Value*, Value*> wide_;
    llvm::SmallVector<std::pair<llvm::PHINode*, llvm::PHINode*>, 4> phis_; ///< and their wide forms
};

} // namespace

void widen_odd_integers(llvm::Function& function) { Widener(function).run(); }

} // namespace ptx::code

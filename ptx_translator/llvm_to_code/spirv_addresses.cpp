#include "llvm_to_code/spirv_addresses.h"

#include "llvm_to_code/pointers.h"

#include <llvm/ADT/SmallPtrSet.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/Transforms/Utils/Local.h>

namespace ptx::code {
namespace {

using llvm::Value;

/// What an integer must not do for its multiples to stay multiples when it is widened.
enum class Wrap { may, not_signed, not_unsigned };

bool keeps(const llvm::Instruction& instruction, Wrap wrap) {
    if (wrap == Wrap::may) return true;
    if (llvm::isa<llvm::PossiblyDisjointInst>(instruction)) return true;
    return wrap == Wrap::not_signed ? instruction.hasNoSignedWrap() : instruction.hasNoUnsignedWrap();
}

/// A distance in bytes as a multiple of 2^shift, without a division.
class Multiple {
  public:
    Multiple(llvm::IRBuilder<>& ir, unsigned shift) : ir_(ir), shift_(shift) {}

    bool can(Value* bytes, Wrap wrap = Wrap::may, unsigned depth = 0) const {
        if (const auto* number = llvm::dyn_cast<llvm::ConstantInt>(bytes))
            return number->getValue().countr_zero() >= shift_ || number->isZero();
        auto* instruction = llvm::dyn_cast<llvm::Instruction>(bytes);
        if (!instruction || depth > 8) return false;
        const auto operand = [&](unsigned i) { return instruction->getOperand(i); };
        switch (instruction->getOpcode()) {
        case llvm::Instruction::Shl: {
            const auto* by = llvm::dyn_cast<llvm::ConstantInt>(operand(1));
            return by && by->getZExtValue() >= shift_ && keeps(*instruction, wrap);
        }
        case llvm::Instruction::Mul:
            return llvm::isa<llvm::ConstantInt>(operand(1)) && can(operand(1)) && keeps(*instruction, wrap);
        case llvm::Instruction::Or:
            if (!llvm::cast<llvm::PossiblyDisjointInst>(instruction)->isDisjoint()) return false;
            [[fallthrough]];
        case llvm::Instruction::Add:
        case llvm::Instruction::Sub:
            return keeps(*instruction, wrap) && can(operand(0), wrap, depth + 1) && can(operand(1), wrap, depth + 1);
        case llvm::Instruction::SExt:
            return wrap != Wrap::not_unsigned && can(operand(0), Wrap::not_signed, depth + 1);
        case llvm::Instruction::ZExt:
            return can(operand(0), Wrap::not_unsigned, depth + 1);
        default:
            return false;
        }
    }

    /// Only of what `can` be had. `is_signed`: how constants of a narrower type are widened later.
    Value* of(Value* bytes, bool is_signed = true) {
        if (const auto* number = llvm::dyn_cast<llvm::ConstantInt>(bytes)) {
            const llvm::APInt& value = number->getValue();
            return llvm::ConstantInt::get(bytes->getType(), is_signed ? value.ashr(shift_) : value.lshr(shift_));
        }
        auto& instruction = *llvm::cast<llvm::Instruction>(bytes);
        Value* first = instruction.getOperand(0);
        switch (instruction.getOpcode()) {
        case llvm::Instruction::Shl: {
            ir_.SetInsertPoint(&instruction);
            const uint64_t by = llvm::cast<llvm::ConstantInt>(instruction.getOperand(1))->getZExtValue() - shift_;
            return by ? ir_.CreateShl(first, by, "", instruction.hasNoUnsignedWrap(), instruction.hasNoSignedWrap())
                      : first;
        }
        case llvm::Instruction::Mul: {
            ir_.SetInsertPoint(&instruction);
            return ir_.CreateMul(first, of(instruction.getOperand(1), is_signed));
        }
        case llvm::Instruction::SExt:
        case llvm::Instruction::ZExt: {
            const bool sign = instruction.getOpcode() == llvm::Instruction::SExt;
            Value* narrow = of(first, sign);
            ir_.SetInsertPoint(&instruction);
            return sign ? ir_.CreateSExt(narrow, instruction.getType()) : ir_.CreateZExt(narrow, instruction.getType());
        }
        default:
            break;
        }
        Value *a = of(first, is_signed), *b = of(instruction.getOperand(1), is_signed);
        ir_.SetInsertPoint(&instruction);
        return ir_.CreateBinOp(llvm::cast<llvm::BinaryOperator>(instruction).getOpcode(), a, b);
    }

  private:
    llvm::IRBuilder<>& ir_;
    const unsigned shift_;
};

bool counts_bytes(const llvm::Instruction& instruction) {
    const auto* step = llvm::dyn_cast<llvm::GetElementPtrInst>(&instruction);
    return step && step->getSourceElementType()->isIntegerTy(8) && step->getNumIndices() == 1;
}

llvm::Type* accessed_by(llvm::Use& use) {
    auto& user = *llvm::cast<llvm::Instruction>(use.getUser());
    if (use.get() != pointer_operand(user)) return nullptr;
    if (auto* store = llvm::dyn_cast<llvm::StoreInst>(&user)) return store->getValueOperand()->getType();
    if (auto* exchange = llvm::dyn_cast<llvm::AtomicCmpXchgInst>(&user)) return exchange->getNewValOperand()->getType();
    return user.getType();
}

/// Of what is at a pointer, as the accesses through it have it, or through what is made of it; null if they are none.
llvm::Type* type_at(Value& pointer, llvm::SmallPtrSetImpl<Value*>& seen) {
    if (!seen.insert(&pointer).second) return nullptr;
    for (llvm::Use& use : pointer.uses())
        if (llvm::Type* type = accessed_by(use)) return type;
    for (llvm::Use& use : pointer.uses()) {
        auto& user = *llvm::cast<llvm::Instruction>(use.getUser());
        if (!counts_bytes(user) && !llvm::isa<llvm::PHINode, llvm::SelectInst>(user)) continue;
        if (llvm::Type* type = type_at(user, seen)) return type;
    }
    return nullptr;
}

} // namespace

void count_in_elements(llvm::Function& function) {
    llvm::SmallVector<llvm::GetElementPtrInst*, 32> steps;
    for (llvm::Instruction& instruction : llvm::instructions(function))
        if (counts_bytes(instruction)) steps.push_back(llvm::cast<llvm::GetElementPtrInst>(&instruction));
    llvm::SmallVector<std::pair<llvm::GetElementPtrInst*, llvm::Type*>, 32> typed;
    for (llvm::GetElementPtrInst* step : steps) {
        llvm::SmallPtrSet<Value*, 8> seen;
        if (llvm::Type* type = type_at(*step, seen)) typed.push_back({step, type});
    }
    const llvm::DataLayout& layout = function.getDataLayout();
    llvm::IRBuilder<> ir(function.getContext());
    for (const auto& [step, type] : typed) {
        const uint64_t bytes = layout.getTypeAllocSize(type);
        if (bytes == 1 || !llvm::isPowerOf2_64(bytes) || bytes != layout.getTypeStoreSize(type)) continue;
        Multiple multiple(ir, llvm::Log2_64(bytes));
        Value* distance = step->getOperand(1);
        if (!multiple.can(distance)) continue;
        Value* elements = multiple.of(distance);
        ir.SetInsertPoint(step);
        step->replaceAllUsesWith(ir.CreateGEP(type, step->getPointerOperand(), elements));
        llvm::RecursivelyDeleteTriviallyDeadInstructions(step);
    }
}

} // namespace ptx::code

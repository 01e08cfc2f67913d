#include "llvm_to_code/mask_words.h"

#include <llvm/ADT/DenseMap.h>
#include <llvm/Analysis/VectorUtils.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Transforms/Utils/Local.h>

namespace ptx::code {
namespace {

using llvm::Value;

/// Of so many lanes a mask is in one register anyway.
constexpr unsigned lanes_of_register = 8;

/// Some lanes of a mask.
bool is_piece(const llvm::User& user, const Value* mask) {
    const auto* shuffle = llvm::dyn_cast<llvm::ShuffleVectorInst>(&user);
    return shuffle && shuffle->getOperand(0) == mask && llvm::isa<llvm::UndefValue>(shuffle->getOperand(1)) &&
           shuffle->getType()->getElementCount().getFixedValue() <= lanes_of_register;
}

class Words {
  public:
    /// Null: the mask is nothing put together, or short.
    Value* of(Value* mask) {
        const auto* type = llvm::dyn_cast<llvm::FixedVectorType>(mask->getType());
        const bool is_long =
            type && type->getElementType()->isIntegerTy(1) && type->getNumElements() > lanes_of_register;
        return is_long && is_joined(mask) ? make(mask) : nullptr;
    }

  private:
    /// Masks are asked about as bits, too.
    static bool are_words_wanted(const Value* mask) {
        return llvm::all_of(mask->users(), [&](const llvm::User* user) {
            if (const auto* select = llvm::dyn_cast<llvm::SelectInst>(user))
                return select->getCondition() == mask && select->getType()->getScalarSizeInBits() == 32;
            if (llvm::isa<llvm::SExtInst>(user)) return user->getType()->getScalarSizeInBits() == 32;
            return is_piece(*user, mask) || is_joined(user);
        });
    }

    static bool is_joined(const Value* mask) {
        const auto* operation = llvm::dyn_cast<llvm::BinaryOperator>(mask);
        return operation && operation->isBitwiseLogicOp() && are_words_wanted(mask);
    }

    Value* make(Value* mask) {
        if (Value* known = known_.lookup(mask)) return known;
        auto* instruction = llvm::dyn_cast<llvm::Instruction>(mask);
        llvm::IRBuilder<> ir(mask->getContext());
        if (instruction) ir.SetInsertPoint(*instruction->getInsertionPointAfterDef());
        llvm::Type* type = llvm::FixedVectorType::get(
            ir.getInt32Ty(), llvm::cast<llvm::FixedVectorType>(mask->getType())->getNumElements());
        Value* words = nullptr;
        if (is_joined(mask)) {
            Value *left = make(instruction->getOperand(0)), *right = make(instruction->getOperand(1));
            words = ir.CreateBinOp(llvm::cast<llvm::BinaryOperator>(mask)->getOpcode(), left, right);
        } else if (auto* one = instruction ? llvm::getSplatValue(mask) : nullptr) {
            words = ir.CreateVectorSplat(llvm::cast<llvm::FixedVectorType>(type)->getElementCount(),
                                         ir.CreateSExt(const_cast<Value*>(one), ir.getInt32Ty()));
        } else {
            if (auto* argument = llvm::dyn_cast<llvm::Argument>(mask))
                ir.SetInsertPoint(&*argument->getParent()->getEntryBlock().getFirstInsertionPt());
            words = ir.CreateSExt(mask, type);
        }
        return known_[mask] = words;
    }

    llvm::DenseMap<Value*, Value*> known_;
};

} // namespace

void put_masks_together_as_words(llvm::Module& module, llvm::TargetMachine& machine) {
    if (machine.getMCSubtargetInfo()->checkFeatures("+avx512f,+avx512bw,+avx512dq,+avx512vl")) return;
    for (llvm::Function& function : module) {
        Words words;
        llvm::SmallVector<llvm::Instruction*, 16> users;
        for (llvm::Instruction& instruction : llvm::instructions(function))
            if (llvm::isa<llvm::SelectInst, llvm::SExtInst, llvm::ShuffleVectorInst>(instruction))
                users.push_back(&instruction);
        for (llvm::Instruction* user : users) {
            llvm::Use& mask = user->getOperandUse(0);
            Value* made = words.of(mask.get());
            if (!made) continue;
            llvm::IRBuilder<> ir(user);
            const auto as_mask = [&](Value* some) {
                return ir.CreateICmpSLT(some, llvm::Constant::getNullValue(some->getType()));
            };
            if (llvm::isa<llvm::SelectInst>(user)) {
                mask.set(as_mask(made));
                continue;
            }
            if (auto* shuffle = llvm::dyn_cast<llvm::ShuffleVectorInst>(user))
                made = as_mask(ir.CreateShuffleVector(made, shuffle->getShuffleMask()));
            user->replaceAllUsesWith(made);
            user->eraseFromParent();
        }
        for (llvm::Instruction& instruction : llvm::make_early_inc_range(llvm::instructions(function)))
            if (llvm::isInstructionTriviallyDead(&instruction)) instruction.eraseFromParent();
    }
}

} // namespace ptx::code

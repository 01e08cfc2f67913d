#include "llvm_to_code/machine.h"
#include "llvm_to_code/spirv_legalize.h"

#include <llvm/ADT/DenseMap.h>
#include <llvm/ADT/PostOrderIterator.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

namespace ptx::code {
namespace {

using llvm::Value;

bool is_bfloat(const Value* value) { return value->getType()->getScalarType()->isBFloatTy(); }

/// Each bfloat as the 16-bit integer with its bits.
class Remover {
  public:
    explicit Remover(llvm::Function& function) : function_(function), ir_(function.getContext()) {}

    void run() {
        const llvm::ReversePostOrderTraversal<llvm::Function*> order(&function_);
        llvm::SmallVector<llvm::Instruction*, 32> instructions;
        for (llvm::BasicBlock* block : order)
            for (llvm::Instruction& instruction : *block)
                if (is_bfloat(&instruction) ||
                    llvm::any_of(instruction.operands(), [](Value* v) { return is_bfloat(v); }))
                    instructions.push_back(&instruction);
        for (llvm::Instruction* instruction : instructions) {
            ir_.SetInsertPoint(instruction);
            if (is_bfloat(instruction)) {
                Value* made = bits_made_by(*instruction);
                bits_[instruction] = made;
            } else if (auto* store = llvm::dyn_cast<llvm::StoreInst>(instruction)) {
                ir_.CreateAlignedStore(bits_of(store->getValueOperand()), store->getPointerOperand(), store->getAlign(),
                                       store->isVolatile());
            } else {
                instruction->replaceAllUsesWith(made_of(*instruction));
            }
        }
        for (llvm::PHINode* phi : phis_)
            for (unsigned i = 0; i < phi->getNumIncomingValues(); ++i)
                llvm::cast<llvm::PHINode>(bits_[phi])
                    ->addIncoming(bits_of(phi->getIncomingValue(i)), phi->getIncomingBlock(i));
        for (llvm::Instruction* instruction : llvm::reverse(instructions)) {
            if (!instruction->getType()->isVoidTy())
                instruction->replaceAllUsesWith(llvm::PoisonValue::get(instruction->getType()));
            instruction->eraseFromParent();
        }
    }

  private:
    llvm::Type* like(const Value* value, llvm::Type* scalar) { return value->getType()->getWithNewType(scalar); }

    Value* bits_of(Value* value) {
        if (const auto found = bits_.find(value); found != bits_.end()) return found->second;
        return ir_.CreateBitCast(value, like(value, ir_.getInt16Ty())); // a constant, folded
    }

    Value* wide(Value* value) {
        llvm::Type* word = like(value, ir_.getInt32Ty());
        Value* bits = ir_.CreateShl(ir_.CreateZExt(bits_of(value), word), llvm::ConstantInt::get(word, 16));
        return ir_.CreateBitCast(bits, like(value, ir_.getFloatTy()));
    }

    [[noreturn]] void refuse(const Value& value) {
        std::string text;
        llvm::raw_string_ostream stream(text);
        value.print(stream);
        fail("the spirv target has no form of '" + text + "'");
    }

    Value* bits_made_by(llvm::Instruction& instruction) {
        llvm::Type* type = like(&instruction, ir_.getInt16Ty());
        if (llvm::isa<llvm::BitCastInst>(instruction)) return ir_.CreateBitCast(instruction.getOperand(0), type);
        if (instruction.getOpcode() == llvm::Instruction::FNeg)
            return ir_.CreateXor(bits_of(instruction.getOperand(0)), llvm::ConstantInt::get(type, 0x8000));
        if (auto* select = llvm::dyn_cast<llvm::SelectInst>(&instruction))
            return ir_.CreateSelect(select->getCondition(), bits_of(select->getTrueValue()),
                                    bits_of(select->getFalseValue()));
        if (auto* load = llvm::dyn_cast<llvm::LoadInst>(&instruction))
            return ir_.CreateAlignedLoad(type, load->getPointerOperand(), load->getAlign(), load->isVolatile());
        if (llvm::isa<llvm::FreezeInst>(instruction)) return ir_.CreateFreeze(bits_of(instruction.getOperand(0)));
        if (auto* phi = llvm::dyn_cast<llvm::PHINode>(&instruction)) {
            phis_.push_back(phi);
            return ir_.CreatePHI(type, phi->getNumIncomingValues());
        }
        if (llvm::isa<llvm::InsertElementInst>(instruction)) {
            Value* from = instruction.getOperand(0);
            Value* vector = llvm::isa<llvm::UndefValue>(from) ? llvm::PoisonValue::get(type) : bits_of(from);
            return ir_.CreateInsertElement(vector, bits_of(instruction.getOperand(1)), instruction.getOperand(2));
        }
        if (llvm::isa<llvm::ExtractElementInst>(instruction))
            return ir_.CreateExtractElement(bits_of(instruction.getOperand(0)), instruction.getOperand(1));
        if (auto* shuffle = llvm::dyn_cast<llvm::ShuffleVectorInst>(&instruction))
            return ir_.CreateShuffleVector(bits_of(shuffle->getOperand(0)), bits_of(shuffle->getOperand(1)),
                                           shuffle->getShuffleMask());
        if (auto* call = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction)) {
            Value* sign = llvm::ConstantInt::get(type, 0x8000);
            Value* size = llvm::ConstantInt::get(type, 0x7fff);
            if (call->getIntrinsicID() == llvm::Intrinsic::fabs)
                return ir_.CreateAnd(bits_of(call->getArgOperand(0)), size);
            if (call->getIntrinsicID() == llvm::Intrinsic::copysign)
                return ir_.CreateOr(ir_.CreateAnd(bits_of(call->getArgOperand(0)), size),
                                    ir_.CreateAnd(bits_of(call->getArgOperand(1)), sign));
        }
        refuse(instruction);
    }

    /// Of an instruction that only reads bfloats.
    Value* made_of(llvm::Instruction& instruction) {
        Value* first = instruction.getOperand(0);
        if (llvm::isa<llvm::BitCastInst>(instruction)) return ir_.CreateBitCast(bits_of(first), instruction.getType());
        if (llvm::isa<llvm::FPExtInst>(instruction)) return ir_.CreateFPCast(wide(first), instruction.getType());
        if (auto* compare = llvm::dyn_cast<llvm::FCmpInst>(&instruction))
            return ir_.CreateFCmp(compare->getPredicate(), wide(first), wide(compare->getOperand(1)));
        if (auto* cast = llvm::dyn_cast<llvm::CastInst>(&instruction))
            return ir_.CreateCast(cast->getOpcode(), wide(first), instruction.getType());
        if (auto* call = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction))
            if (call->getIntrinsicID() == llvm::Intrinsic::fptosi_sat ||
                call->getIntrinsicID() == llvm::Intrinsic::fptoui_sat) {
                Value* number = wide(first);
                return ir_.CreateIntrinsic(call->getIntrinsicID(), {instruction.getType(), number->getType()},
                                           {number});
            }
        refuse(instruction);
    }

    llvm::Function& function_;
    llvm::IRBuilder<> ir_;
    llvm::DenseMap<Value*, Value*> bits_;
    llvm::SmallVector<llvm::PHINode*, 8> phis_;
};

} // namespace

void remove_bfloat(llvm::Function& function) { Remover(function).run(); }

} // namespace ptx::code

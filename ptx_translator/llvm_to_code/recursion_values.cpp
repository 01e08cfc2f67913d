#include "llvm_to_code/recursion_values.h"

#include "llvm_to_code/machine.h"
#include "llvm_to_code/neutral.h"

#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/ValueHandle.h>
#include <llvm/Transforms/Utils/Local.h>

namespace ptx::code {
namespace {

/// `user` takes the address `pointer`, of local space, for `use`; what it makes of that are such addresses, too.
void use_pointer(llvm::Use& use, llvm::Value* pointer) {
    auto* user = llvm::cast<llvm::Instruction>(use.getUser());
    llvm::IRBuilder<> ir(user);
    llvm::Value* made = nullptr;
    if (auto* marker = llvm::dyn_cast<llvm::LifetimeIntrinsic>(user)) {
        marker->eraseFromParent();
        return;
    }
    if (llvm::isa<llvm::PtrToIntInst>(user)) {
        made = ir.CreatePtrToInt(pointer, user->getType());
    } else if (llvm::isa<llvm::AddrSpaceCastInst>(user) && user->getType() == pointer->getType()) {
        made = pointer;
    } else if (auto* part = llvm::dyn_cast<llvm::GetElementPtrInst>(user)) {
        llvm::SmallVector<llvm::Value*, 4> indices(part->indices());
        made = ir.CreateGEP(part->getSourceElementType(), pointer, indices);
    } else if (llvm::getLoadStorePointerOperand(user) == use.get() && use.getOperandNo() == user->getNumOperands() - 1) {
        use.set(pointer);
        return;
    } else {
        fail("a variable of a recursive function is used by '" + std::string(user->getOpcodeName()) + "'");
    }
    if (user->getType() == made->getType()) {
        user->replaceAllUsesWith(made);
    } else {
        for (llvm::Use& next : llvm::make_early_inc_range(user->uses())) use_pointer(next, made);
    }
    user->eraseFromParent();
}

/// Gives the same wherever its operands are known.
bool is_pointer_made(const llvm::Instruction& instruction) {
    return instruction.getType()->isPointerTy() &&
           (llvm::isa<llvm::CastInst, llvm::GetElementPtrInst>(instruction) ||
            cuttle_name(instruction) == "kernel.parameters");
}

} // namespace

void replace_variable(llvm::AllocaInst& variable, llvm::function_ref<llvm::Value*(llvm::IRBuilder<>&)> place) {
    for (llvm::Use& use : llvm::make_early_inc_range(variable.uses())) {
        auto* user = llvm::cast<llvm::Instruction>(use.getUser());
        if (llvm::isa<llvm::PHINode>(user)) fail("a variable of a recursive function is used by 'phi'");
        llvm::IRBuilder<> ir(user);
        use_pointer(use, llvm::isa<llvm::LifetimeIntrinsic>(user) ? nullptr : place(ir));
    }
    variable.eraseFromParent();
}

void localize_pointers(llvm::Function& function) {
    llvm::SmallVector<llvm::WeakTrackingVH, 32> pointers;
    for (llvm::Instruction& instruction : llvm::instructions(function)) {
        if (is_pointer_made(instruction)) pointers.push_back(&instruction);
        auto* part = llvm::dyn_cast<llvm::ExtractValueInst>(&instruction);
        auto* pair = part ? llvm::dyn_cast<llvm::Instruction>(part->getAggregateOperand()) : nullptr;
        if (pair && pair->getParent() != part->getParent() && pair->getInsertionPointAfterDef())
            part->moveBefore(*pair->getInsertionPointAfterDef());
    }
    // A copy brings others with it: those that it is made of.
    while (!pointers.empty()) {
        auto* pointer = llvm::cast_or_null<llvm::Instruction>(pointers.pop_back_val());
        if (!pointer) continue;
        for (llvm::Use& use : llvm::make_early_inc_range(pointer->uses())) {
            auto* user = llvm::cast<llvm::Instruction>(use.getUser());
            if (user->getParent() == pointer->getParent()) continue;
            if (llvm::isa<llvm::PHINode>(user)) fail("a pointer in a phi of a recursive function");
            llvm::Instruction* copy = pointer->clone();
            copy->insertBefore(user->getIterator());
            use.set(copy);
            for (llvm::Use& operand : copy->operands())
                if (auto* from = llvm::dyn_cast<llvm::Instruction>(operand.get()); from && is_pointer_made(*from))
                    pointers.push_back(from);
        }
        llvm::RecursivelyDeleteTriviallyDeadInstructions(pointer);
    }
}

llvm::SmallVector<llvm::AllocaInst*, 64> to_memory(llvm::Function& function, llvm::BasicBlock& entry) {
    llvm::SmallVector<llvm::AllocaInst*, 64> memory;
    const auto place = entry.getTerminator()->getIterator();
    const auto add = [&](llvm::AllocaInst* value) {
        if (value) memory.push_back(value);
    };
    llvm::SmallVector<llvm::PHINode*, 16> phis;
    for (llvm::BasicBlock& block : function)
        for (llvm::PHINode& phi : block.phis()) phis.push_back(&phi);
    for (llvm::PHINode* phi : phis) add(llvm::DemotePHIToStack(phi, place));
    llvm::SmallVector<llvm::Instruction*, 32> values;
    for (llvm::BasicBlock& block : function)
        for (llvm::Instruction& instruction : block)
            if (&block != &entry && instruction.isUsedOutsideOfBlock(&block)) values.push_back(&instruction);
    for (llvm::Instruction* value : values) add(llvm::DemoteRegToStack(*value, false, place));
    return memory;
}

llvm::Type* type_in_memory(llvm::Type* type) {
    return type->isIntegerTy(1) ? llvm::Type::getInt8Ty(type->getContext()) : type;
}

void keep(llvm::IRBuilder<>& ir, llvm::AllocaInst& value, llvm::Value* place) {
    llvm::Type* type = value.getAllocatedType();
    llvm::Value* number = ir.CreateLoad(type, &value);
    if (type != type_in_memory(type)) number = ir.CreateZExt(number, type_in_memory(type));
    ir.CreateStore(number, place);
}

void take_back(llvm::IRBuilder<>& ir, llvm::AllocaInst& value, llvm::Value* place) {
    llvm::Type* type = value.getAllocatedType();
    llvm::Value* number = ir.CreateLoad(type_in_memory(type), place);
    if (type != number->getType()) number = ir.CreateTrunc(number, type);
    ir.CreateStore(number, &value);
}

llvm::Value* lanes_of(llvm::CallInst& meeting) {
    constexpr llvm::StringLiteral with_mask[] = {"warp.sync", "shuffle", "vote", "match.any", "match.all", "reduce"};
    if (llvm::is_contained(with_mask, cuttle_name(meeting))) return meeting.getArgOperand(meeting.arg_size() - 1);
    return llvm::ConstantInt::getSigned(llvm::Type::getInt32Ty(meeting.getContext()), -1);
}

} // namespace ptx::code

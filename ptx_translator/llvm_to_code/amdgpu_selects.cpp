#include "llvm_to_code/amdgpu_selects.h"

#include <llvm/IR/Constants.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

namespace ptx::code {
namespace {

bool is_used_as_scalar(const llvm::SelectInst& select) {
    return llvm::any_of(select.users(), [](const llvm::User* user) {
        return llvm::isa<llvm::BitCastInst>(user) && !user->getType()->isVectorTy();
    });
}

bool is_affected(const llvm::SelectInst& select) {
    return select.getCondition()->getType()->isVectorTy() && llvm::isa<llvm::Constant>(select.getTrueValue()) &&
           llvm::isa<llvm::Constant>(select.getFalseValue()) && is_used_as_scalar(select);
}

void expand(llvm::SelectInst& select) {
    llvm::IRBuilder<> ir(&select);
    auto* type = llvm::VectorType::getInteger(llvm::cast<llvm::VectorType>(select.getType()));
    llvm::Value* yes = ir.CreateBitCast(select.getTrueValue(), type);
    llvm::Value* no = ir.CreateBitCast(select.getFalseValue(), type);
    llvm::Value* mask = ir.CreateSExt(select.getCondition(), type);
    llvm::Value* chosen = ir.CreateXor(ir.CreateAnd(mask, ir.CreateXor(yes, no)), no);
    select.replaceAllUsesWith(ir.CreateBitCast(chosen, select.getType()));
    select.eraseFromParent();
}

} // namespace

void expand_selected_vectors(llvm::Module& module) {
    llvm::SmallVector<llvm::SelectInst*, 8> affected;
    for (llvm::Function& function : module)
        for (llvm::Instruction& instruction : llvm::instructions(function))
            if (auto* select = llvm::dyn_cast<llvm::SelectInst>(&instruction); select && is_affected(*select))
                affected.push_back(select);
    for (llvm::SelectInst* select : affected) expand(*select);
}

} // namespace ptx::code

#include "llvm_to_code/neutral.h"

#include <llvm/ADT/SetVector.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/Transforms/Utils/Cloning.h>
#include <llvm/Transforms/Utils/Local.h>

namespace ptx::code {

bool is_kernel(const llvm::Function& function) { return function.hasFnAttribute(kernel_attribute); }

llvm::StringRef cuttle_name(const llvm::Instruction& instruction) {
    const auto* call = llvm::dyn_cast<llvm::CallInst>(&instruction);
    if (!call) return {};
    const auto* callee = llvm::dyn_cast<llvm::Function>(call->getCalledOperand());
    if (!callee || !callee->isDeclaration()) return {};
    llvm::StringRef name = callee->getName();
    return name.consume_front("cuttle.") ? name : llvm::StringRef();
}

llvm::SmallVector<llvm::CallInst*, 32> cuttle_calls(llvm::Function& function) {
    llvm::SmallVector<llvm::CallInst*, 32> calls;
    for (llvm::Instruction& instruction : llvm::instructions(function))
        if (!cuttle_name(instruction).empty()) calls.push_back(llvm::cast<llvm::CallInst>(&instruction));
    return calls;
}

unsigned static_shared_bytes(const llvm::Function& kernel) {
    const llvm::MDNode* node = kernel.getMetadata("cuttle.shared.static");
    if (!node || node->getNumOperands() == 0) return 0;
    const auto* bytes = llvm::mdconst::dyn_extract<llvm::ConstantInt>(node->getOperand(0));
    return bytes ? static_cast<unsigned>(bytes->getZExtValue()) : 0;
}

namespace {

/// The place before which a value used by operand `index` must stand.
llvm::Instruction* place_of(llvm::Instruction& user, unsigned index) {
    auto* phi = llvm::dyn_cast<llvm::PHINode>(&user);
    return phi ? phi->getIncomingBlock(index)->getTerminator() : &user;
}

void expand_operands(llvm::Instruction& user) {
    // Two entries of a phi from one block must stay one value.
    llvm::SmallDenseMap<std::pair<llvm::Value*, llvm::Instruction*>, llvm::Instruction*, 4> made;
    for (unsigned i = 0; i < user.getNumOperands(); ++i) {
        auto* expression = llvm::dyn_cast<llvm::ConstantExpr>(user.getOperand(i));
        if (!expression) continue;
        llvm::Instruction* place = place_of(user, i);
        llvm::Instruction*& instruction = made[{expression, place}];
        if (!instruction) {
            instruction = expression->getAsInstruction();
            instruction->insertBefore(place->getIterator());
            expand_operands(*instruction);
        }
        user.setOperand(i, instruction);
    }
}

bool calls_exit(llvm::Function& function) {
    for (llvm::Instruction& instruction : llvm::instructions(function))
        if (cuttle_name(instruction) == "exit") return true;
    return false;
}

bool calls_itself(llvm::Function& function) {
    for (llvm::Instruction& instruction : llvm::instructions(function)) {
        auto* call = llvm::dyn_cast<llvm::CallBase>(&instruction);
        if (!call || !call->getCalledFunction() || call->getCalledFunction()->isDeclaration()) continue;
        for (llvm::Function* reached : reachable_from(*call->getCalledFunction()))
            if (reached == &function) return true;
    }
    return false;
}

} // namespace

bool inline_into_callers(llvm::Function& callee) {
    if (calls_itself(callee)) return false;
    llvm::SmallVector<llvm::CallBase*, 8> calls;
    for (llvm::User* user : callee.users())
        if (auto* call = llvm::dyn_cast<llvm::CallBase>(user); call && call->getCalledOperand() == &callee)
            calls.push_back(call);
    bool changed = false;
    for (llvm::CallBase* call : calls) {
        llvm::InlineFunctionInfo info;
        changed |= llvm::InlineFunction(*call, info).isSuccess();
    }
    return changed;
}

void expand_constant_expressions(llvm::Module& module) {
    for (llvm::Function& function : module)
        for (llvm::Instruction& instruction : llvm::make_early_inc_range(llvm::instructions(function)))
            expand_operands(instruction);
}

void inline_exits(llvm::Module& module) {
    for (bool changed = true; changed;) {
        changed = false;
        for (llvm::Function& function : module) {
            if (function.isDeclaration() || is_kernel(function) || !calls_exit(function)) continue;
            changed |= inline_into_callers(function);
        }
    }
}

void return_instead_of_exit(llvm::Function& kernel) {
    for (llvm::CallInst* call : cuttle_calls(kernel)) {
        if (cuttle_name(*call) != "exit") continue;
        llvm::BasicBlock* block = call->getParent();
        llvm::changeToUnreachable(call);
        llvm::ReturnInst::Create(kernel.getContext(), block);
        block->getTerminator()->getPrevNode()->eraseFromParent();
    }
}

llvm::Function* with_parameters(llvm::Function& kernel, llvm::ArrayRef<llvm::Type*> parameters) {
    auto* type = llvm::FunctionType::get(kernel.getReturnType(), parameters, false);
    auto* made = llvm::Function::Create(type, kernel.getLinkage(), kernel.getAddressSpace(), "", kernel.getParent());
    made->takeName(&kernel);
    made->copyAttributesFrom(&kernel);
    made->copyMetadata(&kernel, 0);
    made->splice(made->begin(), &kernel);
    kernel.replaceAllUsesWith(made);
    kernel.eraseFromParent();
    return made;
}

void rename_scopes(llvm::Module& module, const Scopes& scopes) {
    llvm::LLVMContext& context = module.getContext();
    llvm::SmallDenseMap<unsigned, llvm::SyncScope::ID, 4> renamed;
    renamed[context.getOrInsertSyncScopeID("block")] = context.getOrInsertSyncScopeID(scopes.block);
    renamed[context.getOrInsertSyncScopeID("cluster")] = context.getOrInsertSyncScopeID(scopes.cluster);
    renamed[context.getOrInsertSyncScopeID("device")] = context.getOrInsertSyncScopeID(scopes.device);
    for (llvm::Function& function : module) {
        for (llvm::Instruction& instruction : llvm::instructions(function)) {
            const auto scope = llvm::getAtomicSyncScopeID(&instruction);
            if (!scope) continue;
            if (auto found = renamed.find(*scope); found != renamed.end())
                llvm::setAtomicSyncScopeID(&instruction, found->second);
        }
    }
}

llvm::SmallVector<llvm::Function*, 8> addressable_functions(llvm::Module& module) {
    llvm::SmallVector<llvm::Function*, 8> found;
    for (llvm::Function& function : module)
        if (!function.isDeclaration() && (function.hasFnAttribute(addressable_attribute) || function.hasAddressTaken()))
            found.push_back(&function);
    return found;
}

llvm::SmallVector<llvm::Function*, 16> reachable_from(llvm::Function& root) {
    llvm::SmallSetVector<llvm::Function*, 16> found;
    found.insert(&root);
    for (size_t i = 0; i < found.size(); ++i) {
        for (llvm::Instruction& instruction : llvm::instructions(*found[i])) {
            auto* call = llvm::dyn_cast<llvm::CallBase>(&instruction);
            if (!call) continue;
            if (auto* callee = llvm::dyn_cast<llvm::Function>(call->getCalledOperand())) {
                if (!callee->isDeclaration()) found.insert(callee);
                continue;
            }
            if (call->isInlineAsm()) continue;
            for (llvm::Function* target : addressable_functions(*root.getParent())) found.insert(target);
        }
    }
    return llvm::SmallVector<llvm::Function*, 16>(found.begin(), found.end());
}

} // namespace ptx::code

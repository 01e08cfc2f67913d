#include "llvm_to_code/function_numbers.h"

#include "llvm_to_code/neutral.h"
#include "ptx/host_abi.h"

#include <llvm/ADT/MapVector.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/Transforms/Utils/BasicBlockUtils.h>

namespace ptx::code {
namespace {

/// Numbers look like addresses of functions do: not null, and aligned.
constexpr uint64_t step = 16;

uint64_t number_of(const llvm::Function& function) {
    uint64_t number = 0;
    function.getFnAttribute("cuttle.number").getValueAsString().getAsInteger(10, number);
    return number * step;
}

bool is_indirect(const llvm::CallInst& call) {
    return !call.isInlineAsm() && !llvm::isa<llvm::Function>(call.getCalledOperand());
}

using Candidates = llvm::MapVector<llvm::FunctionType*, llvm::SmallVector<llvm::Function*, 8>>;

/// call p(...) -> switch (p) { case number: call f(...); ... default: trap }
void choose(llvm::CallInst& call, llvm::ArrayRef<llvm::Function*> functions) {
    llvm::Function& function = *call.getFunction();
    llvm::Module& module = *function.getParent();
    llvm::LLVMContext& context = module.getContext();
    llvm::BasicBlock* before = call.getParent();
    llvm::BasicBlock* after = llvm::SplitBlock(before, &call);
    before->getTerminator()->eraseFromParent();

    auto* wrong = llvm::BasicBlock::Create(context, "no.function", &function, after);
    llvm::IRBuilder<> ir(wrong);
    llvm::CallInst* trap = ir.CreateCall(module.getOrInsertFunction("cuttle.trap", ir.getVoidTy(), ir.getInt32Ty()),
                                         {ir.getInt32(static_cast<uint32_t>(host::Trap::unreachable))});
    trap->setDoesNotReturn();
    ir.CreateUnreachable();

    ir.SetInsertPoint(before);
    llvm::SwitchInst* choice =
        ir.CreateSwitch(ir.CreatePtrToInt(call.getCalledOperand(), ir.getInt64Ty()), wrong, functions.size());
    llvm::PHINode* result = nullptr;
    if (functions.empty()) {
        call.replaceAllUsesWith(llvm::PoisonValue::get(call.getType())); // nothing reaches it
    } else if (!call.getType()->isVoidTy()) {
        ir.SetInsertPoint(after, after->begin());
        result = ir.CreatePHI(call.getType(), functions.size());
    }
    for (llvm::Function* callee : functions) {
        auto* block = llvm::BasicBlock::Create(context, "call." + callee->getName(), &function, after);
        choice->addCase(ir.getInt64(number_of(*callee)), block);
        auto* direct = llvm::cast<llvm::CallInst>(call.clone());
        direct->setCalledFunction(callee);
        direct->insertInto(block, block->end());
        llvm::BranchInst::Create(after, block);
        if (result) result->addIncoming(direct, block);
    }
    if (result) call.replaceAllUsesWith(result);
    call.eraseFromParent();
}

} // namespace

void call_by_number(llvm::Module& module) {
    llvm::SmallVector<llvm::CallInst*, 8> calls;
    Candidates candidates;
    for (llvm::Function& function : module) {
        if (function.isDeclaration()) continue;
        if (number_of(function)) candidates[function.getFunctionType()].push_back(&function);
        for (llvm::Instruction& instruction : llvm::instructions(function))
            if (auto* call = llvm::dyn_cast<llvm::CallInst>(&instruction); call && is_indirect(*call))
                calls.push_back(call);
    }
    for (llvm::CallInst* call : calls) choose(*call, candidates[call->getFunctionType()]);
    for (llvm::Function& function : module) {
        if (!number_of(function)) continue;
        auto* number = llvm::ConstantInt::get(llvm::Type::getInt64Ty(module.getContext()), number_of(function));
        llvm::Constant* address = llvm::ConstantExpr::getIntToPtr(number, function.getType());
        function.replaceUsesWithIf(address, [&](llvm::Use& use) {
            const auto* call = llvm::dyn_cast<llvm::CallBase>(use.getUser());
            return !call || !call->isCallee(&use);
        });
    }
}

std::vector<FunctionSymbol> function_numbers(llvm::Module& module) {
    std::vector<FunctionSymbol> symbols;
    for (const llvm::Function& function : module)
        if (function.hasFnAttribute(addressable_attribute))
            symbols.push_back({function.getName().str(), std::to_string(number_of(function))});
    return symbols;
}

} // namespace ptx::code

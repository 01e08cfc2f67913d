#include "llvm_to_code/amdgpu_matrix.h"

#include "llvm_to_code/gpu_calls.h"
#include "llvm_to_code/machine.h"
#include "llvm_to_code/neutral.h"

#include <llvm/IR/Module.h>

namespace ptx::code {
namespace {

constexpr const char* multiply_symbol = "cuttle_gpu_matrix_multiply";

/// In private memory, until the function that writes it is inlined.
llvm::Value* array_of_words(llvm::IRBuilder<>& ir, llvm::ArrayType* type, const char* name) {
    const llvm::DataLayout& layout = ir.GetInsertBlock()->getModule()->getDataLayout();
    llvm::Value* array = ir.CreateAlloca(type, layout.getAllocaAddrSpace(), nullptr, name);
    return ir.CreateAddrSpaceCast(array, ir.getPtrTy());
}

llvm::Function* make_function(llvm::CallInst& call, uint64_t form, const std::string& name) {
    llvm::Module& module = *call.getModule();
    llvm::LLVMContext& context = module.getContext();
    auto* results = llvm::cast<llvm::ArrayType>(call.getType());
    const unsigned sources = call.arg_size() - 1;
    llvm::SmallVector<llvm::Type*, 32> types(sources, llvm::Type::getInt32Ty(context));
    auto* type = llvm::FunctionType::get(results, types, false);
    auto* function = llvm::Function::Create(type, llvm::Function::InternalLinkage, name, module);
    function->setConvergent();
    function->setDoesNotThrow();
    llvm::IRBuilder<> ir(llvm::BasicBlock::Create(context, "", function));
    auto* words = llvm::ArrayType::get(ir.getInt32Ty(), sources);
    llvm::Value* mine = array_of_words(ir, words, "mine");
    llvm::Value* result = array_of_words(ir, results, "result");
    for (unsigned i = 0; i < sources; ++i)
        ir.CreateStore(function->getArg(i), ir.CreateConstInBoundsGEP2_32(words, mine, 0, i));
    llvm::FunctionCallee multiply = module.getOrInsertFunction(multiply_symbol, ir.getVoidTy(),
                                                               ir.getPtrTy(), ir.getPtrTy(), ir.getInt64Ty());
    ir.CreateCall(multiply, {mine, result, ir.getInt64(form)})->setConvergent();
    ir.CreateRet(ir.CreateLoad(results, result));
    return function;
}

} // namespace

llvm::Value* lower_amdgpu_matrix(GpuCall& site) {
    auto* form = llvm::dyn_cast<llvm::ConstantInt>(site.operand(0));
    if (!form) fail("cuttle." + cuttle_name(site.call).str() + ": the form must be a constant");
    const std::string name = "multiply." + std::to_string(form->getZExtValue());
    llvm::Function* function = site.call.getModule()->getFunction(name);
    if (!function) function = make_function(site.call, form->getZExtValue(), name);
    llvm::SmallVector<llvm::Value*, 32> arguments(llvm::drop_begin(site.call.args()));
    llvm::CallInst* call = site.ir.CreateCall(function, arguments);
    call->setConvergent();
    return call;
}

void specialize_matrices(llvm::Module& module) {
    llvm::Function* multiply = module.getFunction(multiply_symbol);
    if (!multiply || !inline_into_callers(*multiply) || !multiply->use_empty()) return;
    multiply->eraseFromParent();
    for (llvm::Function& function : llvm::make_early_inc_range(module))
        if (function.hasLocalLinkage() && function.use_empty()) function.eraseFromParent();
}

} // namespace ptx::code

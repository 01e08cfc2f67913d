#include "llvm_to_code/matrix_functions.h"

#include "llvm_to_code/neutral.h"

#include <llvm/IR/IRBuilder.h>
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

/// Where elements are in the same registers whatever the layouts: but for four multiplications side by side.
bool shares_layouts(const MatrixForm& form) { return form.family != MatrixFamily::quad_pair; }

} // namespace

llvm::Function* matrix_function(llvm::Module& module, MatrixForm form) {
    if (shares_layouts(form)) form.a_column_major = false, form.b_column_major = true;
    const std::string name = matrix_function_prefix + std::to_string(form.encode());
    if (llvm::Function* known = module.getFunction(name)) return known;
    llvm::LLVMContext& context = module.getContext();
    const unsigned sources = words_of(form).sources();
    auto* words = llvm::ArrayType::get(llvm::Type::getInt32Ty(context), sources);
    auto* results = llvm::ArrayType::get(llvm::Type::getInt32Ty(context), words_of(form).d);
    llvm::SmallVector<llvm::Type*, 32> types(sources, words->getElementType());
    auto* type = llvm::FunctionType::get(results, types, false);
    auto* function = llvm::Function::Create(type, llvm::Function::InternalLinkage, name, module);
    function->setConvergent();
    function->setDoesNotThrow();
    llvm::IRBuilder<> ir(llvm::BasicBlock::Create(context, "", function));
    llvm::Value* mine = array_of_words(ir, words, "mine");
    llvm::Value* result = array_of_words(ir, results, "result");
    for (unsigned i = 0; i < sources; ++i)
        ir.CreateStore(function->getArg(i), ir.CreateConstInBoundsGEP2_32(words, mine, 0, i));
    llvm::FunctionCallee multiply = module.getOrInsertFunction(multiply_symbol, ir.getVoidTy(), ir.getPtrTy(),
                                                               ir.getPtrTy(), ir.getInt64Ty());
    ir.CreateCall(multiply, {mine, result, ir.getInt64(form.encode())})->setConvergent();
    ir.CreateRet(ir.CreateLoad(results, result));
    return function;
}

void specialize_matrices(llvm::Module& module) {
    llvm::Function* multiply = module.getFunction(multiply_symbol);
    if (!multiply || !inline_into_callers(*multiply) || !multiply->use_empty()) return;
    multiply->eraseFromParent();
    for (llvm::Function& function : llvm::make_early_inc_range(module))
        if (function.hasLocalLinkage() && function.use_empty()) function.eraseFromParent();
}

} // namespace ptx::code

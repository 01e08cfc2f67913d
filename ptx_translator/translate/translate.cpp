#include "ptx/translate.h"

#include "ast_to_ast/prepare.h"
#include "ast_to_ast/print.h"
#include "ast_to_llvm/module_lowering.h"
#include "llvm_to_code/amdgpu.h"
#include "llvm_to_code/host.h"
#include "llvm_to_code/spirv.h"
#include "translate/diagnostics.h"

#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/raw_ostream.h>

namespace ptx {
namespace {

std::string dump_llvm(const llvm::Module& module) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    module.print(stream, nullptr);
    return text;
}

Image compile(ast_to_llvm::Lowered lowered, const Request& request) {
    auto* compile_for = &compile_host;
    if (request.target.arch == Arch::amdgcn) compile_for = &compile_amdgpu;
    if (request.target.arch == Arch::spirv) compile_for = &compile_spirv;
    return compile_for(std::move(lowered.module), std::move(lowered.kernels), request.target, request.options,
                       request.after_stage);
}

} // namespace

Image translate(const Request& request) {
    Image image{request.target, {}, {}, {}};
    Prepared prepared = prepare(request.sources, request.kernels, request.functions);
    if (request.after_stage && !request.after_stage("ast", print(*prepared.module))) return image;

    llvm::LLVMContext context;
    DiagnosticCollector diagnostics(context);
    context.setDiscardValueNames(!request.after_stage);
    auto module = std::make_unique<llvm::Module>("module", context);
    set_target(*module, request.target);
    ast_to_llvm::Lowered lowered =
        ast_to_llvm::lower(std::move(module), prepared, {request.kernels, request.functions}, request.options);
    std::vector<KernelInfo> failed = std::move(lowered.failed);
    if (!request.after_stage || request.after_stage("llvm", dump_llvm(*lowered.module))) {
        image = compile(std::move(lowered), request);
        diagnostics.check();
    }
    image.kernels.insert(image.kernels.end(), failed.begin(), failed.end());
    return image;
}

} // namespace ptx

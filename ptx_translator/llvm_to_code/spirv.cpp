#include "llvm_to_code/spirv.h"

#include "llvm_to_code/child_process.h"
#include "llvm_to_code/kernels.h"
#include "llvm_to_code/machine.h"
#include "llvm_to_code/neutral.h"
#include "llvm_to_code/pointers.h"
#include "llvm_to_code/spirv_calls.h"

#include <llvm/IR/Constants.h>
#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

namespace ptx {
namespace {

using namespace code;

/// Intel's compiler keeps a required sub-group size only for kernels without calls.
void inline_all(llvm::Module& module) {
    for (bool changed = true; changed;) {
        changed = false;
        for (llvm::Function& function : llvm::make_early_inc_range(module)) {
            if (function.isDeclaration() || is_kernel(function)) continue;
            if (function.use_empty()) {
                function.eraseFromParent();
                changed = true;
                continue;
            }
            changed |= inline_into_callers(function);
        }
    }
    for (llvm::Function& function : module)
        if (!function.isDeclaration() && !is_kernel(function))
            fail("the spirv target cannot do without calls of '" + function.getName().str() +
                 "', which is recursive or called by address");
}

llvm::Function* make_kernel(llvm::Function& neutral) {
    llvm::LLVMContext& context = neutral.getContext();
    llvm::Type* number = llvm::Type::getInt64Ty(context);
    llvm::Function* kernel = with_parameters(neutral, {number, number, llvm::PointerType::get(context, spirv_shared)});
    kernel->setCallingConv(llvm::CallingConv::SPIR_KERNEL);
    // LLVM would make memset and the like of loops, which the back end does not know.
    kernel->addFnAttr("no-builtins");
    auto* width = llvm::ConstantAsMetadata::get(llvm::ConstantInt::get(llvm::Type::getInt32Ty(context), 32));
    kernel->setMetadata("intel_reqd_sub_group_size", llvm::MDNode::get(context, {width}));
    return kernel;
}

void lower(llvm::Module& module, const std::vector<KernelInfo>& kernels) {
    for (const KernelInfo& info : kernels) {
        llvm::Function& kernel = *make_kernel(*module.getFunction(info.name));
        return_instead_of_exit(kernel);
        map_pointers(kernel, {.space = {spirv_generic, spirv_global, 2, spirv_shared, spirv_global, spirv_private},
                              .shared = [&]() -> llvm::Value* { return kernel.getArg(shared_argument); }});
        lower_spirv_calls(kernel);
    }
    rename_scopes(module, {"workgroup", "device", "device"});
}

/// LLVM 22's SPIR-V back end keeps tables of the last module in a global (llvm-project issue 160613): a second one in
/// the same process may reuse its ids. And it ends the process over what it does not know. So it gets a process.
std::string generate(llvm::Module& module, llvm::TargetMachine& machine, llvm::CodeGenFileType type) {
    return in_child_process("LLVM's SPIR-V code generator", [&] {
        const Diagnostics diagnostics(module.getContext());
        const llvm::SmallVector<char, 0> bytes = emit(module, machine, type);
        diagnostics.check();
        return std::string(bytes.begin(), bytes.end());
    });
}

} // namespace

Image compile_spirv(std::unique_ptr<llvm::Module> neutral, std::vector<KernelInfo> kernels, const Target& target,
                    const Options& options, const AfterStage& after_stage) {
    llvm::Module& module = *neutral;
    const Diagnostics diagnostics(module.getContext());
    const auto machine = make_machine(target, options);
    module.setTargetTriple(machine->getTargetTriple());
    module.setDataLayout(machine->createDataLayout());

    verify(module, "ast_to_llvm");
    select_kernels(module, kernels);
    simplify(module, *machine, options);
    inline_all(module);
    simplify(module, *machine, options);
    expand_constant_expressions(module);
    inspect_kernels(module, kernels);
    for (KernelInfo& kernel : kernels) {
        kernel.symbol = kernel.name;
        kernel.registers = 128; // of a thread of Intel's GPUs, whatever the kernel
    }
    lower(module, kernels);
    verify(module, "lowering for spirv");
    Image image{target, std::move(kernels), {}, {}};

    optimize(module, *machine, options);
    diagnostics.check();
    if (after_stage && !after_stage("optimized", text_of(module))) return image;
    if (after_stage && !after_stage("assembly", generate(module, *machine, llvm::CodeGenFileType::AssemblyFile)))
        return image;
    const std::string words = generate(module, *machine, llvm::CodeGenFileType::ObjectFile);
    image.code.assign(words.begin(), words.end());
    return image;
}

} // namespace ptx

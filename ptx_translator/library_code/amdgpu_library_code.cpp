// amdgpu_library_code BITCODE PROCESSOR OUTPUT: a part of the device library as assembly for one processor, by the code
// generator that kernels have, LLVM's faults mended. Run by the build.
#include "ast/position.h"
#include "llvm_to_code/amdgpu_comparisons.h"
#include "llvm_to_code/amdgpu_selects.h"
#include "llvm_to_code/machine.h"
#include "llvm_to_code/matrix_functions.h"
#include "library_code/matrix_forms.h"

#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/FileSystem.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Transforms/IPO/Internalize.h>

#include <string>

namespace {

using namespace ptx::code;

std::unique_ptr<llvm::Module> read(const char* path, llvm::LLVMContext& context) {
    auto buffer = llvm::MemoryBuffer::getFile(path);
    if (!buffer) fail(std::string(path) + ": " + buffer.getError().message());
    auto module = llvm::parseBitcodeFile(**buffer, context);
    if (!module) fail(std::string(path) + ": " + llvm::toString(module.takeError()));
    return std::move(*module);
}

void write(const char* path, llvm::StringRef text) {
    std::error_code error;
    llvm::raw_fd_ostream stream(path, error);
    stream << text;
    stream.close();
    if (error || stream.has_error()) fail(std::string(path) + ": cannot be written");
}

/// What is inlined comes as bitcode.
bool is_called(const llvm::GlobalValue& value) {
    const auto* function = llvm::dyn_cast<llvm::Function>(&value);
    return function && function->getName().starts_with("cuttle_") &&
           !function->hasFnAttribute(llvm::Attribute::AlwaysInline);
}

/// Of the part that multiplies matrices, which has code for all forms, to be inlined: the functions of some.
llvm::SmallVector<llvm::Function*, 64> add_matrix_functions(llvm::Module& module) {
    llvm::SmallVector<llvm::Function*, 64> functions;
    if (!module.getFunction("cuttle_gpu_matrix_multiply")) return functions;
    for (const ptx::MatrixForm& form : ptx::matrix_forms()) {
        functions.push_back(matrix_function(module, form));
        functions.back()->setLinkage(llvm::Function::ExternalLinkage);
        functions.back()->setVisibility(llvm::Function::HiddenVisibility);
    }
    return functions;
}

void optimize_matrix_functions(llvm::Module& module, llvm::TargetMachine& machine,
                               llvm::ArrayRef<llvm::Function*> functions) {
    if (functions.empty()) return;
    specialize_matrices(module);
    // Functions that will be inlined LLVM gives registers for their arrays, others memory.
    for (llvm::Function* function : functions) function->addFnAttr(llvm::Attribute::AlwaysInline);
    optimize(module, machine, {});
    for (llvm::Function* function : functions) function->removeFnAttr(llvm::Attribute::AlwaysInline);
}

void remove_unused_functions(llvm::Module& module) {
    for (bool changed = true; changed;) {
        changed = false;
        for (llvm::Function& function : llvm::make_early_inc_range(module)) {
            if (!function.hasLocalLinkage() || !function.use_empty()) continue;
            function.eraseFromParent();
            changed = true;
        }
    }
}

/// As functions are that become part of a kernel's own module.
void make_like_kernels(llvm::Module& module) {
    for (llvm::Function& function : module) {
        function.removeFnAttr("target-cpu");
        function.removeFnAttr("target-features");
        function.addFnAttr("amdgpu-ieee", "false");
    }
}

/// Kernels do not pass on what llvm_to_code/amdgpu_library_code.cpp says is never read.
void check_reads(const llvm::Module& module) {
    for (const char* name : {"llvm.amdgcn.dispatch.ptr", "llvm.amdgcn.queue.ptr", "llvm.amdgcn.dispatch.id",
                             "llvm.amdgcn.lds.kernel.id"})
        if (module.getFunction(name)) fail(std::string("the library reads ") + name);
}

void compile(const char* bitcode, const char* processor, const char* output) {
    llvm::LLVMContext context;
    const Diagnostics diagnostics(context);
    const auto module = read(bitcode, context);
    const auto machine = make_machine(ptx::Target::parse(std::string("amdgcn:") + processor), {});
    machine->Options.FunctionSections = true; // so that kernels get what they call
    const auto matrix_functions = add_matrix_functions(*module);
    make_like_kernels(*module);
    optimize_matrix_functions(*module, *machine, matrix_functions);
    llvm::internalizeModule(*module, is_called);
    remove_unused_functions(*module);
    check_reads(*module);
    expand_selected_vectors(*module);
    narrow_comparisons(*module);
    verify(*module, "reading");
    const llvm::SmallVector<char, 0> text = emit(*module, *machine, llvm::CodeGenFileType::AssemblyFile);
    diagnostics.check();
    write(output, {text.data(), text.size()});
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    try {
        compile(argv[1], argv[2], argv[3]);
    } catch (const ptx::Error& error) {
        llvm::errs() << error.what() << "\n";
        return 1;
    }
}

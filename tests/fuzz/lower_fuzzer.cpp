// libFuzzer on the whole way to neutral IR: whatever the bytes, each kernel becomes IR that LLVM's verifier accepts, or
// an Error says why not.
#include "ast/position.h"
#include "ast_to_ast/prepare.h"
#include "ast_to_llvm/module_lowering.h"
#include "llvm_to_code/compile.h"
#include "translate/process_setup.h"

#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string_view>

namespace {

/// An empty module for the host, made once: finding the processor takes longer than most inputs.
struct Host {
    llvm::LLVMContext context;
    llvm::Module module{"host", context};
    Host() {
        ptx::warm_up();
        ptx::set_target(module, ptx::Target{});
    }
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const Host host;
    const std::string_view sources[] = {{reinterpret_cast<const char*>(data), size}};
    try {
        const ptx::Prepared prepared = ptx::prepare(sources);
        llvm::LLVMContext context;
        context.setDiscardValueNames(true);
        auto module = std::make_unique<llvm::Module>("module", context);
        module->setTargetTriple(host.module.getTargetTriple());
        module->setDataLayout(host.module.getDataLayout());
        ptx::ast_to_llvm::lower(std::move(module), prepared, {}, {});
    } catch (const ptx::Error&) {
    } catch (const std::exception& error) { // "internal error": a defect
        std::fprintf(stderr, "%s\n", error.what());
        __builtin_trap();
    }
    return 0;
}

#include "translate/process_setup.h"

#include <llvm/Support/CommandLine.h>
#include <llvm/Support/ErrorHandling.h>
#include <llvm/Support/TargetSelect.h>

namespace ptx {
namespace {

void forward(void* handler, const char* reason, bool) { reinterpret_cast<FatalErrorHandler>(handler)(reason); }

// LLVM 22's peephole optimiser follows copies through phis by recursion, and for ever when the phis form a circle:
// `kernel_fuzz levels 100030 1` without this.
void keep_peephole_from_following_phis() {
    auto& options = llvm::cl::getRegisteredOptions();
    if (const auto found = options.find("rewrite-phi-limit"); found != options.end())
        found->second->addOccurrence(0, "rewrite-phi-limit", "0");
}

} // namespace

void warm_up() {
    static const bool once = (keep_peephole_from_following_phis(), true);
    (void)once;
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargets();
    llvm::InitializeAllTargetMCs();
    llvm::InitializeAllAsmPrinters();
    llvm::InitializeAllAsmParsers();
}

void set_fatal_error_handler(FatalErrorHandler handler) {
    llvm::remove_fatal_error_handler();
    llvm::remove_bad_alloc_error_handler();
    llvm::install_fatal_error_handler(forward, reinterpret_cast<void*>(handler));
    llvm::install_bad_alloc_error_handler(forward, reinterpret_cast<void*>(handler));
}

} // namespace ptx

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

// A thread's accesses to neighbouring places must keep their order among its others. LLVM's vectoriser gathers them at
// the place of the first load or the last store; in loops whose rounds are declared independent, as threads are, it
// does not ask whether others of the same round lie between and go to the same memory.
void keep_vectoriser_from_gathering_accesses() {
    constexpr const char* name = "enable-interleaved-mem-accesses";
    auto& options = llvm::cl::getRegisteredOptions();
    if (const auto found = options.find(name); found != options.end()) found->second->addOccurrence(0, name, "false");
}

} // namespace

void warm_up() {
    static const bool once = (keep_peephole_from_following_phis(), keep_vectoriser_from_gathering_accesses(), true);
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

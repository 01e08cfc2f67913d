#include "translate/process_setup.h"

#include <llvm/Support/ErrorHandling.h>
#include <llvm/Support/TargetSelect.h>

namespace ptx {
namespace {

void forward(void* handler, const char* reason, bool) { reinterpret_cast<FatalErrorHandler>(handler)(reason); }

} // namespace

void warm_up() {
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

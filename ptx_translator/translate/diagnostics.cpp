#include "translate/diagnostics.h"

#include "ast/position.h"

#include <llvm/IR/DiagnosticInfo.h>
#include <llvm/IR/DiagnosticPrinter.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/Support/raw_ostream.h>

namespace ptx {

DiagnosticCollector::DiagnosticCollector(llvm::LLVMContext& context) {
    context.setDiagnosticHandlerCallBack(collect, this);
}

void DiagnosticCollector::check() const {
    if (!errors_.empty()) throw Error({}, errors_);
}

void DiagnosticCollector::collect(const llvm::DiagnosticInfo* info, void* self) {
    if (info->getSeverity() != llvm::DS_Error) return;
    std::string& errors = static_cast<DiagnosticCollector*>(self)->errors_;
    if (!errors.empty()) errors += "; ";
    llvm::raw_string_ostream stream(errors);
    llvm::DiagnosticPrinterRawOStream printer(stream);
    info->print(printer);
}

} // namespace ptx

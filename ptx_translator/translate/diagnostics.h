#pragma once

#include <string>

namespace llvm {
class DiagnosticInfo;
class LLVMContext;
} // namespace llvm

namespace ptx {

/// Keeps the errors that LLVM's back ends report through the context, which would otherwise print them and exit.
class DiagnosticCollector {
  public:
    explicit DiagnosticCollector(llvm::LLVMContext&);
    DiagnosticCollector(const DiagnosticCollector&) = delete;
    DiagnosticCollector& operator=(const DiagnosticCollector&) = delete;
    /// Throws ptx::Error when there was one.
    void check() const;

  private:
    static void collect(const llvm::DiagnosticInfo*, void* self);

    std::string errors_;
};

} // namespace ptx

#pragma once

#include "ptx/image.h"

#include <llvm/ADT/SmallVector.h>
#include <llvm/Support/CodeGen.h>

#include <memory>
#include <string>

namespace llvm {
class DiagnosticInfo;
class LLVMContext;
class Module;
class TargetMachine;
} // namespace llvm

/// LLVM's target machine and its two uses: optimise and emit. The same for every target.
namespace ptx::code {

/// Throws ptx::Error{no position}: of LLVM and of what is wrong in neutral IR.
[[noreturn]] void fail(const std::string& message);

/// Never null; throws when LLVM does not know the processor. One for all that a thread translates for the processor, since
/// LLVM fills tables of registers as it goes; but SPIR-V's keeps what is of one module.
std::shared_ptr<llvm::TargetMachine> make_machine(const Target&, const Options&);

/// Registers into SSA form and what is dead or constant away, without making pointers that neutral IR forbids.
void simplify(llvm::Module&, llvm::TargetMachine&, const Options&);
/// The whole pipeline of Options::optimization_level; level 0 only makes SSA form and inlines what must be.
void optimize(llvm::Module&, llvm::TargetMachine&, const Options&);
/// Some passes for code that has been optimised and then made into vectors: those that clean up and move code. Others
/// find little in it, and take long.
void optimize_vectors(llvm::Module&, llvm::TargetMachine&);

/// Accesses through address space `flat` to variables, or to what casts from other spaces, become accesses of those.
void infer_address_spaces(llvm::Module&, llvm::TargetMachine&, const Options&, unsigned flat);

/// Object code or assembly text. Takes the module apart.
/// `strength_reduction` of loops: a third of the time that the code of many small loops takes, for which x86's
/// addresses need it little.
llvm::SmallVector<char, 0> emit(llvm::Module&, llvm::TargetMachine&, llvm::CodeGenFileType,
                                bool strength_reduction = true);
/// Assembly text of a copy.
std::string assembly_text(const llvm::Module&, llvm::TargetMachine&);
std::string text_of(const llvm::Module&);

/// While it lives, LLVM's diagnostics of a context are kept here instead of going to stderr or ending the process.
class Diagnostics {
  public:
    explicit Diagnostics(llvm::LLVMContext&);
    ~Diagnostics();
    Diagnostics(const Diagnostics&) = delete;
    Diagnostics& operator=(const Diagnostics&) = delete;

    /// Throws what LLVM called an error so far.
    void check() const;

  private:
    using Callback = void(const llvm::DiagnosticInfo*, void*);

    llvm::LLVMContext& context_;
    Callback* previous_;
    void* previous_data_;
    std::string errors_;
};

/// Throws if the IR breaks LLVM's rules: a mistake in the translator.
void verify(const llvm::Module&, const char* after);

} // namespace ptx::code

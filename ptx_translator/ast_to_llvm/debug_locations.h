#pragma once

#include "ast/ast.h"

#include <llvm/IR/DIBuilder.h>

#include <vector>

namespace llvm {
class Function;
class Module;
} // namespace llvm

namespace ptx::ast_to_llvm {

/// Carries `.loc` into LLVM's line tables. PTX ISA 11.5.
class DebugLocations {
  public:
    DebugLocations(llvm::Module&, const Module& source);
    void begin(llvm::Function&, const Function& source);
    llvm::DebugLoc at(const Instruction&);
    void finish() { builder_.finalize(); }

  private:
    llvm::DIFile* file(uint32_t index);

    llvm::DIBuilder builder_;
    const Module& source_;
    std::vector<llvm::DIFile*> files_;
    llvm::DICompileUnit* unit_ = nullptr;
    llvm::DISubprogram* subprogram_ = nullptr;
};

} // namespace ptx::ast_to_llvm

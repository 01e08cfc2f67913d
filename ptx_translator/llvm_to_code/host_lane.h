#pragma once

#include "ptx/host_abi.h"

#include <llvm/ADT/DenseMap.h>
#include <llvm/ADT/STLFunctionalExtras.h>
#include <llvm/IR/IRBuilder.h>

namespace llvm {
class Function;
}

namespace ptx::code {

/// What a function of host code reads through its first argument, the ptx::host::Lane*. Every field is loaded once, in
/// a block of its own at the entry: nothing a kernel does changes one, and later stores need not be looked at.
class LaneAccess {
  public:
    /// A half-open range of values, for LLVM to know; none if the end is 0.
    struct Limits {
        uint64_t begin, end;
    };

    /// Splits the entry block behind its allocas.
    explicit LaneAccess(llvm::Function&);

    llvm::Function& function() { return function_; }
    /// A builder before the end of that block.
    llvm::IRBuilder<>& at_entry() { return ir_; }
    llvm::Value* lane();
    /// Lane's or Grid's field.
    llvm::Value* lane_field(uint32_t offset, llvm::Type*, Limits limits = {0, 0});
    llvm::Value* grid_field(uint32_t offset, llvm::Type*, Limits limits = {0, 0});
    /// Grid::parameters, of which that many bytes may be read at any time.
    llvm::Value* parameters(uint32_t bytes);
    /// Pointer to the CTA's shared block.
    llvm::Value* shared();
    /// A function pointer of Services.
    llvm::Value* service(uint32_t offset);

  private:
    llvm::LoadInst* load(llvm::Value* base, uint32_t offset, llvm::Type*, Limits, bool invariant);

    llvm::Function& function_;
    llvm::IRBuilder<> ir_;
    llvm::DenseMap<std::pair<llvm::Value*, uint32_t>, llvm::LoadInst*> loaded_;
};

/// Code for the CTA of the Lane, which `body` makes, in a loop over it and those that follow it by Lane::more.
void for_blocks(llvm::IRBuilder<>&, llvm::Value* lane, llvm::function_ref<void()> body);

} // namespace ptx::code

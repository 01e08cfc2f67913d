#pragma once

#include <llvm/ADT/ArrayRef.h>
#include <llvm/ADT/SmallVector.h>

namespace llvm {
class AllocaInst;
class BasicBlock;
class Function;
} // namespace llvm

namespace ptx::code {

/// What threads know at the places where a kernel is cut. The constructor changes the kernel so that no value is used
/// beyond a cut but through a stack variable; what is cheap to compute from the thread's number and the kernel's
/// parameters is computed again in every block that needs it.
class PhaseValues {
  public:
    /// `cuts`: each block is a cut, at its beginning.
    PhaseValues(llvm::Function& kernel, llvm::ArrayRef<llvm::BasicBlock*> cuts);

    /// All variables made.
    llvm::ArrayRef<llvm::AllocaInst*> all() const { return variables_; }
    /// Those read behind a cut, of that index or of any.
    llvm::ArrayRef<llvm::AllocaInst*> live_at(size_t cut) const { return live_[cut]; }
    llvm::SmallVector<llvm::AllocaInst*, 32> kept() const;

  private:
    llvm::SmallVector<llvm::AllocaInst*, 32> variables_;
    llvm::SmallVector<llvm::SmallVector<llvm::AllocaInst*, 16>, 8> live_;
};

} // namespace ptx::code

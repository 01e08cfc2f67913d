#pragma once

#include <llvm/ADT/BitVector.h>
#include <llvm/ADT/DenseMap.h>

#include <vector>

namespace llvm {
class BasicBlock;
class Function;
class Instruction;
} // namespace llvm

namespace ptx::code {

/// Which values are needed behind the beginning of each block, computed elsewhere. Phis of a block count as read at the
/// end of the blocks before it.
class LiveValues {
  public:
    explicit LiveValues(llvm::Function&);

    /// Instructions that are live at the beginning of any block, in the function's order.
    const std::vector<llvm::Instruction*>& values() const { return values_; }
    bool at_begin(llvm::BasicBlock& block, llvm::Instruction& value) const;

  private:
    std::vector<llvm::Instruction*> values_;
    llvm::DenseMap<llvm::Instruction*, unsigned> number_;
    llvm::DenseMap<llvm::BasicBlock*, llvm::BitVector> live_in_;
};

} // namespace ptx::code

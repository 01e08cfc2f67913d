#pragma once

#include <llvm/ADT/ArrayRef.h>
#include <llvm/ADT/BitVector.h>
#include <llvm/ADT/DenseMap.h>
#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/IRBuilder.h>

namespace llvm {
class AllocaInst;
class BasicBlock;
class Function;
} // namespace llvm

namespace ptx::code {

/// Which values, kept in memory, are read before they are written, from the start of each block on. What cannot be reached
/// wants nothing.
class WantedValues {
  public:
    /// `values`: of the function's entry block, read and written as a whole.
    WantedValues(llvm::Function&, llvm::ArrayRef<llvm::AllocaInst*> values);

    const llvm::BitVector& at(const llvm::BasicBlock* block) const { return blocks_.find(block)->second.wanted; }

  private:
    struct Facts {
        llvm::BitVector wanted, written;
    };

    Facts facts_of(llvm::BasicBlock& block) const;
    bool update(llvm::BasicBlock& block);

    llvm::DenseMap<const llvm::Value*, unsigned> numbers_;
    llvm::DenseMap<const llvm::BasicBlock*, Facts> blocks_;
};

/// For ways that are made to lead through one block, from which they go to where they led before: what they carry
/// along, in memory that is made registers later. Each takes what is wanted where it leads, and nothing else; so what
/// is wanted by different targets shares a place. Else all would be carried all over.
class CarriedValues {
  public:
    /// `values`: of the function's entry block, read and written as a whole. `targets`: the blocks where ways lead,
    /// before they are changed.
    CarriedValues(llvm::Function&, llvm::ArrayRef<llvm::AllocaInst*> values, llvm::ArrayRef<llvm::BasicBlock*> targets);

    /// On a way to a target, before the block that all go through. A place that the target does not want becomes 0, not
    /// undefined: lanes that are elsewhere may want it, and LLVM takes for uniform what is one value or undefined.
    void leave(llvm::IRBuilder<>&, unsigned target) const;
    /// Behind that block, on the way to the target.
    void arrive(llvm::IRBuilder<>&, unsigned target) const;

    llvm::ArrayRef<llvm::AllocaInst*> places() const { return places_; }

  private:
    void share_places(llvm::Function&);

    llvm::SmallVector<llvm::AllocaInst*, 32> values_;
    llvm::SmallVector<llvm::BitVector, 8> wanted_; ///< by each target, of the values
    llvm::SmallVector<llvm::AllocaInst*, 8> places_;
    llvm::SmallVector<unsigned, 32> place_of_; ///< of each value
};

} // namespace ptx::code

#pragma once

#include <llvm/ADT/ArrayRef.h>
#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/IRBuilder.h>

#include <compare>

namespace ptx::simd {

/// Where an element is: in a vector, by number, and which of its elements. One that nobody asks for is in none.
struct Source {
    static constexpr unsigned none = ~0u;
    unsigned vector = none, element = 0;
    auto operator<=>(const Source&) const = default;
};
using Sources = llvm::SmallVector<Source, 16>;

/// Makes vectors of the elements of others, of one length.
class Shuffler {
  public:
    /// `each`: elements of a block, within which processors shuffle cheaply.
    Shuffler(llvm::IRBuilder<>& ir, unsigned each) : ir_(ir), each_(each) {}

    llvm::Value* part(llvm::Value* vector, unsigned begin, unsigned count);
    /// In each block of the result the elements, at most four, that `order` says, of the same block of the vectors.
    llvm::Value* within_blocks(llvm::ArrayRef<llvm::Value*> vectors, llvm::ArrayRef<Source> order);
    /// Elements of any vectors, two by two of these.
    llvm::Value* of_all(llvm::ArrayRef<llvm::Value*> vectors, llvm::ArrayRef<Source> order);

  private:
    llvm::Value* two_by_two(llvm::ArrayRef<llvm::Value*> vectors, llvm::ArrayRef<Source> order);
    llvm::Value* shuffle(llvm::Value* first, llvm::Value* second, llvm::ArrayRef<int> order);

    llvm::IRBuilder<>& ir_;
    const unsigned each_;
};

} // namespace ptx::simd

#pragma once

#include <llvm/ADT/ArrayRef.h>

#include <cstddef>

namespace llvm {
class Function;
}

/// Functions that differ in constants alone, as the phases of an unrolled loop do.
namespace ptx::code {

/// How many functions merge_alike() would leave of these, if they have no more blocks in common. Null ones do not
/// count.
ptrdiff_t count_alike(llvm::ArrayRef<llvm::Function*>);

/// Makes one of those that are alike; its further arguments are the constants, as calls say them. All uses of the
/// functions, of which some may be null, are calls.
void merge_alike(llvm::ArrayRef<llvm::Function*>);

} // namespace ptx::code

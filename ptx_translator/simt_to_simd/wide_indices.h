#pragma once

#include "simt_to_simd/shapes.h"

namespace llvm {
class DominatorTree;
} // namespace llvm

namespace ptx::simd {

/// Indices of 32 bits that a loop counts up in equal steps and extends to 64 bits, which would be asked in each round
/// whether they wrap around between lanes, are counted in 64 bits instead. Gives by what that is right, a condition in
/// the entry block: none of them leaves the 32 bits before the loop ends, if it is come to. Null: nothing was changed.
/// Comparisons in it are added to what lanes agree on.
llvm::Value* count_in_wide_indices(llvm::Function& scalar, const Shapes&, const llvm::LoopInfo&, llvm::DominatorTree&,
                                   Agreed&);

} // namespace ptx::simd

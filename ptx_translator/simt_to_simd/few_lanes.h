#pragma once

#include "simt_to_simd/shapes.h"

namespace llvm {
class DominatorTree;
} // namespace llvm

namespace ptx::simd {

/// What `if (tid == 0)` and `if (tid < 8)` are made into: whether the tile has such lanes is asked first, once for all.
/// What only one lane does, of which it is then known which one, is done in scalars, for one row after another; where
/// several are left, their mask is a constant. What only one row does, behind `if (tid.y == 0)`, is done in vectors of
/// a row. Changes the function and its blocks.
Marks separate_few_lanes(llvm::Function&, const Shapes&, const llvm::PostDominatorTree&, const llvm::DominatorTree&);

/// The blocks that will be one row's alone, and those that branch there. Sums that they alone need should stay there.
llvm::SmallPtrSet<const llvm::BasicBlock*, 8>
blocks_of_single_rows(llvm::Function&, const Shapes&, const llvm::PostDominatorTree&, const llvm::DominatorTree&);

} // namespace ptx::simd

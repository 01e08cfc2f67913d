#pragma once

#include <llvm/ADT/SmallPtrSet.h>

namespace llvm {
class BasicBlock;
class Function;
class Instruction;
} // namespace llvm

namespace ptx::simd {

class Shapes;

/// Whether the instruction and all that it is made of may be computed at the end of the entry block, whose terminator
/// `end` is.
bool may_hoist(llvm::Instruction&, const llvm::Instruction* end, unsigned depth = 0);

/// Computes them there.
void hoist(llvm::Instruction&, llvm::Instruction* end);

/// Widened sums that may wrap around are asked about once, before anything is done, where that is possible; not those
/// of blocks `but`.
void hoist_assumptions(
    llvm::Function&, const Shapes&,
    const llvm::SmallPtrSetImpl<const llvm::BasicBlock*>& but = llvm::SmallPtrSet<const llvm::BasicBlock*, 1>());

} // namespace ptx::simd

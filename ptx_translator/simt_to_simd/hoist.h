#pragma once

namespace llvm {
class Instruction;
} // namespace llvm

namespace ptx::simd {

/// Whether the instruction and all that it is made of may be computed at the end of the entry block, whose terminator
/// `end` is.
bool may_hoist(llvm::Instruction&, const llvm::Instruction* end, unsigned depth = 0);

/// Computes them there.
void hoist(llvm::Instruction&, llvm::Instruction* end);

} // namespace ptx::simd

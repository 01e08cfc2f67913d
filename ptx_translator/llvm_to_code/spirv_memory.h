#pragma once

namespace llvm {
class Function;
} // namespace llvm

namespace ptx::code {

/// Once LLVM has optimised, what memory operations Intel's GPUs or LLVM's SPIR-V back end lack: atomic operations on
/// floats, by compare and exchange, and on 16 bits, by those of the word that they are part of; copies and fills of memory.
/// May leave arithmetic of bfloats for lower_small_floats.
void expand_memory_operations(llvm::Function&);

} // namespace ptx::code

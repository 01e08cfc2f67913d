#pragma once

namespace llvm {
class Function;
class Module;
class TargetMachine;
} // namespace llvm

/// Loops over single threads in modules whose other loops are over tiles, which are vectors already: of those alone
/// LLVM should make vectors, as it takes most of its time to find out that it cannot.
namespace ptx::code {

/// Says that the function has such a loop, or is one.
void mark_loop_of_threads(llvm::Function&);

/// Behind optimize_vectors(): what `optimize` does for functions besides, of the marked ones.
void optimize_loops_of_threads(llvm::Module&, llvm::TargetMachine&);

} // namespace ptx::code

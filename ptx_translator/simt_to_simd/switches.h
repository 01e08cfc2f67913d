#pragma once

namespace llvm {
class Function;
} // namespace llvm

namespace ptx::simd {

/// LLVM makes a switch of `if (x == 0) ...; if (x == 15) ...`, whose ways all end in one place. Back to tests one after
/// another, in which each way comes back before the next test: lanes part less.
void unfold_switches(llvm::Function&);

} // namespace ptx::simd

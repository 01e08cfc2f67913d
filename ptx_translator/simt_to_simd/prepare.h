#pragma once

#include <string>

namespace llvm {
class Function;
class TargetMachine;
} // namespace llvm

namespace ptx::simd {

/// Inlines what a scalar function calls, as far as that is small or always to be inlined.
void inline_calls(llvm::Function&);

/// Brings a scalar function into the form that Shapes and widen expect: optimised; without vectors, switches, several
/// exits or flags that make values of lanes undefined that are elsewhere; loops with one latch, an entry and exits of
/// their own, and with phis for what is used behind them.
void prepare(llvm::Function&, llvm::TargetMachine&);

/// Why lanes of a prepared function cannot be taken side by side, in a few words; empty if they can.
std::string why_not(llvm::Function&);

} // namespace ptx::simd

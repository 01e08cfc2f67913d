#pragma once

namespace llvm {
class Module;
}

namespace ptx::code {

/// Compares 64-bit integers whose upper halves are zero by their lower ones: the chips have registers of 32 bits, and
/// LLVM otherwise fills one with each half's zero. PTX tests a single bit of a 64-bit register that way.
void narrow_comparisons(llvm::Module&);

} // namespace ptx::code

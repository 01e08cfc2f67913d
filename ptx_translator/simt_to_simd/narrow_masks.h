#pragma once

namespace llvm {
class Function;
} // namespace llvm

namespace ptx::simd {

/// Loads and stores by a constant mask of neighbours, as behind `if (tid < 4)`, become those of a shorter vector: what
/// is stored so can be loaded again at once, which processors do not manage with masked stores, or with parts of
/// several.
void narrow_constant_masks(llvm::Function&);

} // namespace ptx::simd

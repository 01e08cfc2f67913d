#pragma once

#include "simt_to_simd/shapes.h"

namespace llvm {
class TargetTransformInfo;
} // namespace llvm

namespace ptx::simd {

/// An estimate of what a prepared function costs for the lanes of a tile side by side, as a part of what it costs for
/// one after another. Above 1 it is not worth it.
double relative_cost(const llvm::Function&, const Shapes&, const llvm::LoopInfo&, const llvm::TargetTransformInfo&);

} // namespace ptx::simd

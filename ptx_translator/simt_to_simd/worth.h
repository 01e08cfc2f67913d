#pragma once

#include "simt_to_simd/bundles.h"
#include "simt_to_simd/widen.h"

namespace ptx::simd {

/// Whether the lanes of a tile seem to be faster side by side, in what a prepared function does, than the loop over
/// threads that LLVM would make vectors of, if it can.
bool pays(const llvm::Function&, const Shapes&, const llvm::LoopInfo&, const Machine&,
          const Bundles&);

} // namespace ptx::simd

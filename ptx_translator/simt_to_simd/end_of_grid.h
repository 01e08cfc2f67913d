#pragma once

#include "simt_to_simd/shapes.h"

#include <llvm/ADT/ArrayRef.h>

namespace llvm {
class Function;
} // namespace llvm

namespace ptx::simd {

/// Whether the function that takes tiles without masks (widen.h), of the prepared (Lane*, x, y, ...) of a whole kernel,
/// refuses them but where the numbers of the grid's threads in one dimension, %ctaid.x * %ntid.x + %tid.x, pass a
/// limit: one tile of a grid or two, and those behind the end.
bool refuses_only_end_of_grid(llvm::Function& scalar, Tile, llvm::ArrayRef<Shape> arguments);

} // namespace ptx::simd

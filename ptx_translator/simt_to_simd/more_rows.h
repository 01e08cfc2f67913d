#pragma once

#include "simt_to_simd/shapes.h"

namespace llvm {
class TargetTransformInfo;
} // namespace llvm

namespace ptx::simd {

/// What a prepared function would have of a tile with so many rows, for which it is changed as widen() does.
struct MoreRows {
    double shared = 0;      ///< loads that all rows have in common, as those of a matrix product's second factor
    double work = 0;        ///< instructions
    bool parts = false;     ///< in loops lanes part, which more of them do more often
    bool loops = false;     ///< there are some
    bool scattered = false; ///< lanes load or store one by one, which rows gain nothing for
};
MoreRows look_at_rows(llvm::Function& scalar, Tile, llvm::ArrayRef<Shape> arguments, const Guesses&);

/// Whether what the lanes hold at once has room in the registers.
bool fits_registers(llvm::Function& scalar, Tile, llvm::ArrayRef<Shape> arguments, const Guesses&,
                    const llvm::TargetTransformInfo&);

} // namespace ptx::simd

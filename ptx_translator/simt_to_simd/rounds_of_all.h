#pragma once

#include "simt_to_simd/shapes.h"

namespace ptx::simd {

/// `for (i = thread; i < n; i += threads)` lets lanes go in different rounds, if only in the last ones of the last
/// tile. Puts a copy of such a loop in front of it that goes on as long as all lanes do, and needs no masks. Changes
/// the function and its blocks; adds to the marks.
void let_all_go_first(llvm::Function&, const Shapes&, const llvm::LoopInfo&, Marks&);

} // namespace ptx::simd

#pragma once

#include "simt_to_simd/shapes.h"

#include <llvm/ADT/ArrayRef.h>

#include <map>

namespace ptx::simd {

/// Which arguments of a phase say where threads keep what they need in later phases: `threads` values of one size lie
/// together from slots + byte * threads on, the one of the thread `thread` at its number. If `by_warps` there are 32 of
/// them, which the code knows.
struct SlotArguments {
    unsigned slots, threads, thread;
    bool by_warps = false;
};

/// By the byte.
using SlotShapes = std::map<uint64_t, Shape>;

/// How slots look from lane to lane as far as the phases, which are prepared (prepare.h), have stored them. That is a
/// guess: lanes may come to a phase by different ways, and sums may wrap around.
SlotShapes shapes_of_slots(llvm::ArrayRef<llvm::Function*> phases, Tile, llvm::ArrayRef<Shape> arguments, SlotArguments);

/// The guesses for the phase's loads of integers.
Guesses guesses_of(llvm::Function& phase, const SlotShapes&, SlotArguments);

} // namespace ptx::simd

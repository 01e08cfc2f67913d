#pragma once

#include "simt_to_simd/shapes.h"

#include <llvm/ADT/ArrayRef.h>
#include <llvm/ADT/SmallVector.h>

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

/// A slot that is as guessed whenever a tile has stored it, so that it is enough to store the first column's value of
/// each row, or of the first row if all rows have the same: an abridged slot.
struct AbridgedSlot {
    uint64_t byte;
    unsigned bytes; ///< its size
    int64_t stride;
    bool by_row;
    bool operator==(const AbridgedSlot&) const = default;
};

/// Those that may be abridged: integers, stored where all lanes are, and not what some sum might make irregular that is
/// asked about only after something has been done.
llvm::SmallVector<AbridgedSlot, 4> slots_to_abridge(llvm::ArrayRef<llvm::Function*> phases, Tile,
                                                    llvm::ArrayRef<Shape> arguments, const SlotShapes&, SlotArguments);

/// What a phase does with the slots where threads keep things from phase to phase.
struct SlotAccesses {
    llvm::DenseMap<const llvm::Value*, bool> abridged;         ///< loads and stores of those; whether rows differ
    llvm::DenseMap<const llvm::Value*, llvm::Value*> advances; ///< what a load's slot has for the next round of a loop
};
SlotAccesses accesses_of_slots(llvm::Function& phase, llvm::ArrayRef<AbridgedSlot>, SlotArguments);

} // namespace ptx::simd

#pragma once

#include "simt_to_simd/shapes.h"
#include "simt_to_simd/slots.h"

#include <string>

namespace llvm {
class BasicBlock;
class GlobalVariable;
class TargetTransformInfo;
} // namespace llvm

namespace ptx::simd {

/// How the target likes vectors.
struct Machine {
    const llvm::TargetTransformInfo& costs;
    bool bit_masks = false; ///< masks have registers of their own
    bool alone = false;     ///< shared memory is seen by one thread of the process
    bool looks_ahead = false; ///< what later blocks load is prefetched
    bool only_if_faster = false; ///< widen() gives nothing that does not seem to pay
    bool brief_masks = false; ///< of masked accesses: most tiles run another function, so that short code is better
    llvm::GlobalVariable* counts = nullptr; ///< where there is a host::Counts* to add to; null: nothing is counted
};

/// What becomes of what the lanes return.
enum class Results : uint8_t { by_lane, one, none };

/// What is known before a function is made.
struct Outlook {
    bool one_result = false;          ///< all lanes of a tile return the same
    bool parts_between_rows = false;  ///< lanes part at comparisons of their row's number
};
Outlook look_at(llvm::Function& scalar, Tile, llvm::ArrayRef<Shape> arguments, const Guesses&);

/// Whether a thread that comes to the block does nothing any more.
bool ends_at_once(const llvm::BasicBlock*);

/// A function that does for the lanes of a tile at once what the scalar one, which is prepared (prepare.h), does for
/// one:
///     i1 made(arguments..., ptr results, i1 abridged)
/// An argument that goes by rows is given once for each row, as the first column has it. What the lanes return is
/// stored at `results` one after another, once if all return the same, or not at all, as `results` says. `abridged`:
/// whether slots are, that may be. False, and nothing is done, when some sum of a lane's number and something else
/// wraps around from lane to lane, or a guess is wrong, so that lanes must be run one by one. Null: it is not worth it.
/// With `all_alike` there is only a function if the scalar one begins with a test by which some threads end at once, as
/// those do that are past the end of the data, or compares with sizes of the data; it takes only tiles none of whose
/// lanes ends so, and whose lanes agree on the comparisons, and needs no masks for them. What hangs on the data itself
/// is no such test.
llvm::Function* widen(llvm::Function& scalar, Tile, llvm::ArrayRef<Shape> arguments, const Machine&,
                      Guesses guesses = Guesses(), bool all_alike = false, Results = Results::by_lane,
                      const SlotAccesses& = SlotAccesses());

} // namespace ptx::simd

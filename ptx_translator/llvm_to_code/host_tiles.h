#pragma once

#include "simt_to_simd/slots.h"

#include <llvm/ADT/ArrayRef.h>
#include <llvm/ADT/STLFunctionalExtras.h>
#include <llvm/ADT/StringRef.h>
#include <llvm/IR/IRBuilder.h>

#include <cstdint>
#include <optional>
#include <string>

namespace llvm {
class AllocaInst;
class Function;
class GlobalVariable;
class TargetMachine;
} // namespace llvm

namespace ptx {
struct Options;
struct Target;
} // namespace ptx

/// The warp mode of the host: a function that runs one thread is made into one that runs a tile of threads side by
/// side, in vectors (simt_to_simd), beside which it stays for threads that are left over.
namespace ptx::code {

/// What runs a tile: columns of consecutive %tid.x, from a multiple of their number on, in rows of consecutive %tid.y.
struct TileCode {
    /// i1 (the scalar function's arguments, x, y, lane, warp, ptr results, i1 abridged), the last argument of a phase
    /// and what follows it by rows as tile_arguments() says. Null: there is none.
    llvm::Function* function = nullptr;
    /// Null, or the same, to be tried first, which refuses when threads of the tile end at once; there may be only
    /// this.
    llvm::Function* function_of_all = nullptr;
    uint32_t frame_bytes = 0, frame_bytes_of_all = 0; ///< not 0: the function can stop (simt_to_simd/rounds.h)
    unsigned columns = 0, rows = 1;
    bool whole_warps = false;                          ///< a tile must be a warp
    bool depends_on_tile = false;                      ///< with tiles of another size it may be otherwise
    bool one_result = false;                           ///< all lanes of a tile return the same, which is stored once
    std::optional<uint32_t> result;                    ///< what all threads return, always: nothing is stored
    std::optional<uint32_t> idle_from;                 ///< a %tid.x from which on threads do nothing and return that
    llvm::SmallVector<simd::AbridgedSlot, 4> abridged; ///< the same for all phases
    std::string why_not;                               ///< a few words
    bool any() const { return function || function_of_all; }
    bool in_rounds() const { return frame_bytes || frame_bytes_of_all; }
};

/// For a kernel's body, void (Lane*), or all of its phases, i32 (Lane*, state, slots, i64 threads, i64 thread); of null
/// there is none. They are lowered for the host.
/// `whole_warps`: they are phases that go on through operations of a warp, which must be a tile. `by_warps`: what its
/// threads keep lies together. `counts`: where what tiles do is counted (host::Counts*), or null.
llvm::SmallVector<TileCode, 4> make_tile_codes(llvm::ArrayRef<llvm::Function*> bodies, const Target&,
                                               llvm::TargetMachine&, const Options&, llvm::GlobalVariable* counts,
                                               bool whole_warps = false, bool by_warps = false);
/// Whether tiles have as many lanes as warps.
bool are_tiles_warps(const Target&);

/// Fills the entry block of `range`, which makes_entry calls for a thread or CTAs: void (Lane*, i1 thread).
void fill_tile_range(llvm::Function& range, llvm::Function& body, const TileCode&);
/// Makes S.phase and S.chain (ptx/host_abi.h) of a kernel that is cut into these functions, with gaps, for some of
/// which there is code for tiles. `alone` makes i32 (Lane*, PhaseBox*), which takes the box through one of the others.
/// `warp_bytes`: not 0 if what the threads of a warp keep lies together, so much of it; tiles are warps then. `counts`:
/// where passed barriers are counted (host::Counts*), or null.
void make_tile_phases(llvm::Module&, const std::string& symbol, llvm::ArrayRef<llvm::Function*> phases,
                      llvm::ArrayRef<TileCode>, uint32_t warp_bytes,
                      llvm::function_ref<llvm::Function*(uint32_t phase)> alone, llvm::GlobalVariable* counts);

/// A Lane of our own: promoted to registers once the body is inlined, unless a service gets to see it.
llvm::AllocaInst* copy_lane(llvm::IRBuilder<>&, llvm::Value* source);

} // namespace ptx::code

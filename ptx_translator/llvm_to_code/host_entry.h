#pragma once

#include "llvm_to_code/host_tiles.h"

#include <llvm/ADT/ArrayRef.h>
#include <llvm/ADT/StringRef.h>

#include <cstdint>

namespace llvm {
class Function;
class Module;
} // namespace llvm

namespace ptx::code {

/// Makes the exported functions of a kernel (ptx/host_abi.h) around `body`, which runs one thread and loses its name
/// to them. With `fibers` only S, else S and S.block.
/// `note_stack`: some function asks whether an address is local, so the entry notes the end of its frame.
/// `tile`: what runs tiles of threads, if there is such code; only without fibers.
void make_entry(llvm::Function& body, bool fibers, bool note_stack, const TileCode& tile = {});

/// What LLVM makes of the loops over a phase's threads. The more phases a kernel has the less each may cost.
enum class PhaseCode : uint8_t {
    fast,   ///< vectors, several rounds at a time
    brief,  ///< one round of vectors at a time, and no copies of the body besides
    scalar, ///< one thread after another
};

/// Makes S.phase of a kernel that is cut into these functions, each with the Lane* before its other arguments;
/// there may be gaps. `warp_bytes`: of a warp's slots, where those lie together, else 0. `tiles`: empty, or what runs
/// tiles of threads, if there is such code, for each; then S.chain is made, too. `counts`: see make_tile_phases().
void make_phase_entry(llvm::Module&, llvm::StringRef symbol, llvm::ArrayRef<llvm::Function*> phases,
                      uint32_t warp_bytes, bool note_stack, PhaseCode form, llvm::ArrayRef<TileCode> tiles = {},
                      llvm::GlobalVariable* counts = nullptr);

} // namespace ptx::code

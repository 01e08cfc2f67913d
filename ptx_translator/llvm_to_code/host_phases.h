#pragma once

#include <llvm/ADT/SmallVector.h>

#include <cstdint>
#include <string>

namespace llvm {
class Function;
} // namespace llvm

/// Kernels whose threads meet only at barriers of the whole CTA and in operations of their warp, or wait for what
/// others write, need no stack for each thread. Such a kernel is cut there into phases, functions that run a thread
/// from one cut to the next; what a thread needs later it keeps in slots, in memory. Whoever runs the CTA takes all
/// threads of the CTA, or of a warp, through one phase, does what they meet for, and takes them through the next.
namespace ptx::code {

/// NAME.phase0 is kernel NAME's first phase.
inline constexpr char phase_suffix[] = ".phase", phase_of_warps_suffix[] = ".phase.warps";

struct Phases {
    /// i32 (ptr state, ptr slots, i64 threads, i64 thread): runs a thread, gives the number of the phase that it goes
    /// on with, or host::phase_exit. `state` is the host::PhaseState. A slot of n bytes that begins at byte b of
    /// bytes_per_thread lies at slots + b * threads + n * thread; `threads` is a multiple of 32, and 32 when by_warps.
    /// Phase 0 begins the kernel. Null where host::PhaseCut::more says that there is none.
    llvm::SmallVector<llvm::Function*, 8> functions = {};
    /// Of the kernel's beginning, of barriers and of where threads spin: functions as those of the same number that go
    /// on through operations of a warp to the next such place, for threads of whole warps side by side
    /// (simt_to_simd/warp_operations.h). Null elsewhere, and empty if nothing is gained.
    llvm::SmallVector<llvm::Function*, 8> of_warps = {};
    uint32_t bytes_per_thread = 0;
    bool by_warps = false; ///< there are many, and slots of a warp lie together: less code, if slower for whole CTAs
    bool any_of_warps = false; ///< threads meet in their warps, too
    /// Not empty: there are none, and why, in a few words.
    std::string why_not;
};

/// Makes phases of a kernel in neutral IR, and an array of host::PhaseCut of the name `table`, and removes the kernel;
/// nothing, and the kernel stays, when its threads meet in other ways too, or keep more than some 16 KiB each.
/// `of_warps`: whether Phases::of_warps is wanted.
Phases split_into_phases(llvm::Function& kernel, const std::string& table, bool of_warps = false);

} // namespace ptx::code

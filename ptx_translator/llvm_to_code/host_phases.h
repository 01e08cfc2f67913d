#pragma once

#include <llvm/ADT/SmallVector.h>

#include <cstdint>
#include <optional>

namespace llvm {
class Function;
} // namespace llvm

/// Kernels whose threads meet only at barriers of the whole CTA need no stack for each thread. Such a kernel is cut at
/// its barriers into phases, functions that run a thread from one barrier to the next; what a thread needs later it
/// keeps in slots, in memory. Whoever runs the CTA takes all threads through one phase, then through the next.
namespace ptx::code {

/// NAME.phase0 is kernel NAME's first phase.
inline constexpr char phase_suffix[] = ".phase";

/// On accesses to what the threads of a phase have in common, and change one after another.
inline constexpr char common_metadata[] = "cuttle.common";

struct Phases {
    /// i32 (ptr state, ptr slots, i64 threads, i64 thread): runs a thread, gives the number of the phase that it goes
    /// on with, or host::phase_exit. `state` is the host::PhaseState. A slot of n bytes that begins at byte b of
    /// bytes_per_thread lies at slots + b * threads + n * thread; `threads` is a multiple of 16. Phase 0 begins the
    /// kernel.
    llvm::SmallVector<llvm::Function*, 8> functions;
    uint32_t bytes_per_thread = 0;
};

/// Makes phases of a kernel in neutral IR and removes it; nothing, and the kernel stays, when its threads meet in other
/// ways too, or keep more than some 16 KiB each.
std::optional<Phases> split_into_phases(llvm::Function& kernel);

} // namespace ptx::code

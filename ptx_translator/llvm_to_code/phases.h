#pragma once

#include "ptx/phases.h"

#include <optional>
#include <string>
#include <vector>

namespace llvm {
class Function;
}

namespace ptx::code {

/// What cutting a kernel gave: states[0] stands for its beginning.
struct PhasedKernel {
    llvm::Function* function = nullptr;
    std::vector<host::State> states;
    uint32_t frame_bytes = 0;
};

/// Why a kernel cannot be cut into phases (see host::Phases), in a few words; nothing if it can.
std::string why_not_phases(llvm::Function& kernel);

/// Makes `void @kernel()` a `void @kernel(i32 state)` that goes on from a state and leaves the one it waits in next in
/// host::frame_next. What lives across is kept by `i64 @cuttle.phase.slot(i32 offset, i32 bytes)`: the address of the
/// piece of the thread's frame; what is cheap to have anew is computed anew. Neutral IR before and after.
PhasedKernel cut_into_phases(llvm::Function& kernel);

} // namespace ptx::code

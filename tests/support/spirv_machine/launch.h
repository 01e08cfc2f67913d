#pragma once

#include "module.h"

namespace spirv_machine {

/// An argument of a kernel: its value, or so many bytes of the group's memory.
struct Argument {
    std::vector<uint8_t> value; ///< empty: group memory
    size_t bytes = 0;
};

struct Launch {
    const Module* module = nullptr;
    const Kernel* kernel = nullptr;
    std::array<uint32_t, 3> groups{}, size{}; ///< groups, and threads in a group
    std::vector<Argument> arguments;
    std::vector<Range> memory; ///< that kernels may reach; sorted
    bool together = false;     ///< all groups are under way at the same time
};

/// Runs a launch to its end, group after group in order or all in turns, the warps of a group in turns. Gives the instructions that its
/// warps executed. Throws Stop (warp.h) with a reason. Barriers count whole warps, as hardware does: a group some of
/// whose warps have ended waits for ever, which is noticed and stops it.
uint64_t run(const Launch&);

} // namespace spirv_machine

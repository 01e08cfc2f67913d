#pragma once

#include "code_object.h"
#include "wave.h"

#include <array>

namespace amdgpu {

struct Dispatch {
    const Kernel* kernel = nullptr;
    std::array<uint32_t, 3> groups{1, 1, 1}, threads{1, 1, 1};
    uint32_t dynamic_lds_bytes = 0;
    uint32_t stack_bytes = 16 << 10; ///< for each lane, if the kernel's stack has no known size
    std::vector<uint8_t> arguments;  ///< the explicit ones
    std::vector<Range> memory;       ///< what the kernel may reach
    bool all_resident = false;       ///< cooperative: groups may wait for each other
    uint64_t instruction_limit = 0;  ///< for each wave; 0 = none
};

struct Executed {
    uint64_t wave_instructions = 0;
};

/// Runs a kernel to its end. Throws Stop when the hardware would stop it, and for what the emulator lacks.
Executed run(const Dispatch&);

} // namespace amdgpu

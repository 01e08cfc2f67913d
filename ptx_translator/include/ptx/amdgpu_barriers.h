#pragma once

#include <stdint.h> // <cstdint> is not there for every device

/// Barriers that AMD's hardware has not: with numbers, for some of the threads, voting. They lie in LDS behind a kernel's
/// own static variables. Known to llvm_to_code/amdgpu_barriers.cpp and to the device library.
namespace ptx::amdgpu {

/// Zeros at first. Threads that voted yes count 1, those that voted no 0x10000.
struct Barrier {
    uint32_t arrived;    ///< threads, since the last time that it was complete
    uint32_t phase;      ///< how often it was complete
    uint32_t votes, last_votes;
};

struct BarrierArea {
    uint32_t votes;      ///< at the barrier of the hardware
    uint32_t reserved[3];
    Barrier barriers[16];
};
static_assert(sizeof(BarrierArea) == 272 && sizeof(BarrierArea) % 16 == 0);

} // namespace ptx::amdgpu

// Functions that SPIR-V code calls by name; linked as bitcode and inlined.
#include "spirv_warp.h"

#define LIBRARY extern "C" __attribute__((always_inline, convergent))

#include "warp_operations.h"

#include "amdgpu_services.h"

#include "amdgpu_barriers.h"

#include "spirv_rounding.h"

/// The clock of a device counts at its own rate, which is near 1 GHz or below; a lane sleeps at most as long as PTX
/// allows, twice the time.
LIBRARY void cuttle_amdgpu_nanosleep(uint32_t nanoseconds) {
    const uint64_t begin = spirv_clock();
    while (spirv_clock() - begin < nanoseconds / 2) {
    }
}

// The barrier of all threads for kernels whose threads may return early: ptx::gpu::WholeBarrier at `area`.
namespace {

#define LDS __attribute__((address_space(3)))
using Whole = LDS ptx::gpu::WholeBarrier*;

/// After a change of the word: whether all that are left have arrived, in which case nobody else changes it.
void complete_if_all(Whole barrier, uint32_t threads) {
    const uint32_t arrived = threads & 0xffff;
    if (arrived == 0 || arrived != threads >> 16) return;
    add(&barrier->threads, 0u - arrived);
    __scoped_atomic_thread_fence(__ATOMIC_ACQ_REL, __MEMORY_SCOPE_WRKGRP);
    add(&barrier->phase, 1);
}

} // namespace

LIBRARY void cuttle_spirv_barrier_init(uint32_t area) {
    auto* barrier = reinterpret_cast<Whole>(area);
    if ((spirv_thread_x() | spirv_thread_y() | spirv_thread_z()) == 0) {
        store(&barrier->threads, spirv_size_x() * spirv_size_y() * spirv_size_z() << 16);
        store(&barrier->phase, 0);
    }
    block_barrier();
}

LIBRARY void cuttle_spirv_barrier(uint32_t area) {
    auto* barrier = reinterpret_cast<Whole>(area);
    const uint32_t lanes = uint32_t(__builtin_popcount(ballot(true)));
    // Nobody completes the phase before this warp has come.
    const uint32_t phase = load(&barrier->phase);
    __scoped_atomic_thread_fence(__ATOMIC_ACQ_REL, __MEMORY_SCOPE_WRKGRP);
    if (is_first_of_warp()) complete_if_all(barrier, add(&barrier->threads, lanes) + lanes);
    while (load(&barrier->phase) == phase) {
    }
    __scoped_atomic_thread_fence(__ATOMIC_ACQ_REL, __MEMORY_SCOPE_WRKGRP);
}

/// Before lanes return.
LIBRARY void cuttle_spirv_leave(uint32_t area) {
    auto* barrier = reinterpret_cast<Whole>(area);
    const uint32_t lanes = uint32_t(__builtin_popcount(ballot(true))) << 16;
    if (is_first_of_warp()) complete_if_all(barrier, add(&barrier->threads, 0u - lanes) - lanes);
}
#undef LDS

// Functions that SPIR-V code calls by name; linked as bitcode and inlined.
#include "spirv_warp.h"

#define LIBRARY extern "C" __attribute__((always_inline, convergent))

#include "warp_operations.h"

#include "amdgpu_services.h"

#include "amdgpu_barriers.h"

#include "spirv_rounding.h"

/// PTX ISA 9.7.13.19: between no time and twice the one asked for. SPIR-V can only wait by reading a clock, over which
/// compilers of Intel's have crashed.
LIBRARY void cuttle_gpu_nanosleep(uint32_t) {}

/// Of lanes that go through a loop made of recursion (llvm_to_code/recursion.h): whether this one goes on now. From the
/// target `first_meeting` on, lanes of `wanted` meet. Nobody does while others are on their way there. Then those do that
/// are complete at the first target that is; or, so that something happens, all at the first one.
LIBRARY uint32_t cuttle_gpu_turn(uint32_t target, uint32_t first_meeting, uint32_t wanted) {
    if (ballot(target < first_meeting)) return target < first_meeting;
    const uint32_t active = ballot(true);
    uint32_t here = 0;
#pragma clang loop unroll(disable)
    for (uint32_t rest = active; rest;) {
        const uint32_t first = value_of_lane(target, uint32_t(__builtin_ctz(rest)));
        const uint32_t same = ballot(target == first);
        if (target == first) here = same;
        rest &= ~same;
    }
    const bool complete = !(wanted & active & ~here);
    const uint32_t complete_lanes = ballot(complete);
    const uint32_t chosen = value_of_lane(target, uint32_t(__builtin_ctz(complete_lanes ? complete_lanes : active)));
    return target == chosen && (complete || !complete_lanes);
}

// The barrier of all threads for kernels whose threads may return early: ptx::gpu::WholeBarrier at `area`.
namespace {

#define LDS __attribute__((address_space(3)))
using Whole = LDS ptx::gpu::WholeBarrier*;

/// After a change of the word: whether all that are left have arrived, in which case nobody else changes it.
void complete_if_all(Whole barrier, uint32_t warps) {
    const uint32_t arrived = warps & 0xffff;
    if (arrived == 0 || arrived != warps >> 16) return;
    add(&barrier->warps, 0u - arrived);
    __scoped_atomic_thread_fence(__ATOMIC_ACQ_REL, __MEMORY_SCOPE_WRKGRP);
    add(&barrier->phase, 1);
}

uint32_t threads_of_block() { return spirv_size_x() * spirv_size_y() * spirv_size_z(); }
uint32_t thread_of_block() {
    return (spirv_thread_z() * spirv_size_y() + spirv_thread_y()) * spirv_size_x() + spirv_thread_x();
}

} // namespace

LIBRARY void cuttle_spirv_barrier_init(uint32_t area) {
    auto* barrier = reinterpret_cast<Whole>(area);
    const uint32_t threads = threads_of_block();
    if (thread_of_block() == 0) {
        store(&barrier->warps, (threads + 31) / 32 << 16);
        store(&barrier->phase, 0);
#pragma clang loop unroll(disable)
        for (uint32_t i = 0; i < 32; i++) store(&barrier->left[i], 0);
    }
    block_barrier();
}

/// A warp's lanes come together, but for those that have returned or are about to: which of the two is first is the
/// processor's choice, so the warp counts as one.
LIBRARY void cuttle_spirv_barrier(uint32_t area) {
    auto* barrier = reinterpret_cast<Whole>(area);
    // Nobody completes the phase before this warp has come.
    const uint32_t phase = load(&barrier->phase);
    __scoped_atomic_thread_fence(__ATOMIC_ACQ_REL, __MEMORY_SCOPE_WRKGRP);
    if (is_first_of_warp()) complete_if_all(barrier, add(&barrier->warps, 1) + 1);
    while (load(&barrier->phase) == phase) {
    }
    __scoped_atomic_thread_fence(__ATOMIC_ACQ_REL, __MEMORY_SCOPE_WRKGRP);
}

/// Before lanes return. The last ones of a warp take it out.
LIBRARY void cuttle_spirv_leave(uint32_t area) {
    auto* barrier = reinterpret_cast<Whole>(area);
    const uint32_t lanes = uint32_t(__builtin_popcount(ballot(true)));
    if (!is_first_of_warp()) return;
    const uint32_t warp = thread_of_block() / 32, rest = threads_of_block() - 32 * warp;
    const uint32_t whole = rest < 32 ? rest : 32;
    if (add(&barrier->left[warp & 31], lanes) + lanes == whole)
        complete_if_all(barrier, add(&barrier->warps, 0u - 0x10000u) - 0x10000u);
}
#undef LDS

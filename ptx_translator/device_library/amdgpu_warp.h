#pragma once

#include "ptx/gpu_services.h"

#include <stdint.h>

/// A CUDA warp on AMD GPUs: a wave, or the half of one that lane & 32 says (CUTTLE_WAVE: 32 or 64).
namespace {

constexpr uint32_t all = ~0u;

#if CUTTLE_WAVE == 64
constexpr bool wide = true;
#else
constexpr bool wide = false;
#endif

inline uint32_t lane_in_wave() {
    const uint32_t low = __builtin_amdgcn_mbcnt_lo(all, 0);
    return wide ? __builtin_amdgcn_mbcnt_hi(all, low) : low;
}
inline uint32_t lane() { return lane_in_wave() & 31; }
/// The lane of the wave that is lane `number` of this lane's warp.
inline uint32_t in_warp(uint32_t number) { return wide ? (lane_in_wave() & 32) | number : number; }

/// Bits of the warp's active lanes.
inline uint32_t ballot(bool predicate) {
#if CUTTLE_WAVE == 64
    return uint32_t(__builtin_amdgcn_ballot_w64(predicate) >> (lane_in_wave() & 32));
#else
    return __builtin_amdgcn_ballot_w32(predicate);
#endif
}

inline uint32_t value_of_lane(uint32_t value, uint32_t number) {
    return uint32_t(__builtin_amdgcn_ds_bpermute(int(in_warp(number) << 2), int(value)));
}

/// 0 where that lane is not active, which ds_bpermute_b32 sees to.
inline uint32_t value_or_zero(uint32_t value, uint32_t number) { return value_of_lane(value, number); }
inline uint32_t first_lane_of(uint32_t value) { return uint32_t(__builtin_amdgcn_readfirstlane(int(value))); }

/// Bits of the wave's active lanes, those of another warp included.
inline uint64_t active_lanes() {
#if CUTTLE_WAVE == 64
    return __builtin_amdgcn_ballot_w64(true);
#else
    return __builtin_amdgcn_ballot_w32(true);
#endif
}
/// How many of `lanes` come before this one.
inline uint32_t count_before(uint64_t lanes) {
    return __builtin_amdgcn_mbcnt_hi(uint32_t(lanes >> 32), __builtin_amdgcn_mbcnt_lo(uint32_t(lanes), 0));
}

inline void warp_barrier() {
    __builtin_amdgcn_fence(__ATOMIC_RELEASE, "wavefront");
    __builtin_amdgcn_wave_barrier();
    __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "wavefront");
}

/// The barrier of the hardware, for all threads of the block.
inline void block_barrier() {
    __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
    __builtin_amdgcn_s_barrier();
    __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
}

/// Lets other waves run.
inline void pause() { __builtin_amdgcn_s_sleep(2); }

/// Ends the active lanes. Not a trap, over which ROCm's runtime ends the process. As assembler, so that it stays behind
/// a branch that skips it when no lane is active.
[[noreturn]] inline void end_lanes() {
    asm volatile("s_endpgm");
    __builtin_unreachable();
}

/// What PTX leaves undefined and an H100 stops a kernel for.
[[noreturn]] inline void stop_kernel() { __builtin_trap(); }

/// By the hardware's count, of work groups.
inline void read_place(uint32_t (&block)[3], uint32_t (&thread)[3]) {
    block[0] = __builtin_amdgcn_workgroup_id_x(), block[1] = __builtin_amdgcn_workgroup_id_y();
    block[2] = __builtin_amdgcn_workgroup_id_z();
    thread[0] = __builtin_amdgcn_workitem_id_x(), thread[1] = __builtin_amdgcn_workitem_id_y();
    thread[2] = __builtin_amdgcn_workitem_id_z();
}

/// Of a work group's and its thread's numbers, where that is a cluster, makes a block's and those of a thread in it.
inline void find_place_in_cluster(uint32_t (&block)[3], uint32_t (&thread)[3]) {
    using Launch = const __attribute__((address_space(4))) ptx::gpu::ClusterLaunch*;
    // Two words of services lie between it and the hidden arguments.
    const auto hidden = reinterpret_cast<uint64_t>(__builtin_amdgcn_implicitarg_ptr());
    const auto launch = reinterpret_cast<Launch>(hidden - 2 * sizeof(uint64_t) - sizeof(ptx::gpu::ClusterLaunch));
    const uint32_t threads = launch->block[0] * launch->block[1] * launch->block[2];
    const uint32_t of_waves = (threads + CUTTLE_WAVE - 1) / CUTTLE_WAVE * CUTTLE_WAVE;
    uint32_t rank = thread[0] / of_waves, number = thread[0] % of_waves;
    for (unsigned i = 0; i < 3; i++) {
        block[i] = block[i] * launch->cluster[i] + rank % launch->cluster[i];
        rank /= launch->cluster[i];
        thread[i] = number % launch->block[i];
        number /= launch->block[i];
    }
}

} // namespace

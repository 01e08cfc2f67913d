#pragma once

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

} // namespace

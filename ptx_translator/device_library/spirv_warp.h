#pragma once

#include <stdint.h>

/// A CUDA warp as a SPIR-V sub-group. The library is neutral IR (docs/neutral_ir.md) like what it is linked to: it
/// calls `cuttle.*` functions, which llvm_to_code/spirv_calls.cpp lowers. Compiled by clang for AMDGPU, whose address
/// spaces are the neutral ones.
namespace {

extern "C" {
uint32_t spirv_lane() __asm__("cuttle.sreg.laneid") __attribute__((const));
uint32_t spirv_block_x() __asm__("cuttle.sreg.ctaid.x") __attribute__((const));
uint32_t spirv_block_y() __asm__("cuttle.sreg.ctaid.y") __attribute__((const));
uint32_t spirv_block_z() __asm__("cuttle.sreg.ctaid.z") __attribute__((const));
uint32_t spirv_thread_x() __asm__("cuttle.sreg.tid.x") __attribute__((const));
uint32_t spirv_thread_y() __asm__("cuttle.sreg.tid.y") __attribute__((const));
uint32_t spirv_thread_z() __asm__("cuttle.sreg.tid.z") __attribute__((const));
uint32_t spirv_size_x() __asm__("cuttle.sreg.ntid.x") __attribute__((const));
uint32_t spirv_size_y() __asm__("cuttle.sreg.ntid.y") __attribute__((const));
uint32_t spirv_size_z() __asm__("cuttle.sreg.ntid.z") __attribute__((const));
uint32_t spirv_ballot(uint32_t predicate) __asm__("cuttle.subgroup.ballot");
uint32_t spirv_shuffle(uint32_t value, uint32_t lane) __asm__("cuttle.subgroup.shuffle");
void spirv_warp_barrier() __asm__("cuttle.subgroup.barrier");
void spirv_block_barrier() __asm__("cuttle.block.barrier");
[[noreturn]] void spirv_exit() __asm__("cuttle.exit");
}

inline uint32_t lane() { return spirv_lane(); }
/// Bits of the warp's active lanes.
inline uint32_t ballot(bool predicate) { return spirv_ballot(predicate); }
/// Useless where that lane is not active.
inline uint32_t value_of_lane(uint32_t value, uint32_t number) { return spirv_shuffle(value, number); }
inline uint32_t value_or_zero(uint32_t value, uint32_t number) {
    const uint32_t active = ballot(true), other = spirv_shuffle(value, number);
    return active >> number & 1 ? other : 0;
}
inline uint32_t first_lane_of(uint32_t value) {
    return spirv_shuffle(value, uint32_t(__builtin_ctz(ballot(true) | 0x80000000)));
}

inline uint64_t active_lanes() { return ballot(true); }
/// How many of `lanes` come before this one.
inline uint32_t count_before(uint64_t lanes) {
    return uint32_t(__builtin_popcount(uint32_t(lanes) & ((1u << lane()) - 1)));
}

inline void warp_barrier() { spirv_warp_barrier(); }
inline void block_barrier() { spirv_block_barrier(); }
/// There is nothing to ask of a processor that runs several sub-groups at a time.
inline void pause() {}

[[noreturn]] inline void end_lanes() { spirv_exit(); }
/// By an access that no memory is at. The driver then loses the device.
[[noreturn]] inline void stop_kernel() {
    *reinterpret_cast<volatile uint32_t*>(uint64_t{16}) = 0;
    spirv_exit();
}

inline void read_place(uint32_t (&block)[3], uint32_t (&thread)[3]) {
    block[0] = spirv_block_x(), block[1] = spirv_block_y(), block[2] = spirv_block_z();
    thread[0] = spirv_thread_x(), thread[1] = spirv_thread_y(), thread[2] = spirv_thread_z();
}

/// The translator has seen to that (llvm_to_code/gpu_clusters.h): gpu::cluster_bit is never set.
inline void find_place_in_cluster(uint32_t (&)[3], uint32_t (&)[3]) {}

} // namespace

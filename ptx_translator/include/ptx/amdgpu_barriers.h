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

/// A barrier that does not wait for threads that have returned.
struct CountingBarrier {
    uint32_t arrived, phase; ///< as in Barrier
    uint32_t gone;           ///< threads that have returned
    uint32_t reserved;
};

/// In the shared memory of each block of a cluster, which is one work group (llvm_to_code/gpu_clusters.h). Barrier 0
/// of all threads of the block is barriers[0], with the threads that have returned in reserved[0]. The cluster's is
/// that of its first block.
struct ClusterArea {
    BarrierArea block;
    CountingBarrier cluster;
};
static_assert(sizeof(ClusterArea) == 288 && sizeof(ClusterArea) % 16 == 0);

} // namespace ptx::amdgpu

namespace ptx::gpu {

/// The barrier of all threads where the hardware's does not do: on Intel's GPUs, in kernels whose threads may return early
/// (llvm_to_code/spirv_barriers.cpp).
struct WholeBarrier {
    uint32_t warps;      ///< 0x10000 for each that has not returned, 1 for each that has arrived
    uint32_t phase;      ///< how often it was complete
    uint32_t reserved[2];
    uint32_t left[32];   ///< lanes of each warp that have returned
};
static_assert(sizeof(WholeBarrier) == 144);

} // namespace ptx::gpu

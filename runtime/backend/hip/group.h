#pragma once

#include "backend/backend.h"
#include "ptx/gpu_services.h"

namespace rt::backend::hip {

/// The work groups of a launch: blocks, or, of a kernel that has to do with clusters, clusters.
struct Group {
    Dim3 grid, threads;
    uint32_t dynamic_shared_bytes = 0;
    ptx::gpu::ClusterLaunch cluster{}; ///< for KernelInfo::uses_cluster
};

/// `lanes`: of a wave. Throws Error{invalid_cluster_size} for a cluster that is no work group of the device's: its
/// threads, or its shared memory, are too many.
Group group_of(const Launch& launch, const DeviceFacts& facts, uint32_t lanes);

} // namespace rt::backend::hip

#pragma once

#include "backend/backend.h"
#include "ptx/gpu_services.h"

#include <optional>

namespace rt::backend::gpu {

/// The work groups of a launch: blocks, or, of a kernel that has to do with clusters, clusters.
struct Group {
    Dim3 grid, threads;
    uint32_t dynamic_shared_bytes = 0;
    ptx::gpu::ClusterLaunch cluster{}; ///< for KernelInfo::uses_cluster
};

/// `lanes`: of a wave. Nothing for a cluster that is no work group of the device's: its threads, or its shared memory,
/// are too many.
std::optional<Group> group_of(const Launch& launch, const DeviceFacts& facts, uint32_t lanes);
/// The same, but throws Error{invalid_cluster_size}.
Group checked_group_of(const Launch& launch, const DeviceFacts& facts, uint32_t lanes);
/// ClusterLimits::resident_clusters.
uint64_t resident_clusters(const Device& device, const Launch& launch, uint32_t lanes);

} // namespace rt::backend::gpu

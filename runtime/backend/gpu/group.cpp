#include "backend/gpu/group.h"

#include "rt/error.h"

#include <fmt/format.h>

namespace rt::backend::gpu {

namespace {

uint64_t rounded_up(uint64_t value, uint64_t unit) { return (value + unit - 1) / unit * unit; }

void put(uint32_t (&to)[3], Dim3 from) { to[0] = from.x, to[1] = from.y, to[2] = from.z; }

/// Of a cluster as one work group.
struct Need {
    uint64_t threads, window; ///< of all blocks; bytes of one
};

Need need_of(const Launch& launch, uint32_t lanes) {
    const uint64_t shared = rounded_up(launch.kernel->info().static_shared_bytes, 16) + launch.dynamic_shared_bytes;
    return {rounded_up(launch.block.count(), lanes) * launch.cluster.count(),
            rounded_up(shared, ptx::gpu::cluster_window_alignment)};
}

} // namespace

std::optional<Group> group_of(const Launch& launch, const DeviceFacts& facts, uint32_t lanes) {
    const ptx::KernelInfo& info = launch.kernel->info();
    // A kernel that does not ask for its cluster cannot tell that there is none.
    if (!info.uses_cluster) return Group{launch.grid, launch.block, launch.dynamic_shared_bytes, {}};
    const uint64_t blocks = launch.cluster.count();
    const auto [threads, window] = need_of(launch, lanes);
    if (threads > facts.max_threads_per_block || window * blocks > facts.shared_bytes_per_block_optin) return {};
    Group group;
    group.grid = {launch.grid.x / launch.cluster.x, launch.grid.y / launch.cluster.y, launch.grid.z / launch.cluster.z};
    group.threads.x = uint32_t(threads);
    group.dynamic_shared_bytes = uint32_t(window * blocks) - info.static_shared_bytes;
    put(group.cluster.block, launch.block);
    put(group.cluster.grid, launch.grid);
    put(group.cluster.cluster, launch.cluster);
    group.cluster.window_bytes = uint32_t(window);
    group.cluster.dynamic_bytes = launch.dynamic_shared_bytes;
    group.cluster.is_explicit = blocks > 1;
    return group;
}

Group checked_group_of(const Launch& launch, const DeviceFacts& facts, uint32_t lanes) {
    if (const auto group = group_of(launch, facts, lanes)) return *group;
    const uint64_t blocks = launch.cluster.count();
    const auto [threads, window] = need_of(launch, lanes);
    throw Error(Status::invalid_cluster_size,
                fmt::format("{}: a cluster runs as one work group, and {} blocks have {} threads and {} bytes of "
                            "shared memory; the device has {} and {}",
                            launch.kernel->info().name, blocks, threads, window * blocks, facts.max_threads_per_block,
                            facts.shared_bytes_per_block_optin));
}

uint64_t resident_clusters(const Device& device, const Launch& launch, uint32_t lanes) {
    const auto group = group_of(launch, device.facts(), lanes);
    if (!group) return 0;
    const uint32_t groups = device.resident_blocks_per_multiprocessor(*launch.kernel, uint32_t(group->threads.count()),
                                                                      group->dynamic_shared_bytes);
    const uint64_t resident = uint64_t{groups} * device.facts().multiprocessors;
    return launch.kernel->info().uses_cluster ? resident : resident / launch.cluster.count();
}

} // namespace rt::backend::gpu

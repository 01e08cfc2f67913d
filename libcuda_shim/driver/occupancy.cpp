#include "api/bodies.h"
#include "api/constants.h"
#include "driver/handles.h"
#include "rt/occupancy.h"

#include <algorithm>

namespace shim {
namespace {

int device_attribute(rt::Function& function, int attribute) {
    return function.module().context().device().attribute(attribute).value_or(0);
}

void check_flags(unsigned flags) {
    require_value((flags & ~unsigned(CU_OCCUPANCY_DISABLE_CACHING_OVERRIDE)) == 0, "unknown flags");
}

/// The cluster that a launch of this configuration would get; 1 block without one.
rt::backend::Dim3 cluster_of(rt::Function& function, const CUlaunchConfig& config, bool& given) {
    rt::backend::Dim3 asked{0, 0, 0};
    for (unsigned i = 0; i < config.numAttrs; ++i) {
        if (config.attrs[i].id != CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION) continue;
        const auto& dim = config.attrs[i].value.clusterDim;
        asked = {dim.x, dim.y, dim.z};
    }
    const auto cluster = function.cluster_for({config.gridDimX, config.gridDimY, config.gridDimZ}, asked);
    given = asked.x || cluster.count() > 1;
    return cluster;
}

const CUlaunchConfig& checked(const CUlaunchConfig* config) {
    require_value(config && (config->attrs || config->numAttrs == 0), "no configuration");
    return *config;
}

uint64_t resident_clusters(rt::Function& function, const CUlaunchConfig& config, rt::backend::Dim3 cluster) {
    const rt::backend::Dim3 block{config.blockDimX, config.blockDimY, config.blockDimZ};
    require_value(block.count() > 0 && block.count() <= 1024, "block of no or too many threads");
    return rt::max_active_clusters(function, block, config.sharedMemBytes, cluster);
}

} // namespace

Status driver::cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* count, CUfunction function, int block_threads,
                                                                    size_t shared_bytes, unsigned int flags) {
    out(count, "numBlocks");
    check_flags(flags);
    require_value(block_threads > 0, "block of no threads");
    *count = function_of(function).max_active_blocks(block_threads, shared_bytes);
    return Status::success;
}

// The block size, a multiple of the warp, that keeps most threads resident; the larger one of equals.
Status driver::cuOccupancyMaxPotentialBlockSizeWithFlags(int* min_grid, int* block_size, CUfunction handle,
                                                         CUoccupancyB2DSize shared_for_block, size_t shared_bytes,
                                                         int limit, unsigned int flags) {
    require_value(min_grid && block_size && limit >= 0, "nowhere to put the sizes, or a limit below 0");
    check_flags(flags);
    rt::Function& function = function_of(handle);
    const int warp = device_attribute(function, CU_DEVICE_ATTRIBUTE_WARP_SIZE);
    int largest = function.attribute(CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
    if (limit > 0) largest = std::min(largest, limit);
    int best_threads = 0, best_block = 0, best_count = 0;
    for (int rounded = (largest + warp - 1) / warp * warp; rounded > 0; rounded -= warp) {
        const int block = std::min(rounded, largest);
        const size_t shared = shared_for_block ? shared_for_block(block) : shared_bytes;
        const int count = function.max_active_blocks(block, shared);
        if (count * block <= best_threads) continue;
        best_threads = count * block;
        best_block = block;
        best_count = count;
    }
    *block_size = best_block;
    *min_grid = best_count * device_attribute(function, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
    return Status::success;
}

Status driver::cuOccupancyAvailableDynamicSMemPerBlock(size_t* bytes, CUfunction handle, int blocks,
                                                       int block_threads) {
    out(bytes, "dynamicSmemSize");
    require_value(blocks > 0 && block_threads > 0, "no blocks, or blocks of no threads");
    rt::Function& function = function_of(handle);
    require_value(function.max_active_blocks(block_threads, 0) >= blocks, "so many blocks do not fit");
    const int reserved = device_attribute(function, CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK);
    const int whole = device_attribute(function, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR);
    const int most = device_attribute(function, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
    const int share = std::min(whole / blocks - reserved, most);
    const int left = share - function.attribute(CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES);
    *bytes = size_t(std::max(left, 0)) / 128 * 128;
    return Status::success;
}

// Without a cluster an H100's driver counts none.
Status driver::cuOccupancyMaxActiveClusters(int* clusters, CUfunction handle, const CUlaunchConfig* config) {
    out(clusters, "numClusters");
    rt::Function& function = function_of(not_null(handle, "function"));
    bool given = false;
    const auto cluster = cluster_of(function, checked(config), given);
    const uint64_t resident = resident_clusters(function, *config, cluster);
    *clusters = given ? int(resident) : 0;
    return Status::success;
}

// 8 blocks are what every device with clusters takes, 16 what a kernel may ask for.
Status driver::cuOccupancyMaxPotentialClusterSize(int* size, CUfunction handle, const CUlaunchConfig* config) {
    out(size, "clusterSize");
    rt::Function& function = function_of(not_null(handle, "function"));
    bool given = false;
    cluster_of(function, checked(config), given);
    int blocks = function.attribute(CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED) ? 16 : 8;
    while (blocks > 0 && resident_clusters(function, *config, {uint32_t(blocks), 1, 1}) == 0) --blocks;
    *size = blocks;
    return Status::success;
}

} // namespace shim

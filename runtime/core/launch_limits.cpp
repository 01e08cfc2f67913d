#include "core/launch_limits.h"

#include "rt/context.h"
#include "support/log.h"

#include <algorithm>

namespace rt {
namespace {

using backend::Dim3;

Dim3 dim(const std::array<uint32_t, 3>& d) { return {std::max(d[0], 1u), std::max(d[1], 1u), std::max(d[2], 1u)}; }

std::string text(Dim3 d) { return fmt::format("({}, {}, {})", d.x, d.y, d.z); }

struct Axis {
    const char* name;
    uint32_t Dim3::*extent;
    int block_attribute, grid_attribute;
};

// Numbers of MAX_BLOCK_DIM_* and MAX_GRID_DIM_*.
constexpr Axis axes[] = {{"x", &Dim3::x, 2, 5}, {"y", &Dim3::y, 3, 6}, {"z", &Dim3::z, 4, 7}};

void check_extent(const std::string& kernel, const char* what, const Axis& axis, uint32_t extent, int limit) {
    if (extent >= 1 && extent <= uint32_t(limit)) return;
    throw Error(Status::invalid_value,
                fmt::format("{}: {} dimension {} is {}, allowed are 1 to {}", kernel, what, axis.name, extent, limit));
}

void check_shape(Function& function, const backend::Launch& launch) {
    auto& device = function.module().context().device();
    for (auto& axis : axes) {
        check_extent(function.name(), "block", axis, launch.block.*axis.extent,
                     *device.attribute(axis.block_attribute));
        check_extent(function.name(), "grid", axis, launch.grid.*axis.extent, *device.attribute(axis.grid_attribute));
    }
    const uint64_t threads = launch.block.count();
    if (threads > device.facts().max_threads_per_block)
        throw Error(Status::invalid_value, fmt::format("{}: {} threads in a block, the device allows {}",
                                                       function.name(), threads, device.facts().max_threads_per_block));
}

// PTX ISA 11.4, .reqntid and .maxntid.
void check_thread_limits(Function& function, const backend::Launch& launch) {
    const auto& required = function.info().required_threads;
    const Dim3 must = dim(required);
    if (required[0] && (launch.block.x != must.x || launch.block.y != must.y || launch.block.z != must.z))
        throw Error(Status::invalid_value, fmt::format("{}: a block of {}, the kernel is made for {}", function.name(),
                                                       text(launch.block), text(must)));
    const uint64_t threads = launch.block.count();
    const uint32_t allowed = max_threads_of(function);
    if (threads > allowed)
        throw Error(Status::invalid_value, // what an H100's driver says
                    fmt::format("{}: {} threads in a block, the kernel allows {}", function.name(), threads, allowed));
}

void check_shared(Function& function, const backend::Launch& launch) {
    const uint32_t allowed = max_dynamic_shared_of(function);
    if (launch.dynamic_shared_bytes <= allowed) return;
    throw Error(Status::invalid_value, fmt::format("{}: {} bytes of dynamic shared memory, {} are allowed (see "
                                                   "CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES)",
                                                   function.name(), launch.dynamic_shared_bytes, allowed));
}

// CUDA driver API, cuLaunchCooperativeKernel: all blocks must be resident at once.
void check_cooperative(Function& function, const backend::Launch& launch, uint32_t multiprocessors) {
    if (!launch.cooperative) return;
    const auto& facts = function.module().context().device().facts();
    if (!facts.cooperative_launch) throw Error(Status::not_supported, "the device has no cooperative launch");
    const uint64_t resident =
        uint64_t(function.max_active_blocks(int(launch.block.count()), launch.dynamic_shared_bytes)) *
        std::min(multiprocessors, facts.multiprocessors);
    if (launch.grid.count() > resident)
        throw Error(Status::cooperative_launch_too_large, fmt::format("{}: {} blocks, {} fit on the device at once",
                                                                      function.name(), launch.grid.count(), resident));
}

} // namespace

uint32_t max_threads_of(Function& function) {
    uint64_t allowed = function.module().context().device().facts().max_threads_per_block;
    for (auto* given : {&function.info().max_threads, &function.info().required_threads})
        if ((*given)[0]) allowed = std::min(allowed, dim(*given).count());
    return uint32_t(allowed);
}

uint32_t max_dynamic_shared_of(Function& function) {
    constexpr int max_dynamic_attribute = 8;
    return uint32_t(function.attribute(max_dynamic_attribute));
}

void check_launch(Function& function, const backend::Launch& launch, uint32_t multiprocessors) {
    check_shape(function, launch);
    check_thread_limits(function, launch);
    check_shared(function, launch);
    check_cooperative(function, launch, multiprocessors);
    if (launch.parameters.size() < function.info().parameter_bytes)
        throw Error(Status::invalid_value, fmt::format("{}: {} bytes of parameters, the kernel has {}", function.name(),
                                                       launch.parameters.size(), function.info().parameter_bytes));
}

} // namespace rt

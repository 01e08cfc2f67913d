#include "api/bodies.h"
#include "api/constants.h"
#include "driver/handles.h"
#include "driver/launch_arguments.h"
#include "rt/platform.h"

#include <fmt/format.h>

#include <memory>
#include <vector>

namespace shim {
namespace {

using rt::backend::Dim3;

/// What a launch asks for beyond its shape.
struct Extras {
    bool cooperative = false;
    Dim3 cluster{0, 0, 0};          ///< 0, 0, 0: none given
    std::vector<rt::Event*> events; ///< recorded behind the kernel
};

void apply(const CUlaunchAttribute& attribute, Extras& extras) {
    const CUlaunchAttributeValue& value = attribute.value;
    switch (attribute.id) {
    case CU_LAUNCH_ATTRIBUTE_COOPERATIVE:
        extras.cooperative = value.cooperative != 0;
        return;
    case CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION:
        extras.cluster = {value.clusterDim.x, value.clusterDim.y, value.clusterDim.z};
        return;
    // A hint: a cluster's blocks run on one thread.
    case CU_LAUNCH_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE:
        require_value(value.priority >= 0 && value.priority <= 2, "no such policy of scheduling clusters");
        return;
    // Events may come late: behind the kernel they are always true.
    case CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_EVENT:
        extras.events.push_back(&event_of(value.programmaticEvent.event));
        return;
    case CU_LAUNCH_ATTRIBUTE_LAUNCH_COMPLETION_EVENT:
        extras.events.push_back(&event_of(value.launchCompletionEvent.event));
        return;
    // Leave to overlap, to prefer, to place: the plain launch satisfies them all.
    case CU_LAUNCH_ATTRIBUTE_IGNORE:
    case CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW:
    case CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY:
    case CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION:
    case CU_LAUNCH_ATTRIBUTE_PRIORITY:
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN_MAP:
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN:
    case CU_LAUNCH_ATTRIBUTE_PREFERRED_CLUSTER_DIMENSION:
    case CU_LAUNCH_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
    case CU_LAUNCH_ATTRIBUTE_NVLINK_UTIL_CENTRIC_SCHEDULING:
        return;
    case CU_LAUNCH_ATTRIBUTE_DEVICE_UPDATABLE_KERNEL_NODE:
        throw Error(Status::not_supported, "kernel nodes that a device updates are not supported");
    default:
        throw Error(Status::invalid_value, fmt::format("unknown launch attribute {}", attribute.id));
    }
}

Status launch(CUfunction handle, Dim3 grid, Dim3 block, unsigned shared_bytes, CUstream stream_handle,
              void** parameters, void** extra, const Extras& extras = {}) {
    rt::Function& function = function_of(handle);
    rt::Stream& stream = stream_of(stream_handle);
    if (&function.module().context() != &stream.context()) {
        throw Error(Status::invalid_handle, "kernel and stream belong to different contexts");
    }
    const std::vector<uint8_t> arguments = arguments_of(function, parameters, extra);
    function.launch(stream, grid, block, shared_bytes, arguments, extras.cooperative, extras.cluster);
    for (rt::Event* event : extras.events) stream.record(*event);
    return Status::success;
}

/// What comes next in each stream waits for what is in all of them.
void meet(const std::vector<rt::Stream*>& streams) {
    if (streams.size() < 2) return;
    std::vector<std::unique_ptr<rt::Event>> reached;
    for (rt::Stream* stream : streams) {
        reached.push_back(std::make_unique<rt::Event>(stream->context(), CU_EVENT_DISABLE_TIMING));
        stream->record(*reached.back());
    }
    for (rt::Stream* stream : streams)
        for (const auto& event : reached) stream->wait_for(*event);
}

} // namespace

Status driver::cuLaunchKernel(CUfunction function, unsigned int grid_x, unsigned int grid_y, unsigned int grid_z,
                              unsigned int block_x, unsigned int block_y, unsigned int block_z,
                              unsigned int shared_bytes, CUstream stream, void** parameters, void** extra) {
    return launch(function, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared_bytes, stream, parameters,
                  extra);
}

Status driver::cuLaunchKernelEx(const CUlaunchConfig* config, CUfunction function, void** parameters, void** extra) {
    require_value(config && (config->attrs || config->numAttrs == 0), "no configuration, or attributes without a list");
    Extras extras;
    for (unsigned i = 0; i < config->numAttrs; ++i) apply(config->attrs[i], extras);
    return launch(function, {config->gridDimX, config->gridDimY, config->gridDimZ},
                  {config->blockDimX, config->blockDimY, config->blockDimZ}, config->sharedMemBytes, config->hStream,
                  parameters, extra, extras);
}

Status driver::cuLaunchCooperativeKernel(CUfunction function, unsigned int grid_x, unsigned int grid_y,
                                         unsigned int grid_z, unsigned int block_x, unsigned int block_y,
                                         unsigned int block_z, unsigned int shared_bytes, CUstream stream,
                                         void** parameters) {
    Extras extras;
    extras.cooperative = true;
    return launch(function, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared_bytes, stream, parameters,
                  nullptr, extras);
}

// One launch on each of several devices, as one: none begins before what is in the streams of all is over, nor does
// anything behind them before all have ended, unless the flags say so. CUDA driver API,
// cuLaunchCooperativeKernelMultiDevice; what is refused follows an H100.
Status driver::cuLaunchCooperativeKernelMultiDevice(CUDA_LAUNCH_PARAMS* list, unsigned int count, unsigned int flags) {
    constexpr unsigned no_sync_before = 1, no_sync_after = 2;
    require_value(list && count && count <= unsigned(rt::Platform::get().device_count()), "no launches, or too many");
    require_value((flags & ~(no_sync_before | no_sync_after)) == 0, "unknown flags");
    std::vector<rt::Stream*> streams;
    for (unsigned i = 0; i < count; ++i) {
        rt::Stream& stream = created_stream_of(list[i].hStream);
        for (rt::Stream* other : streams)
            require_value(&other->context().device() != &stream.context().device(), "two launches on one device");
        streams.push_back(&stream);
    }
    if (!(flags & no_sync_before)) meet(streams);
    for (unsigned i = 0; i < count; ++i) {
        const CUDA_LAUNCH_PARAMS& p = list[i];
        cuLaunchCooperativeKernel(p.function, p.gridDimX, p.gridDimY, p.gridDimZ, p.blockDimX, p.blockDimY,
                                  p.blockDimZ, p.sharedMemBytes, p.hStream, p.kernelParams);
    }
    if (!(flags & no_sync_after)) meet(streams);
    return Status::success;
}

// How the stream's thread waits for the function, asleep (0) or not (1), is a hint.
Status driver::cuLaunchHostFunc_v2(CUstream stream, CUhostFn function, void* data, unsigned int mode) {
    require_value(mode <= 1, "unknown way to wait");
    return cuLaunchHostFunc(stream, function, data);
}

Status driver::cuLaunchHostFunc(CUstream stream, CUhostFn function, void* data) {
    require_value(function, "no function");
    stream_of(stream).call(rt::HostFunction{function, data});
    return Status::success;
}

} // namespace shim

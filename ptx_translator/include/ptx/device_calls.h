#pragma once

#include <stdint.h> // <cstdint> is not there for every device

/// The calls by which device code launches kernels (device_calls.def), and what they return.
namespace ptx::host {

/// Generated code passes these numbers.
enum class DeviceCall : uint32_t {
#define DEVICE_CALL(call, name, result, arguments) call,
#include "ptx/device_calls.def"
};

/// The first of two arguments that are addresses of a grid's and a block's extents; -1 when there are none.
constexpr int extents_of(DeviceCall call) {
    return call == DeviceCall::get_parameter_buffer_v2 ? 1 : call == DeviceCall::launch_device ? 2 : -1;
}

/// Results of device calls, as libcudadevrt translates them to cudaError_t.
enum class DeviceStatus : uint32_t {
    success = 0,
    invalid_value = 1,
    startup_failure = 2,
    invalid_device = 3,
    memory_allocation = 4,
    launch_max_depth_exceeded = 5,
    launch_out_of_resources = 6,
    invalid_configuration = 7,
    sync_depth_exceeded = 11,
    launch_pending_count_exceeded = 12,
    unsupported_limit = 13,
};

} // namespace ptx::host

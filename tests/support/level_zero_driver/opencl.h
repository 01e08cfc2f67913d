#pragma once

#define CL_TARGET_OPENCL_VERSION 300
#include <CL/cl.h>

#include <mutex>

namespace level_zero_driver {

struct OpenCl {
    cl_device_id device = nullptr;
    cl_context context = nullptr;
    cl_command_queue queue = nullptr;
    std::mutex mutex; ///< for what sets a kernel's arguments and launches it
};

/// Null when there is no OpenCL processor device with shared virtual memory.
OpenCl* start_opencl();
/// Only after start_opencl() found one.
OpenCl& opencl();

} // namespace level_zero_driver

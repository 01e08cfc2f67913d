#pragma once

#define CL_TARGET_OPENCL_VERSION 300
#include <CL/cl.h>
#include <level_zero/ze_api.h>

#include <mutex>

/// A Level Zero driver for tests. The loader finds it by ZE_ENABLE_ALT_DRIVERS; it has one device, which is an OpenCL
/// processor device. It does what Cuttle's back end asks of a driver and answers everything else as unsupported.
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

/// Lets `kernel` reach all memory that was handed out.
cl_int open_memory_to(cl_kernel kernel);

} // namespace level_zero_driver

#include "opencl.h"

#include <vector>

namespace level_zero_driver {

namespace {

bool find_device(OpenCl& cl) {
    cl_uint count = 0;
    if (clGetPlatformIDs(0, nullptr, &count) != CL_SUCCESS || count == 0) return false;
    std::vector<cl_platform_id> platforms(count);
    clGetPlatformIDs(count, platforms.data(), nullptr);
    for (cl_platform_id platform : platforms) {
        cl_device_svm_capabilities shared = 0;
        if (clGetDeviceIDs(platform, CL_DEVICE_TYPE_CPU, 1, &cl.device, nullptr) != CL_SUCCESS) continue;
        clGetDeviceInfo(cl.device, CL_DEVICE_SVM_CAPABILITIES, sizeof shared, &shared, nullptr);
        if (shared & CL_DEVICE_SVM_FINE_GRAIN_BUFFER) return true;
    }
    return false;
}

OpenCl& instance() {
    static auto& cl = *new OpenCl;
    return cl;
}

} // namespace

OpenCl* start_opencl() {
    static const bool started = [] {
        OpenCl& cl = instance();
        if (!find_device(cl)) return false;
        cl_int error = CL_SUCCESS;
        cl.context = clCreateContext(nullptr, 1, &cl.device, nullptr, nullptr, &error);
        if (error == CL_SUCCESS) cl.queue = clCreateCommandQueueWithProperties(cl.context, cl.device, nullptr, &error);
        return error == CL_SUCCESS;
    }();
    return started ? &instance() : nullptr;
}

OpenCl& opencl() { return instance(); }

} // namespace level_zero_driver

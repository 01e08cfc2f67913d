#include "modules.h"

#include "functions.h"
#include "spirv_to_opencl.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace level_zero_driver {

namespace {

struct Argument {
    size_t bytes = 0;
    std::vector<uint8_t> value; ///< empty: local memory
};

struct Kernel {
    cl_kernel kernel = nullptr;
    cl_uint argument_count = 0;
    std::array<size_t, 3> group{1, 1, 1};
    std::vector<Argument> arguments;
};

Kernel& object(ze_kernel_handle_t handle) { return *reinterpret_cast<Kernel*>(handle); }
cl_program object(ze_module_handle_t handle) { return reinterpret_cast<cl_program>(handle); }

ze_result_t create_module(ze_context_handle_t, ze_device_handle_t, const ze_module_desc_t* description,
                          ze_module_handle_t* module, ze_module_build_log_handle_t* build_log) {
    if (description->format != ZE_MODULE_FORMAT_IL_SPIRV) return ZE_RESULT_ERROR_UNSUPPORTED_FEATURE;
    std::string log;
    cl_program program = build_program({description->pInputModule, description->inputSize},
                                       description->pBuildFlags ? description->pBuildFlags : "", log);
    if (build_log) *build_log = reinterpret_cast<ze_module_build_log_handle_t>(new std::string(log));
    if (!program) return ZE_RESULT_ERROR_MODULE_BUILD_FAILURE;
    *module = reinterpret_cast<ze_module_handle_t>(program);
    return ZE_RESULT_SUCCESS;
}

ze_result_t destroy_module(ze_module_handle_t module) {
    clReleaseProgram(object(module));
    return ZE_RESULT_SUCCESS;
}

ze_result_t get_log(ze_module_build_log_handle_t handle, size_t* bytes, char* text) {
    const auto& log = *reinterpret_cast<std::string*>(handle);
    if (text) std::memcpy(text, log.c_str(), std::min(*bytes, log.size() + 1));
    *bytes = log.size() + 1;
    return ZE_RESULT_SUCCESS;
}

ze_result_t destroy_log(ze_module_build_log_handle_t handle) {
    delete reinterpret_cast<std::string*>(handle);
    return ZE_RESULT_SUCCESS;
}

ze_result_t create_kernel(ze_module_handle_t module, const ze_kernel_desc_t* description, ze_kernel_handle_t* result) {
    cl_int error = CL_SUCCESS;
    Kernel kernel;
    kernel.kernel = clCreateKernel(object(module), description->pKernelName, &error);
    if (error != CL_SUCCESS) return ZE_RESULT_ERROR_INVALID_KERNEL_NAME;
    clGetKernelInfo(kernel.kernel, CL_KERNEL_NUM_ARGS, sizeof kernel.argument_count, &kernel.argument_count, nullptr);
    kernel.arguments.resize(kernel.argument_count);
    *result = reinterpret_cast<ze_kernel_handle_t>(new Kernel(std::move(kernel)));
    return ZE_RESULT_SUCCESS;
}

ze_result_t destroy_kernel(ze_kernel_handle_t handle) {
    clReleaseKernel(object(handle).kernel);
    delete &object(handle);
    return ZE_RESULT_SUCCESS;
}

ze_result_t get_properties(ze_kernel_handle_t handle, ze_kernel_properties_t* p) {
    p->numKernelArgs = object(handle).argument_count;
    p->requiredGroupSizeX = p->requiredGroupSizeY = p->requiredGroupSizeZ = 0;
    p->requiredNumSubGroups = p->maxNumSubgroups = 0;
    // Every kernel of ours requires 32. PoCL has no sub-groups; a kernel that uses them does not build there.
    p->requiredSubgroupSize = p->maxSubgroupSize = 32;
    p->localMemSize = p->privateMemSize = p->spillMemSize = 0;
    return ZE_RESULT_SUCCESS;
}

ze_result_t set_group_size(ze_kernel_handle_t handle, uint32_t x, uint32_t y, uint32_t z) {
    if (uint64_t{x} * y * z == 0 || uint64_t{x} * y * z > 1024) return ZE_RESULT_ERROR_INVALID_GROUP_SIZE_DIMENSION;
    object(handle).group = {x, y, z};
    return ZE_RESULT_SUCCESS;
}

ze_result_t set_argument(ze_kernel_handle_t handle, uint32_t index, size_t bytes, const void* value) {
    Kernel& kernel = object(handle);
    if (index >= kernel.arguments.size()) return ZE_RESULT_ERROR_INVALID_KERNEL_ARGUMENT_INDEX;
    if (bytes == 0) return ZE_RESULT_ERROR_INVALID_KERNEL_ARGUMENT_SIZE;
    Argument& argument = kernel.arguments[index];
    argument.bytes = bytes;
    argument.value.clear();
    if (value) argument.value.assign(static_cast<const uint8_t*>(value), static_cast<const uint8_t*>(value) + bytes);
    return ZE_RESULT_SUCCESS;
}

ze_result_t set_indirect_access(ze_kernel_handle_t, ze_kernel_indirect_access_flags_t) { return ZE_RESULT_SUCCESS; }

cl_int run(cl_kernel kernel, const std::vector<Argument>& arguments, const std::array<size_t, 3>& global,
           const std::array<size_t, 3>& local) {
    OpenCl& cl = opencl();
    std::lock_guard lock(cl.mutex);
    cl_int error = open_memory_to(kernel);
    for (cl_uint i = 0; i < arguments.size() && error == CL_SUCCESS; i++)
        error = clSetKernelArg(kernel, i, arguments[i].bytes,
                               arguments[i].value.empty() ? nullptr : arguments[i].value.data());
    if (error == CL_SUCCESS)
        error = clEnqueueNDRangeKernel(cl.queue, kernel, 3, nullptr, global.data(), local.data(), 0, nullptr, nullptr);
    return error == CL_SUCCESS ? clFinish(cl.queue) : error;
}

} // namespace

std::function<ze_result_t()> prepare_launch(ze_kernel_handle_t handle, const ze_group_count_t& groups) {
    const Kernel& kernel = object(handle);
    const std::array<size_t, 3> global{groups.groupCountX * kernel.group[0], groups.groupCountY * kernel.group[1],
                                       groups.groupCountZ * kernel.group[2]};
    return [cl = kernel.kernel, arguments = kernel.arguments, global, local = kernel.group] {
        return run(cl, arguments, global, local) == CL_SUCCESS ? ZE_RESULT_SUCCESS : ZE_RESULT_ERROR_DEVICE_LOST;
    };
}

void fill(ze_module_dditable_t& table) {
    table.pfnCreate = create_module;
    table.pfnDestroy = destroy_module;
}

void fill(ze_module_build_log_dditable_t& table) {
    table.pfnGetString = get_log;
    table.pfnDestroy = destroy_log;
}

void fill(ze_kernel_dditable_t& table) {
    table.pfnCreate = create_kernel;
    table.pfnDestroy = destroy_kernel;
    table.pfnGetProperties = get_properties;
    table.pfnSetGroupSize = set_group_size;
    table.pfnSetArgumentValue = set_argument;
    table.pfnSetIndirectAccess = set_indirect_access;
}

} // namespace level_zero_driver

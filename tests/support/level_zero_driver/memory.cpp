#include "functions.h"
#include "opencl.h"

#include <map>
#include <vector>

namespace level_zero_driver {

namespace {

/// What was handed out, by address, and where OpenCL's allocation around it begins.
struct Allocations {
    std::mutex mutex;
    std::map<void*, void*> beginning;
};

Allocations& allocations() {
    static auto& all = *new Allocations;
    return all;
}

/// OpenCL aligns to the largest of its types only.
ze_result_t allocate(size_t bytes, size_t alignment, void** result) {
    if (alignment == 0) alignment = 64;
    void* begin = clSVMAlloc(opencl().context, CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER, bytes + alignment, 0);
    if (!begin) return ZE_RESULT_ERROR_OUT_OF_DEVICE_MEMORY;
    const auto address = (reinterpret_cast<uint64_t>(begin) + alignment - 1) / alignment * alignment;
    *result = reinterpret_cast<void*>(address);
    std::lock_guard lock(allocations().mutex);
    allocations().beginning[*result] = begin;
    return ZE_RESULT_SUCCESS;
}

ze_result_t allocate_device(ze_context_handle_t, const ze_device_mem_alloc_desc_t*, size_t bytes, size_t alignment,
                            ze_device_handle_t, void** result) {
    return allocate(bytes, alignment, result);
}

ze_result_t allocate_host(ze_context_handle_t, const ze_host_mem_alloc_desc_t*, size_t bytes, size_t alignment,
                          void** result) {
    return allocate(bytes, alignment, result);
}

ze_result_t allocate_shared(ze_context_handle_t, const ze_device_mem_alloc_desc_t*, const ze_host_mem_alloc_desc_t*,
                            size_t bytes, size_t alignment, ze_device_handle_t, void** result) {
    return allocate(bytes, alignment, result);
}

ze_result_t release(ze_context_handle_t, void* address) {
    void* begin = nullptr;
    {
        std::lock_guard lock(allocations().mutex);
        auto found = allocations().beginning.find(address);
        if (found == allocations().beginning.end()) return ZE_RESULT_ERROR_INVALID_ARGUMENT;
        begin = found->second;
        allocations().beginning.erase(found);
    }
    clSVMFree(opencl().context, begin);
    return ZE_RESULT_SUCCESS;
}

ze_result_t create_context(ze_driver_handle_t, const ze_context_desc_t*, ze_context_handle_t* context) {
    *context = reinterpret_cast<ze_context_handle_t>(new int);
    return ZE_RESULT_SUCCESS;
}

ze_result_t destroy_context(ze_context_handle_t context) {
    delete reinterpret_cast<int*>(context);
    return ZE_RESULT_SUCCESS;
}

} // namespace

cl_int open_memory_to(cl_kernel kernel) {
    std::vector<void*> all;
    {
        std::lock_guard lock(allocations().mutex);
        for (const auto& [address, begin] : allocations().beginning) all.push_back(begin);
    }
    if (all.empty()) return CL_SUCCESS;
    return clSetKernelExecInfo(kernel, CL_KERNEL_EXEC_INFO_SVM_PTRS, all.size() * sizeof(void*), all.data());
}

void fill(ze_context_dditable_t& table) {
    table.pfnCreate = create_context;
    table.pfnDestroy = destroy_context;
}

void fill(ze_mem_dditable_t& table) {
    table.pfnAllocDevice = allocate_device;
    table.pfnAllocHost = allocate_host;
    table.pfnAllocShared = allocate_shared;
    table.pfnFree = release;
}

} // namespace level_zero_driver

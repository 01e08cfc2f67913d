#include "engine.h"
#include "functions.h"

#include <map>
#include <mutex>
#include <vector>

namespace level_zero_driver {

namespace {

/// What was handed out, by address.
struct Memory {
    std::mutex mutex;
    std::map<uint64_t, Allocation> given;
};

Memory& memory() {
    static auto& all = *new Memory;
    return all;
}

/// Engines align to the largest of C's types only.
ze_result_t allocate(size_t bytes, size_t alignment, void** result) {
    if (alignment == 0) alignment = 64;
    void* block = engine().allocate(bytes + alignment);
    if (!block) return ZE_RESULT_ERROR_OUT_OF_DEVICE_MEMORY;
    const auto address = (reinterpret_cast<uint64_t>(block) + alignment - 1) / alignment * alignment;
    *result = reinterpret_cast<void*>(address);
    std::lock_guard lock(memory().mutex);
    memory().given[address] = {address, address + bytes, block};
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
    void* block = nullptr;
    {
        std::lock_guard lock(memory().mutex);
        auto found = memory().given.find(reinterpret_cast<uint64_t>(address));
        if (found == memory().given.end()) return ZE_RESULT_ERROR_INVALID_ARGUMENT;
        block = found->second.block;
        memory().given.erase(found);
    }
    engine().release(block);
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

std::vector<Allocation> allocations() {
    std::lock_guard lock(memory().mutex);
    std::vector<Allocation> all;
    for (const auto& [address, each] : memory().given) all.push_back(each);
    return all;
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

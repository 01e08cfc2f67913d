#include "rt/virtual_memory.h"

#include "api/bodies.h"
#include "api/constants.h"
#include "driver/handles.h"
#include "rt/platform.h"

#include <fmt/format.h>

// CUDA driver API, "Virtual Memory Management".
namespace shim {
namespace {

namespace vm = rt::virtual_memory;

/// The device that a descriptor of memory names. Checked.
rt::Device& device_of(const CUmemAllocationProp* properties) {
    require_value(properties, "no properties");
    require_value(properties->type == CU_MEM_ALLOCATION_TYPE_PINNED, "memory is of the pinned type");
    if (properties->location.type != CU_MEM_LOCATION_TYPE_DEVICE)
        throw Error(Status::not_supported, "only memory of devices can be mapped");
    return shim::device_of(CUdevice(properties->location.id));
}

/// Addresses are the process's: any device will do.
rt::Device& any_device() {
    rt::Context* context = rt::Context::current_or_null();
    return context ? context->device() : rt::Platform::get().device(0);
}

void require_descriptor(CUmemAllocationHandleType type) {
    if (type != CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR)
        throw Error(Status::not_supported, fmt::format("memory is not shared by handles of type {}", type));
}

} // namespace

Status driver::cuMemGetAllocationGranularity(size_t* granularity, const CUmemAllocationProp* properties,
                                             CUmemAllocationGranularity_flags option) {
    out(granularity, "granularity");
    require_value(option == CU_MEM_ALLOC_GRANULARITY_MINIMUM || option == CU_MEM_ALLOC_GRANULARITY_RECOMMENDED,
                  "unknown kind of granularity");
    *granularity = vm::granularity(device_of(properties));
    return Status::success;
}

Status driver::cuMemAddressReserve(CUdeviceptr* address, size_t size, size_t alignment, CUdeviceptr wish,
                                   unsigned long long flags) {
    out(address, "ptr");
    require_value(flags == 0, "unknown flags");
    *address = vm::reserve(any_device(), size, alignment, wish);
    return Status::success;
}

Status driver::cuMemAddressFree(CUdeviceptr address, size_t size) {
    vm::unreserve(address, size);
    return Status::success;
}

// Compression is asked for as a wish: what was given is in the properties of the handle.
Status driver::cuMemCreate(CUmemGenericAllocationHandle* handle, size_t size, const CUmemAllocationProp* properties,
                           unsigned long long flags) {
    out(handle, "handle");
    require_value(flags == 0, "unknown flags");
    rt::Device& device = device_of(properties);
    const bool exportable = properties->requestedHandleTypes != CU_MEM_HANDLE_TYPE_NONE;
    if (exportable) require_descriptor(properties->requestedHandleTypes);
    *handle = vm::create(device, size, exportable);
    return Status::success;
}

Status driver::cuMemRelease(CUmemGenericAllocationHandle handle) {
    vm::release(handle);
    return Status::success;
}

Status driver::cuMemRetainAllocationHandle(CUmemGenericAllocationHandle* handle, void* address) {
    out(handle, "handle");
    const auto found = vm::mapped_at(reinterpret_cast<uint64_t>(address));
    require_value(found.has_value(), "nothing is mapped at the address");
    vm::retain(*found);
    *handle = *found;
    return Status::success;
}

Status driver::cuMemGetAllocationPropertiesFromHandle(CUmemAllocationProp* properties,
                                                      CUmemGenericAllocationHandle handle) {
    out(properties, "prop");
    const vm::MemoryFacts facts = vm::facts(handle);
    *properties = {};
    properties->type = CU_MEM_ALLOCATION_TYPE_PINNED;
    properties->requestedHandleTypes =
        facts.exportable ? CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR : CU_MEM_HANDLE_TYPE_NONE;
    properties->location = {CU_MEM_LOCATION_TYPE_DEVICE, facts.device};
    return Status::success;
}

Status driver::cuMemMap(CUdeviceptr address, size_t size, size_t offset, CUmemGenericAllocationHandle handle,
                        unsigned long long flags) {
    require_value(flags == 0, "unknown flags");
    vm::map(address, size, offset, handle);
    return Status::success;
}

// The device's work may still use what is unmapped.
Status driver::cuMemUnmap(CUdeviceptr address, size_t size) {
    if (rt::Context* context = rt::Context::current_or_null()) context->synchronize();
    vm::unmap(address, size);
    return Status::success;
}

Status driver::cuMemSetAccess(CUdeviceptr address, size_t size, const CUmemAccessDesc* list, size_t count) {
    require_value(list && count > 0, "no list");
    for (size_t i = 0; i < count; ++i) {
        if (list[i].location.type != CU_MEM_LOCATION_TYPE_DEVICE)
            throw Error(Status::not_supported, "access is given to devices");
        device_of(list[i].location.id);
        if (list[i].flags == CU_MEM_ACCESS_FLAGS_PROT_READ)
            throw Error(Status::not_supported, "memory that is only read is not supported");
        require_value(list[i].flags == CU_MEM_ACCESS_FLAGS_PROT_NONE ||
                          list[i].flags == CU_MEM_ACCESS_FLAGS_PROT_READWRITE,
                      "unknown kind of access");
    }
    for (size_t i = 0; i < count; ++i)
        vm::set_access(address, size, list[i].flags == CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
    return Status::success;
}

Status driver::cuMemGetAccess(unsigned long long* flags, const CUmemLocation* location, CUdeviceptr address) {
    out(flags, "flags");
    require_value(location && location->type == CU_MEM_LOCATION_TYPE_DEVICE, "access is given to devices");
    device_of(location->id);
    require_value(vm::mapped_at(address).has_value(), "nothing is mapped at the address");
    *flags = vm::accessible_at(address) ? CU_MEM_ACCESS_FLAGS_PROT_READWRITE : CU_MEM_ACCESS_FLAGS_PROT_NONE;
    return Status::success;
}

Status driver::cuMemExportToShareableHandle(void* shareable, CUmemGenericAllocationHandle handle,
                                            CUmemAllocationHandleType type, unsigned long long flags) {
    require_value(shareable && flags == 0, "nowhere to put the handle, or unknown flags");
    require_descriptor(type);
    *static_cast<int*>(shareable) = vm::export_descriptor(handle);
    return Status::success;
}

Status driver::cuMemImportFromShareableHandle(CUmemGenericAllocationHandle* handle, void* shareable,
                                              CUmemAllocationHandleType type) {
    out(handle, "handle");
    require_descriptor(type);
    *handle = vm::import_descriptor(any_device(), int(reinterpret_cast<intptr_t>(shareable)));
    return Status::success;
}

} // namespace shim

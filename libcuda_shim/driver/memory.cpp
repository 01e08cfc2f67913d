#include "rt/memory.h"
#include "api/bodies.h"
#include "api/constants.h"
#include "driver/handles.h"
#include "driver/memory_pool.h"
#include "rt/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace shim {
namespace {

using rt::backend::MemoryKind;

// Rows of cuMemAllocPitch begin at multiples of this (attribute TEXTURE_PITCH_ALIGNMENT and more).
constexpr size_t pitch_alignment = 512;

Status allocate_host(void** pointer, size_t bytes, unsigned flags) {
    out(pointer, "pp");
    if (bytes == 0) { // an H100's driver finds nothing wrong with it
        *pointer = nullptr;
        return Status::success;
    }
    const uint64_t address = rt::memory::allocate(rt::Context::current(), bytes, MemoryKind::pinned, flags);
    *pointer = reinterpret_cast<void*>(address);
    return Status::success;
}

/// The pinned or registered host memory at `pointer`.
rt::Allocation host_allocation(void* pointer) {
    auto found = rt::memory::find(uint64_t(pointer));
    if (found && (found->registered || found->kind == MemoryKind::pinned)) return *found;
    throw Error(Status::invalid_value, "not page-locked host memory");
}

bool is_pinned(void* pointer) {
    const auto found = rt::memory::find(uint64_t(pointer));
    return found && !found->registered && found->kind == MemoryKind::pinned;
}

} // namespace

Status driver::cuMemAlloc_v2(CUdeviceptr* address, size_t bytes) {
    out(address, "dptr");
    require_value(bytes > 0, "allocation of 0 bytes");
    *address = rt::memory::allocate(rt::Context::current(), bytes, MemoryKind::device);
    return Status::success;
}

Status driver::cuMemAllocPitch_v2(CUdeviceptr* address, size_t* pitch, size_t width, size_t height,
                                  unsigned int element_bytes) {
    require_value(address && pitch, "nowhere to put the address and the pitch");
    require_value(width && height, "allocation of 0 bytes");
    require_value(element_bytes == 4 || element_bytes == 8 || element_bytes == 16, "elements have 4, 8 or 16 bytes");
    constexpr size_t largest = std::numeric_limits<size_t>::max();
    if (width > largest - pitch_alignment) throw Error(Status::out_of_memory, "row too long");
    const size_t row = (width + pitch_alignment - 1) / pitch_alignment * pitch_alignment;
    if (height > largest / row) throw Error(Status::out_of_memory, "too many rows");
    *address = rt::memory::allocate(rt::Context::current(), row * height, MemoryKind::device);
    *pitch = row;
    return Status::success;
}

// Needs no current context: an allocation knows its own.
Status driver::cuMemFree_v2(CUdeviceptr address) {
    if (!address) {
        rt::capture::forbid_unsafe(); // refused in a capture like any free, by which programs tell whether there is one
        return Status::success;
    }
    const auto found = rt::memory::find(address);
    if (!found) throw Error(Status::invalid_value, fmt::format("{:#x} is no allocation", address));
    // What graphs allocate belongs to no context.
    rt::memory::release(found->context ? *found->context : context_or_current(nullptr), address,
                        found->kind == MemoryKind::managed ? MemoryKind::managed : MemoryKind::device);
    if (found->from_pool) forget_pool_allocation(address);
    return Status::success;
}

Status driver::cuMemAllocManaged(CUdeviceptr* address, size_t bytes, unsigned int flags) {
    out(address, "dptr");
    require_value(bytes > 0, "allocation of 0 bytes");
    require_value(flags == CU_MEM_ATTACH_GLOBAL || flags == CU_MEM_ATTACH_HOST, "attach to all or to the host");
    *address = rt::memory::allocate(rt::Context::current(), bytes, MemoryKind::managed, flags);
    return Status::success;
}

Status driver::cuMemGetInfo_v2(size_t* free, size_t* total) {
    const auto info = rt::memory::info(rt::Context::current());
    if (free) *free = info.free_bytes;
    if (total) *total = info.total_bytes;
    return Status::success;
}

Status driver::cuMemGetAddressRange_v2(CUdeviceptr* base, size_t* size, CUdeviceptr address) {
    const auto found = rt::memory::find(address);
    if (!found) throw Error(Status::not_found, "address in no allocation");
    if (base) *base = found->address;
    if (size) *size = found->size;
    return Status::success;
}

// ---- Page-locked host memory

Status driver::cuMemAllocHost_v2(void** pointer, size_t bytes) { return allocate_host(pointer, bytes, 0); }

Status driver::cuMemHostAlloc(void** pointer, size_t bytes, unsigned int flags) {
    require_value(flags <= 7, "unknown flags");
    return allocate_host(pointer, bytes, flags);
}

Status driver::cuMemFreeHost(void* pointer) {
    if (!pointer) rt::capture::forbid_unsafe(); // as cuMemFree
    const auto found = rt::memory::find(uint64_t(pointer));
    rt::memory::release(found && found->context ? *found->context : rt::Context::current(), uint64_t(pointer),
                        MemoryKind::pinned);
    return Status::success;
}

Status driver::cuMemHostRegister_v2(void* pointer, size_t bytes, unsigned int flags) {
    require_value(pointer && bytes, "nothing to register");
    require_value(flags <= 15, "unknown flags");
    require_value(!is_pinned(pointer), "memory that CUDA allocated is page-locked already");
    rt::memory::register_host(rt::Context::current(), pointer, bytes, flags);
    return Status::success;
}

Status driver::cuMemHostUnregister(void* pointer) {
    require_value(pointer && !is_pinned(pointer), "null, or memory that CUDA allocated");
    rt::memory::unregister_host(rt::Context::current(), pointer);
    return Status::success;
}

// Unified addressing: the device knows host memory by the host's address.
Status driver::cuMemHostGetDevicePointer_v2(CUdeviceptr* address, void* pointer, unsigned int flags) {
    out(address, "pdptr");
    require_value(flags == 0, "unknown flags");
    host_allocation(pointer);
    *address = uint64_t(pointer);
    return Status::success;
}

Status driver::cuMemHostGetFlags(unsigned int* flags, void* pointer) {
    out(flags, "pFlags") = host_allocation(pointer).flags;
    return Status::success;
}

} // namespace shim

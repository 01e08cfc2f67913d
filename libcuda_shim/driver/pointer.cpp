#include "api/bodies.h"
#include "api/constants.h"
#include "driver/handles.h"
#include "driver/memory_pool.h"
#include "rt/memory.h"

#include <fmt/format.h>

#include <map>
#include <mutex>

namespace shim {
namespace {

using rt::Allocation;
using rt::backend::MemoryKind;

template <class T> Status give(void* data, T value) {
    *static_cast<T*>(data) = value;
    return Status::success;
}

bool on_host(const Allocation& a) { return a.registered || a.kind == MemoryKind::pinned; }

/// Allocations, by id, for which the application asked that synchronous copies always wait.
struct SyncFlags {
    std::mutex mutex;
    std::map<uint64_t, bool> by_id;
};

SyncFlags& sync_flags() {
    static SyncFlags& all = *new SyncFlags;
    return all;
}

bool synchronous(const Allocation& a) {
    SyncFlags& all = sync_flags();
    std::lock_guard lock(all.mutex);
    const auto found = all.by_id.find(a.id);
    return found != all.by_id.end() && found->second;
}

/// CUpointer_attribute of an address in a known allocation. CUDA driver API, cuPointerGetAttribute.
Status attribute_of(const Allocation& a, uint64_t address, CUpointer_attribute attribute, void* data) {
    switch (attribute) {
    case CU_POINTER_ATTRIBUTE_CONTEXT:
        return give(data, a.context ? handle_of(*a.context) : nullptr);
    case CU_POINTER_ATTRIBUTE_MEMORY_TYPE:
        return give(data, unsigned(on_host(a) ? CU_MEMORYTYPE_HOST : CU_MEMORYTYPE_DEVICE));
    case CU_POINTER_ATTRIBUTE_DEVICE_POINTER:
        return give(data, CUdeviceptr(address));
    case CU_POINTER_ATTRIBUTE_HOST_POINTER:
        if (!on_host(a) && a.kind != MemoryKind::managed) return Status::invalid_value;
        return give(data, reinterpret_cast<void*>(address));
    case CU_POINTER_ATTRIBUTE_SYNC_MEMOPS:
        return give(data, unsigned(synchronous(a)));
    case CU_POINTER_ATTRIBUTE_BUFFER_ID:
    case CU_POINTER_ATTRIBUTE_MEMORY_BLOCK_ID:
        return give(data, static_cast<unsigned long long>(a.id));
    case CU_POINTER_ATTRIBUTE_IS_MANAGED:
        return give(data, unsigned(a.kind == MemoryKind::managed));
    case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL:
        return give(data, a.device);
    case CU_POINTER_ATTRIBUTE_IS_LEGACY_CUDA_IPC_CAPABLE:
    case CU_POINTER_ATTRIBUTE_IS_GPU_DIRECT_RDMA_CAPABLE:
    case CU_POINTER_ATTRIBUTE_IS_HW_DECOMPRESS_CAPABLE:
        return give(data, 0u);
    case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR:
    case CU_POINTER_ATTRIBUTE_MAPPING_BASE_ADDR:
        return give(data, CUdeviceptr(a.address));
    case CU_POINTER_ATTRIBUTE_RANGE_SIZE:
    case CU_POINTER_ATTRIBUTE_MAPPING_SIZE:
        return give(data, a.size);
    case CU_POINTER_ATTRIBUTE_MAPPED:
        return give(data, 1u);
    case CU_POINTER_ATTRIBUTE_ALLOWED_HANDLE_TYPES:
        return give(data, static_cast<unsigned long long>(0));
    case CU_POINTER_ATTRIBUTE_ACCESS_FLAGS:
        return give(data, unsigned(CU_MEM_ACCESS_FLAGS_PROT_READWRITE));
    case CU_POINTER_ATTRIBUTE_MEMPOOL_HANDLE:
        return give(data, pool_of_address(address));
    case CU_POINTER_ATTRIBUTE_P2P_TOKENS:
        throw Error(Status::not_supported, "no peer-to-peer tokens");
    default:
        throw Error(Status::invalid_value, fmt::format("unknown pointer attribute {}", attribute));
    }
}

/// What an address is said to be that CUDA does not know: nothing, of no device.
Status default_of(CUpointer_attribute attribute, void* data) {
    switch (attribute) {
    case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL:
        return give(data, int(CU_DEVICE_INVALID));
    case CU_POINTER_ATTRIBUTE_MEMORY_TYPE:
    case CU_POINTER_ATTRIBUTE_SYNC_MEMOPS:
    case CU_POINTER_ATTRIBUTE_IS_MANAGED:
    case CU_POINTER_ATTRIBUTE_IS_LEGACY_CUDA_IPC_CAPABLE:
    case CU_POINTER_ATTRIBUTE_MAPPED:
    case CU_POINTER_ATTRIBUTE_IS_GPU_DIRECT_RDMA_CAPABLE:
    case CU_POINTER_ATTRIBUTE_IS_HW_DECOMPRESS_CAPABLE:
    case CU_POINTER_ATTRIBUTE_ACCESS_FLAGS:
        return give(data, 0u);
    default:
        break;
    }
    if (attribute < CU_POINTER_ATTRIBUTE_CONTEXT || attribute > CU_POINTER_ATTRIBUTE_IS_HW_DECOMPRESS_CAPABLE ||
        attribute == CU_POINTER_ATTRIBUTE_P2P_TOKENS) {
        return Status::invalid_value;
    }
    return give(data, uint64_t{0});
}

} // namespace

Status driver::cuPointerGetAttribute(void* data, CUpointer_attribute attribute, CUdeviceptr address) {
    require_value(data, "nowhere to put the attribute");
    const auto found = rt::memory::find(address);
    if (!found) throw Error(Status::invalid_value, fmt::format("{:#x} is in no allocation", address));
    return attribute_of(*found, address, attribute, data);
}

// Unlike the single query, this one takes unknown addresses, and attributes that do not apply.
Status driver::cuPointerGetAttributes(unsigned int count, CUpointer_attribute* attributes, void** data,
                                      CUdeviceptr address) {
    require_value(count && attributes && data, "no list of attributes");
    const auto found = rt::memory::find(address);
    for (unsigned i = 0; i < count; ++i) {
        require_value(data[i], "nowhere to put an attribute");
        Status status = Status::invalid_value;
        if (found) status = attribute_of(*found, address, attributes[i], data[i]);
        if (status != Status::success) status = default_of(attributes[i], data[i]);
        if (status != Status::success) throw Error(status, fmt::format("pointer attribute {}", attributes[i]));
    }
    return Status::success;
}

Status driver::cuPointerSetAttribute(const void* value, CUpointer_attribute attribute, CUdeviceptr address) {
    require_value(value && attribute == CU_POINTER_ATTRIBUTE_SYNC_MEMOPS, "only SYNC_MEMOPS can be set");
    const auto found = rt::memory::find(address);
    if (!found) throw Error(Status::invalid_value, "address in no allocation");
    if (found->kind == MemoryKind::managed) throw Error(Status::not_supported, "managed memory has no SYNC_MEMOPS");
    SyncFlags& all = sync_flags();
    std::lock_guard lock(all.mutex);
    all.by_id[found->id] = *static_cast<const unsigned*>(value) != 0;
    return Status::success;
}

} // namespace shim

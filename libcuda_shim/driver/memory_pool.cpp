#include "driver/memory_pool.h"

#include "api/bodies.h"
#include "api/constants.h"
#include "driver/handles.h"
#include "rt/graph.h"
#include "rt/graph_memory.h"
#include "rt/memory.h"
#include "rt/platform.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace shim {
namespace {

struct Piece {
    MemoryPool* pool;
    uint64_t bytes;
};

/// Pools of the process: each device's default and current one, and where each address came from. Never destroyed.
struct Pools {
    std::mutex mutex;
    std::vector<MemoryPool*> defaults, current;
    std::map<uint64_t, Piece> pieces;

    Pools() {
        rt::Platform& platform = rt::Platform::get();
        for (int i = 0; i < platform.device_count(); ++i) defaults.push_back(new MemoryPool(i, 0));
        current = defaults;
    }
};

Pools& pools() {
    static Pools& all = *new Pools;
    return all;
}

MemoryPool& pool_of(CUmemoryPool pool) {
    if (auto* found = rt::handle_cast<MemoryPool>(pool)) return *found;
    throw Error(Status::invalid_value, "no memory pool");
}

MemoryPool& current_pool(int device) {
    Pools& all = pools();
    std::lock_guard lock(all.mutex);
    return *all.current[device];
}

int device_at(const CUmemLocation* location, CUmemAllocationType type) {
    require_value(location, "no location");
    require_value(type == CU_MEM_ALLOCATION_TYPE_PINNED, "pools hold pinned memory");
    require_value(location->type == CU_MEM_LOCATION_TYPE_DEVICE, "pools belong to devices");
    return device_of(location->id).ordinal();
}

/// In a capture they become nodes; beside one they are unsafe.
void forbid_beside_capture(rt::Stream& stream) {
    if (rt::capture::info(stream).status == rt::CaptureStatus::none) rt::capture::forbid_unsafe();
}

/// An imported pool has no state of its own that could be asked for or changed. As on an H100.
MemoryPool& own_pool(CUmemoryPool handle) {
    MemoryPool& pool = pool_of(handle);
    require_value(!pool.imported(), "the pool is another process's");
    return pool;
}

void add_piece(uint64_t address, MemoryPool& pool, size_t bytes) {
    Pools& all = pools();
    std::lock_guard lock(all.mutex);
    all.pieces[address] = {&pool, bytes};
}

Status allocate(CUdeviceptr* address, size_t bytes, MemoryPool& pool, CUstream stream) {
    out(address, "dptr");
    rt::Stream& on = stream_of(stream);
    forbid_beside_capture(on);
    if (bytes == 0) {
        *address = 0;
        return Status::success;
    }
    pool.add(bytes);
    try {
        *address = rt::memory::allocate_async(on.context(), bytes, on, pool.shared());
    } catch (...) {
        pool.remove(bytes);
        throw;
    }
    if (rt::graph_memory::known(*address)) { // captured: it belongs to a graph
        pool.remove(bytes);
        return Status::success;
    }
    forget_pool_allocation(*address); // left over from a context that is gone
    add_piece(*address, pool, bytes);
    return Status::success;
}

/// The context whose cache stands behind the device's pools: the current one if it is of this device, else the primary.
rt::Context* context_on(int device) {
    rt::Context* context = rt::Context::current_or_null();
    if (context && context->device().ordinal() == device) return context;
    rt::Device& owner = rt::Platform::get().device(device);
    return owner.primary_active() ? &owner.primary() : nullptr;
}

uint64_t cached_on(int device) {
    rt::Context* context = context_on(device);
    return context ? rt::memory::cached_bytes(*context) : 0;
}

} // namespace

void MemoryPool::add(uint64_t bytes) {
    const uint64_t used = used_ += bytes;
    if (max_bytes_ && used > max_bytes_) {
        used_ -= bytes;
        throw Error(Status::out_of_memory, fmt::format("the pool's limit is {} bytes", max_bytes_));
    }
    uint64_t high = used_high_;
    while (high < used && !used_high_.compare_exchange_weak(high, used)) {
    }
}

uint64_t MemoryPool::cached() const { return shared_ ? shared_->cached_bytes() : cached_on(device_); }

void MemoryPool::get(CUmemPool_attribute attribute, void* value) const {
    require_value(value, "nowhere to put the attribute");
    auto& wide = *static_cast<cuuint64_t*>(value);
    switch (attribute) {
    case CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES:
    case CU_MEMPOOL_ATTR_REUSE_ALLOW_OPPORTUNISTIC:
    case CU_MEMPOOL_ATTR_REUSE_ALLOW_INTERNAL_DEPENDENCIES:
        *static_cast<int*>(value) = reuse_[attribute - CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES];
        return;
    case CU_MEMPOOL_ATTR_RELEASE_THRESHOLD:
        wide = release_threshold_;
        return;
    case CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT:
        wide = used_ + cached();
        return;
    case CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH:
        wide = std::max<cuuint64_t>(used_high_, used_ + cached());
        return;
    case CU_MEMPOOL_ATTR_USED_MEM_CURRENT:
        wide = used_;
        return;
    case CU_MEMPOOL_ATTR_USED_MEM_HIGH:
        wide = used_high_;
        return;
    default:
        throw Error(Status::invalid_value, fmt::format("unknown pool attribute {}", attribute));
    }
}

void MemoryPool::set(CUmemPool_attribute attribute, const void* value) {
    require_value(value, "no value");
    switch (attribute) {
    case CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES:
    case CU_MEMPOOL_ATTR_REUSE_ALLOW_OPPORTUNISTIC:
    case CU_MEMPOOL_ATTR_REUSE_ALLOW_INTERNAL_DEPENDENCIES:
        reuse_[attribute - CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES] = *static_cast<const int*>(value) != 0;
        return;
    case CU_MEMPOOL_ATTR_RELEASE_THRESHOLD:
        release_threshold_ = *static_cast<const cuuint64_t*>(value);
        return;
    case CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH:
    case CU_MEMPOOL_ATTR_USED_MEM_HIGH:
        require_value(*static_cast<const cuuint64_t*>(value) == 0, "high-water marks can only be set to 0");
        used_high_ = used_.load();
        return;
    default:
        throw Error(Status::invalid_value, fmt::format("pool attribute {} cannot be set", attribute));
    }
}

CUmemoryPool pool_of_address(uint64_t address) {
    Pools& all = pools();
    std::lock_guard lock(all.mutex);
    auto after = all.pieces.upper_bound(address);
    if (after == all.pieces.begin()) return nullptr;
    const auto& [start, piece] = *std::prev(after);
    return address - start < piece.bytes ? handle<CUmemoryPool>(*piece.pool) : nullptr;
}

void forget_pool_allocation(uint64_t address) {
    Pools& all = pools();
    std::lock_guard lock(all.mutex);
    const auto found = all.pieces.find(address);
    if (found == all.pieces.end()) return;
    found->second.pool->remove(found->second.bytes);
    all.pieces.erase(found);
}

Status driver::cuDeviceGetDefaultMemPool(CUmemoryPool* pool, CUdevice dev) {
    out(pool, "pool_out") = handle<CUmemoryPool>(*pools().defaults[device_of(dev).ordinal()]);
    return Status::success;
}

// A wrong device is a wrong value here.
Status driver::cuDeviceGetMemPool(CUmemoryPool* pool, CUdevice dev) {
    require_value(dev >= 0 && dev < rt::Platform::get().device_count(), "no such device");
    out(pool, "pool") = handle<CUmemoryPool>(current_pool(dev));
    return Status::success;
}

Status driver::cuDeviceSetMemPool(CUdevice dev, CUmemoryPool pool) {
    MemoryPool& chosen = own_pool(pool);
    require_value(chosen.device() == dev, "the pool belongs to another device");
    Pools& all = pools();
    std::lock_guard lock(all.mutex);
    all.current[dev] = &chosen;
    return Status::success;
}

Status driver::cuMemGetDefaultMemPool(CUmemoryPool* pool, CUmemLocation* location, CUmemAllocationType type) {
    return cuDeviceGetDefaultMemPool(pool, device_at(location, type));
}

Status driver::cuMemGetMemPool(CUmemoryPool* pool, CUmemLocation* location, CUmemAllocationType type) {
    return cuDeviceGetMemPool(pool, device_at(location, type));
}

Status driver::cuMemSetMemPool(CUmemLocation* location, CUmemAllocationType type, CUmemoryPool pool) {
    return cuDeviceSetMemPool(device_at(location, type), pool);
}

Status driver::cuMemPoolCreate(CUmemoryPool* pool, const CUmemPoolProps* properties) {
    require_value(pool && properties, "no properties, or nowhere to put the pool");
    const int device = device_at(&properties->location, properties->allocType);
    require_value(properties->handleTypes == CU_MEM_HANDLE_TYPE_NONE ||
                      properties->handleTypes == CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR,
                  "pools are shared by file descriptors");
    std::shared_ptr<rt::SharedPool> shared;
    if (properties->handleTypes != CU_MEM_HANDLE_TYPE_NONE)
        shared = rt::SharedPool::create(rt::Platform::get().device(device), properties->maxSize);
    *pool = handle<CUmemoryPool>(*new MemoryPool(device, properties->maxSize, std::move(shared)));
    return Status::success;
}

Status driver::cuMemPoolDestroy(CUmemoryPool handle) {
    MemoryPool& pool = pool_of(handle);
    Pools& all = pools();
    std::lock_guard lock(all.mutex);
    MemoryPool* standard = all.defaults[pool.device()];
    require_value(&pool != standard, "a default pool cannot be destroyed");
    if (all.current[pool.device()] == &pool) all.current[pool.device()] = standard;
    // Its allocations live on until they are freed; nothing counts them any more.
    std::erase_if(all.pieces, [&](const auto& entry) { return entry.second.pool == &pool; });
    delete &pool;
    return Status::success;
}

Status driver::cuMemPoolGetAttribute(CUmemoryPool pool, CUmemPool_attribute attribute, void* value) {
    own_pool(pool).get(attribute, value);
    return Status::success;
}

Status driver::cuMemPoolSetAttribute(CUmemoryPool pool, CUmemPool_attribute attribute, void* value) {
    own_pool(pool).set(attribute, value);
    return Status::success;
}

// A pool's own device always has access; for others it follows from peer access.
Status driver::cuMemPoolSetAccess(CUmemoryPool handle, const CUmemAccessDesc* map, size_t count) {
    MemoryPool& pool = pool_of(handle);
    require_value(map, "no list");
    for (size_t i = 0; i < count; ++i) {
        require_value(map[i].location.type == CU_MEM_LOCATION_TYPE_DEVICE, "access is given to devices");
        const bool own = device_of(map[i].location.id).ordinal() == pool.device();
        if (!own || map[i].flags != CU_MEM_ACCESS_FLAGS_PROT_READWRITE) {
            throw Error(Status::not_supported, "access to a pool cannot be changed");
        }
    }
    return Status::success;
}

Status driver::cuMemPoolGetAccess(CUmemAccess_flags* flags, CUmemoryPool handle, CUmemLocation* location) {
    MemoryPool& pool = pool_of(handle);
    require_value(flags && location && location->type == CU_MEM_LOCATION_TYPE_DEVICE, "access is given to devices");
    const bool own = device_of(location->id).ordinal() == pool.device();
    *flags = own ? CU_MEM_ACCESS_FLAGS_PROT_READWRITE : CU_MEM_ACCESS_FLAGS_PROT_NONE;
    return Status::success;
}

Status driver::cuMemPoolTrimTo(CUmemoryPool handle, size_t keep) {
    const MemoryPool& pool = own_pool(handle);
    if (pool.shared()) {
        pool.shared()->trim(keep > pool.used() ? keep - pool.used() : 0);
        return Status::success;
    }
    rt::Context* context = context_on(pool.device());
    if (!context) throw Error(Status::invalid_context, "no context of the pool's device is there");
    rt::memory::trim_cache(*context, keep > pool.used() ? keep - pool.used() : 0);
    return Status::success;
}

Status driver::cuMemAllocAsync(CUdeviceptr* address, size_t bytes, CUstream stream) {
    return allocate(address, bytes, current_pool(stream_of(stream).context().device().ordinal()), stream);
}

Status driver::cuMemAllocFromPoolAsync(CUdeviceptr* address, size_t bytes, CUmemoryPool pool, CUstream stream) {
    return allocate(address, bytes, pool_of(pool), stream);
}

Status driver::cuMemFreeAsync(CUdeviceptr address, CUstream stream) {
    rt::Stream& on = stream_of(stream);
    forbid_beside_capture(on);
    if (!address) return Status::success;
    rt::memory::release_async(on.context(), address, on);
    forget_pool_allocation(address);
    return Status::success;
}

// ---- Between processes. The codes for wrong arguments are an H100's.

Status driver::cuMemPoolExportToShareableHandle(void* shareable, CUmemoryPool handle, CUmemAllocationHandleType type,
                                                unsigned long long flags) {
    const MemoryPool& pool = own_pool(handle);
    require_value(shareable && flags == 0, "nowhere to put the handle, or unknown flags");
    require_value(pool.shared() && type == CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR,
                  "the pool was not made for handles of this type");
    *static_cast<int*>(shareable) = pool.shared()->export_descriptor();
    return Status::success;
}

Status driver::cuMemPoolImportFromShareableHandle(CUmemoryPool* pool, void* shareable, CUmemAllocationHandleType type,
                                                  unsigned long long flags) {
    out(pool, "pool_out");
    constexpr CUmemAllocationHandleType win32 = 2;
    require_value(shareable && flags == 0, "no handle, or unknown flags");
    if (type == win32) throw Error(Status::not_supported, "no handles of Windows here");
    require_value(type == CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, "pools are shared by file descriptors");
    rt::Context* context = rt::Context::current_or_null();
    rt::Device& device = context ? context->device() : rt::Platform::get().device(0);
    std::shared_ptr<rt::SharedPool> shared;
    try {
        shared = rt::SharedPool::import(device, int(reinterpret_cast<intptr_t>(shareable)));
    } catch (const Error& error) {
        // An H100's word for a descriptor that is no pool.
        throw Error(error.status() == Status::invalid_value ? Status::unknown : error.status(), error.what());
    }
    *pool = handle<CUmemoryPool>(*new MemoryPool(device.ordinal(), 0, std::move(shared)));
    return Status::success;
}

Status driver::cuMemPoolExportPointer(CUmemPoolPtrExportData* data, CUdeviceptr address) {
    out(data, "shareData_out");
    const auto found = rt::memory::find(address);
    require_value(found && found->address == address && found->pool && !found->pool->imported(),
                  "not the address of an allocation from a pool for several processes");
    const rt::ipc::Handle handle = found->pool->export_pointer(address, found->size);
    static_assert(sizeof handle == sizeof *data);
    std::memcpy(data, &handle, sizeof handle);
    return Status::success;
}

Status driver::cuMemPoolImportPointer(CUdeviceptr* address, CUmemoryPool handle, CUmemPoolPtrExportData* data) {
    MemoryPool& pool = pool_of(handle);
    require_value(address && data && pool.imported(), "no imported pool, or nowhere to put the address");
    rt::ipc::Handle given;
    std::memcpy(&given, data, sizeof given);
    const rt::SharedPool::Piece piece = pool.shared()->import_pointer(given);
    *address = piece.address;
    if (pool_of_address(piece.address)) return Status::success; // imported before
    rt::memory::remember({.address = piece.address,
                          .size = piece.bytes,
                          .from_pool = true,
                          .context = &rt::Context::current(),
                          .device = pool.device(),
                          .pool = pool.shared()});
    pool.add(piece.bytes);
    add_piece(piece.address, pool, piece.bytes);
    return Status::success;
}

} // namespace shim

#pragma once

#include "backend/backend.h"
#include "rt/error.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace rt {

class Context;
class SharedPool;
class Stream;

/// One allocation, or registered host range, known to the process.
struct Allocation {
    uint64_t address = 0;
    size_t size = 0;
    backend::MemoryKind kind = backend::MemoryKind::device;
    unsigned flags = 0;      ///< CU_MEMHOSTALLOC_*, CU_MEMHOSTREGISTER_* or CU_MEM_ATTACH_*
    bool registered = false; ///< cuMemHostRegister: not ours to free
    bool from_pool = false;  ///< cuMemAllocAsync
    bool of_module = false;  ///< a module's globals, or mapped by cuMemMap: cannot be freed by address
    bool of_range = false;   ///< cuMemMap: what is mapped behind it belongs to the same range
    Context* context = nullptr;
    int device = 0;
    std::shared_ptr<SharedPool> pool = nullptr; ///< from_pool: of a pool for several processes (rt/shared_pool.h)
    /// Memory that is mapped from elsewhere for this allocation, and goes with it.
    std::shared_ptr<void> mapping = nullptr;
    uint64_t id = 0;                            ///< CU_POINTER_ATTRIBUTE_BUFFER_ID: unique in the process
};

/// All of these throw out_of_memory, invalid_value ... as CUDA's functions of like name do.
namespace memory {
uint64_t allocate(Context&, size_t bytes, backend::MemoryKind, unsigned flags = 0);
/// Waits for the device, as cuMemFree does, then frees. Address 0 is fine. Throws invalid_value for a foreign address.
void release(Context&, uint64_t address, backend::MemoryKind);
/// Stream-ordered: cuMemAllocAsync, cuMemFreeAsync. On a capturing stream they become nodes of the graph.
uint64_t allocate_async(Context&, size_t bytes, Stream&, std::shared_ptr<SharedPool> = nullptr);
void release_async(Context&, uint64_t address, Stream&);
/// Bytes that allocate_async would hand out again without asking the device, and giving back what exceeds `keep` of them
/// (blocks whose free the device has not reached yet stay). cuMemPoolTrimTo.
size_t cached_bytes(Context&);
void trim_cache(Context&, size_t keep);
void register_host(Context&, void* address, size_t bytes, unsigned flags);
void unregister_host(Context&, void* address);
/// The allocation that holds `address`; nullopt when none does.
std::optional<Allocation> find(uint64_t address);
/// Throws invalid_value unless [address, address + bytes) lies in one allocation of kind device or managed, or in
/// host memory that the device may read. Used to validate copies and fills.
void check_range(uint64_t address, size_t bytes);
/// For modules: makes known a block of memory that the caller allocated and will forget before freeing it.
void remember(const Allocation&);
void forget(uint64_t address);
/// Calls it for each allocation of a context, in the order of the addresses.
void for_each(Context&, const std::function<void(const Allocation&)>&);
/// Frees everything that belongs to a context.
void release_all(Context&);
backend::MemoryInfo info(Context&);
} // namespace memory

} // namespace rt

#pragma once

#include "backend/backend.h"
#include "rt/error.h"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace rt {

class Device;

/// Addresses and memory apart. CUDA driver API, "Virtual Memory Management". Thread safe. Everything throws
/// invalid_value for ranges that are no multiples of the granularity or not what the function wants,
/// not_supported on devices that have nothing of the kind.
namespace virtual_memory {
/// A CUmemGenericAllocationHandle: counts its users, and lives as long as it is mapped.
using MemoryId = uint64_t;

struct MemoryFacts {
    int device = 0;
    size_t size = 0;
    bool exportable = false;
};

size_t granularity(Device&);
uint64_t reserve(Device&, size_t bytes, size_t alignment, uint64_t wish); ///< throws out_of_memory
void unreserve(uint64_t address, size_t bytes);
MemoryId create(Device&, size_t bytes, bool exportable); ///< throws out_of_memory
MemoryId import_descriptor(Device&, int descriptor);
int export_descriptor(MemoryId); ///< a new one, the caller's
void discard(MemoryId, size_t offset, size_t bytes); ///< the content is needed no more
void retain(MemoryId);
void release(MemoryId);
MemoryFacts facts(MemoryId);
void map(uint64_t address, size_t bytes, size_t offset, MemoryId);
/// Of whole mappings, or of a reserved range where nothing is mapped.
void unmap(uint64_t address, size_t bytes);
/// For all that is mapped in the range, which must be all of it. Nothing mapped is accessible at first.
void set_access(uint64_t address, size_t bytes, bool accessible);
/// nullopt when nothing is mapped there.
std::optional<MemoryId> mapped_at(uint64_t address);
bool accessible_at(uint64_t address);
/// Whether the address is in a reserved range.
bool reserved(uint64_t address);
} // namespace virtual_memory

} // namespace rt

#include "rt/virtual_memory.h"

#include "rt/device.h"
#include "rt/memory.h"
#include "rt/platform.h"

#include <fmt/format.h>
#include <iterator>
#include <map>
#include <mutex>

namespace rt::virtual_memory {
namespace {

using backend::PhysicalMemory;
using backend::VirtualMemory;

struct Memory {
    std::shared_ptr<PhysicalMemory> memory;
    int device = 0;
    bool exportable = false;
    uint64_t users = 1, mappings = 0;
};

struct Range {
    size_t size = 0;
    int device = 0;
};

struct Mapping {
    size_t size = 0;
    MemoryId memory = 0;
    bool accessible = false;
};

/// Never destroyed.
struct Registry {
    std::mutex mutex;
    std::map<uint64_t, Range> reserved;
    std::map<uint64_t, Mapping> mapped;
    std::map<MemoryId, Memory> memories;
    MemoryId next = 1;

    Memory& find(MemoryId id) {
        const auto found = memories.find(id);
        if (found == memories.end()) throw Error(Status::invalid_value, "no handle of memory");
        return found->second;
    }
    void drop_unused(MemoryId id) {
        if (const Memory& memory = find(id); memory.users == 0 && memory.mappings == 0) memories.erase(id);
    }
    MemoryId add(std::shared_ptr<PhysicalMemory> memory, int device, bool exportable) {
        memories[next] = {std::move(memory), device, exportable};
        return next++;
    }
};

Registry& registry() {
    static Registry& all = *new Registry;
    return all;
}

template <class T> typename std::map<uint64_t, T>::iterator holder(std::map<uint64_t, T>& ranges, uint64_t address) {
    const auto after = ranges.upper_bound(address);
    if (after == ranges.begin()) return ranges.end();
    const auto found = std::prev(after);
    return address - found->first < found->second.size ? found : ranges.end();
}

VirtualMemory& of(Device& device) {
    if (VirtualMemory* found = device.backend().virtual_memory()) return *found;
    throw Error(Status::not_supported, "the device has no virtual memory management");
}

VirtualMemory& of(int device) { return of(Platform::get().device(device)); }

void require_whole(const VirtualMemory& memory, uint64_t value, const char* what) {
    if (value == 0 || value % memory.granularity() != 0)
        throw Error(Status::invalid_value,
                    fmt::format("{} {:#x} is no multiple of {}", what, value, memory.granularity()));
}

/// The mappings that make up [address, address + bytes), which must be all of it and nothing more.
template <class F> void for_each_mapping(Registry& all, uint64_t address, size_t bytes, F&& f) {
    const uint64_t end = address + bytes;
    auto first = all.mapped.find(address), last = first;
    uint64_t at = address;
    for (; last != all.mapped.end() && last->first == at && at < end; ++last) at += last->second.size;
    if (bytes == 0 || at != end) throw Error(Status::invalid_value, "the range is not that of mappings");
    while (first != last) f(first++);
}

} // namespace

size_t granularity(Device& device) { return of(device).granularity(); }

uint64_t reserve(Device& device, size_t bytes, size_t alignment, uint64_t wish) {
    VirtualMemory& memory = of(device);
    require_whole(memory, bytes, "size");
    if (alignment & (alignment - 1)) throw Error(Status::invalid_value, "an alignment is a power of two");
    if (wish % memory.granularity()) wish = 0; // a wish only
    const uint64_t address = memory.reserve(bytes, alignment, wish);
    if (!address) throw Error(Status::out_of_memory, fmt::format("no {} bytes of addresses", bytes));
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    all.reserved[address] = {bytes, device.ordinal()};
    return address;
}

void unreserve(uint64_t address, size_t bytes) {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    const auto found = all.reserved.find(address);
    if (found == all.reserved.end() || found->second.size != bytes)
        throw Error(Status::invalid_value, "no range that was reserved");
    const auto mapping = all.mapped.lower_bound(address);
    if (mapping != all.mapped.end() && mapping->first - address < bytes)
        throw Error(Status::invalid_value, "memory is still mapped in the range");
    of(found->second.device).unreserve(address, bytes);
    all.reserved.erase(found);
}

MemoryId create(Device& device, size_t bytes, bool exportable) {
    VirtualMemory& memory = of(device);
    require_whole(memory, bytes, "size");
    std::shared_ptr<PhysicalMemory> made;
    if (bytes <= device.backend().memory().total_bytes) made = memory.create(bytes);
    if (!made) throw Error(Status::out_of_memory, fmt::format("no {} bytes of memory", bytes));
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    return all.add(std::move(made), device.ordinal(), exportable);
}

MemoryId import_descriptor(Device& device, int descriptor) {
    std::shared_ptr<PhysicalMemory> made = of(device).import_descriptor(descriptor);
    if (!made) throw Error(Status::invalid_value, fmt::format("file descriptor {} is no memory", descriptor));
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    return all.add(std::move(made), device.ordinal(), true);
}

int export_descriptor(MemoryId id) {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    const Memory& memory = all.find(id);
    if (!memory.exportable) throw Error(Status::invalid_value, "the memory was not made to be exported");
    const int descriptor = memory.memory->export_descriptor();
    if (descriptor < 0) throw Error(Status::out_of_memory, "no file descriptor is left");
    return descriptor;
}

void discard(MemoryId id, size_t offset, size_t bytes) {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    all.find(id).memory->discard(offset, bytes);
}

void retain(MemoryId id) {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    all.find(id).users++;
}

void release(MemoryId id) {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    Memory& memory = all.find(id);
    if (memory.users == 0) throw Error(Status::invalid_value, "the handle was released already");
    memory.users--;
    all.drop_unused(id);
}

MemoryFacts facts(MemoryId id) {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    const Memory& memory = all.find(id);
    return {memory.device, memory.memory->size(), memory.exportable};
}

void map(uint64_t address, size_t bytes, size_t offset, MemoryId id) {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    Memory& memory = all.find(id);
    VirtualMemory& how = of(memory.device);
    require_whole(how, bytes, "size");
    require_whole(how, address, "address");
    if (offset % how.granularity()) throw Error(Status::invalid_value, "the offset is no multiple of the granularity");
    // As an H100's driver says it.
    if (offset + bytes < bytes || offset + bytes > memory.memory->size())
        throw Error(Status::not_supported, "the memory has no such part");
    const auto range = holder(all.reserved, address);
    if (range == all.reserved.end() || bytes > range->second.size - (address - range->first))
        throw Error(Status::invalid_value, "the addresses were not reserved");
    const auto next = all.mapped.lower_bound(address);
    if (holder(all.mapped, address) != all.mapped.end() || (next != all.mapped.end() && next->first - address < bytes))
        throw Error(Status::invalid_value, "something is mapped there already");
    if (!how.map(address, bytes, *memory.memory, offset)) throw Error(Status::out_of_memory, "mapping failed");
    memory.mappings++;
    all.mapped[address] = {bytes, id, false};
}

void unmap(uint64_t address, size_t bytes) {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    // As on an H100, a reserved range where nothing is mapped is fine.
    const auto range = holder(all.reserved, address);
    const auto next = all.mapped.lower_bound(address);
    const bool within = range != all.reserved.end() && bytes <= range->second.size - (address - range->first);
    const bool empty =
        holder(all.mapped, address) == all.mapped.end() && (next == all.mapped.end() || next->first - address >= bytes);
    if (bytes && within && empty) return;
    for_each_mapping(all, address, bytes, [](auto) {});
    for_each_mapping(all, address, bytes, [&](auto mapping) {
        const MemoryId id = mapping->second.memory;
        Memory& memory = all.find(id);
        if (mapping->second.accessible) memory::forget(mapping->first);
        of(memory.device).unmap(mapping->first, mapping->second.size);
        memory.mappings--;
        all.drop_unused(id);
        all.mapped.erase(mapping);
    });
}

void set_access(uint64_t address, size_t bytes, bool accessible) {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    for_each_mapping(all, address, bytes, [&](auto mapping) {
        auto& [begin, found] = *mapping;
        if (found.accessible == accessible) return;
        const int device = all.find(found.memory).device;
        const auto access = accessible ? VirtualMemory::Access::read_write : VirtualMemory::Access::none;
        if (!of(device).protect(begin, found.size, access)) throw Error(Status::out_of_memory, "no access was given");
        found.accessible = accessible;
        if (accessible)
            memory::remember(
                {.address = begin, .size = found.size, .of_module = true, .of_range = true, .device = device});
        else
            memory::forget(begin);
    });
}

std::optional<MemoryId> mapped_at(uint64_t address) {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    const auto found = holder(all.mapped, address);
    if (found == all.mapped.end()) return std::nullopt;
    return found->second.memory;
}

bool accessible_at(uint64_t address) {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    const auto found = holder(all.mapped, address);
    return found != all.mapped.end() && found->second.accessible;
}

bool reserved(uint64_t address) {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    return holder(all.reserved, address) != all.reserved.end();
}

} // namespace rt::virtual_memory

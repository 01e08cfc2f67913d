#include "rt/memory.h"

#include "core/capture.h"
#include "core/context_state.h"
#include "rt/graph_memory.h"
#include "rt/platform.h"
#include "rt/shared_pool.h"
#include "rt/virtual_memory.h"
#include "support/log.h"

#include <atomic>
#include <map>
#include <shared_mutex>
#include <vector>

namespace rt::memory {
namespace {

/// Every allocation of the process by address. Never destroyed. Look-ups share the lock.
struct Registry {
    std::shared_mutex mutex;
    std::map<uint64_t, Allocation> by_address;
    std::atomic<uint64_t> next_id = 1;

    std::map<uint64_t, Allocation>::iterator holder(uint64_t address) {
        auto after = by_address.upper_bound(address);
        if (after == by_address.begin()) return by_address.end();
        auto found = std::prev(after);
        return address - found->first < found->second.size ? found : by_address.end();
    }
    bool overlaps(uint64_t address, size_t size) {
        if (holder(address) != by_address.end()) return true;
        auto after = by_address.lower_bound(address);
        return after != by_address.end() && after->first - address < size;
    }
};

Registry& registry() {
    static auto& all = *new Registry;
    return all;
}

void add(Allocation allocation) {
    auto& all = registry();
    allocation.id = all.next_id++;
    std::unique_lock lock(all.mutex);
    all.by_address[allocation.address] = allocation;
}

/// Takes the allocation that begins at `address` out of the registry if `wanted` agrees; else throws invalid_value.
template <class F> Allocation take(uint64_t address, F&& wanted) {
    auto& all = registry();
    std::unique_lock lock(all.mutex);
    auto found = all.by_address.find(address);
    if (found == all.by_address.end() || found->second.of_module || !wanted(found->second))
        throw Error(Status::invalid_value,
                    fmt::format("{:#x} is not the start of an allocation of this kind", address));
    Allocation taken = found->second;
    all.by_address.erase(found);
    return taken;
}

// cuMemFree takes all that the device owns; cuMemFreeHost what is pinned.
bool freeable_as(const Allocation& allocation, backend::MemoryKind kind) {
    if (allocation.registered) return false;
    const bool pinned = allocation.kind == backend::MemoryKind::pinned;
    return (kind == backend::MemoryKind::pinned) == pinned;
}

void give_back(const Allocation& allocation) {
    if (allocation.registered || allocation.of_module || allocation.mapping) return;
    if (allocation.pool) return allocation.pool->release(allocation.address);
    if (allocation.from_pool) allocation.context->state().pool->disown(allocation.address);
    allocation.context->device().backend().release(allocation.address, allocation.kind);
}

bool in_some_device(uint64_t address) {
    if (!Platform::initialized()) return false;
    auto& platform = Platform::get();
    for (int i = 0; i < platform.device_count(); i++)
        if (platform.device(i).backend().owns(address)) return true;
    return virtual_memory::reserved(address);
}

uint64_t allocate_or_trim(Context& context, size_t bytes, backend::MemoryKind kind) {
    auto& device = context.device().backend();
    if (uint64_t address = device.allocate(bytes, kind)) return address;
    context.state().pool->trim(0);
    return device.allocate(bytes, kind);
}

[[noreturn]] void throw_out_of_memory(Context& context, size_t bytes) {
    auto left = context.device().backend().memory();
    throw Error(Status::out_of_memory,
                fmt::format("no {} bytes; {} of {} are free", bytes, left.free_bytes, left.total_bytes));
}

} // namespace

uint64_t allocate(Context& context, size_t bytes, backend::MemoryKind kind, unsigned flags) {
    capture::forbid_unsafe();
    if (bytes == 0) throw Error(Status::invalid_value, "allocation of 0 bytes");
    const uint64_t address = allocate_or_trim(context, bytes, kind);
    if (!address) throw_out_of_memory(context, bytes);
    add({.address = address,
         .size = bytes,
         .kind = kind,
         .flags = flags,
         .context = &context,
         .device = context.device().ordinal()});
    log(LogLevel::debug, LogChannel::memory, "allocate {} bytes: {:#x}", bytes, address);
    return address;
}

void release(Context& context, uint64_t address, backend::MemoryKind kind) {
    if (address == 0) return;
    capture::forbid_unsafe();
    if (kind != backend::MemoryKind::pinned)
        if (const auto of_graph = graph_memory::release(address)) return context.state().wait_for_all();
    Allocation taken = take(address, [&](const Allocation& found) { return freeable_as(found, kind); });
    // The owner's work may still use it. Its errors are not this call's.
    taken.context->state().wait_for_all();
    give_back(taken);
    log(LogLevel::debug, LogChannel::memory, "release {:#x}, {} bytes", address, taken.size);
}

uint64_t allocate_async(Context& context, size_t bytes, Stream& stream, std::shared_ptr<SharedPool> pool) {
    if (bytes == 0) throw Error(Status::invalid_value, "allocation of 0 bytes");
    context.check();
    if (const uint64_t of_graph = capture::add_allocation(stream, bytes)) return of_graph;
    const uint64_t address =
        pool ? pool->allocate(bytes, stream) : stream.context().state().pool->allocate(bytes, stream);
    if (!address) throw_out_of_memory(context, bytes);
    add({.address = address,
         .size = bytes,
         .from_pool = true,
         .context = &stream.context(),
         .device = stream.context().device().ordinal(),
         .pool = std::move(pool)});
    return address;
}

size_t cached_bytes(Context& context) { return context.state().pool->cached_bytes(); }

void trim_cache(Context& context, size_t keep) { context.state().pool->trim(keep, false); }

void release_async(Context& context, uint64_t address, Stream& stream) {
    context.check();
    if (address == 0) throw Error(Status::invalid_value, "address 0 is no allocation");
    if (capture::add_release(stream, address)) return;
    if (auto of_graph = graph_memory::release(address)) return stream.call([of_graph] {});
    Allocation taken = take(address, [](const Allocation& found) {
        return !found.registered && found.kind == backend::MemoryKind::device;
    });
    if (taken.pool) return taken.pool->release(address, stream);
    if (taken.from_pool && taken.context == &stream.context()) {
        taken.context->state().pool->release(address, stream);
        return;
    }
    taken.context->state().wait_for_all();
    give_back(taken);
}

void register_host(Context& context, void* address, size_t bytes, unsigned flags) {
    capture::forbid_unsafe();
    const auto start = reinterpret_cast<uint64_t>(address);
    if (!address || bytes == 0 || start + bytes < start) throw Error(Status::invalid_value, "no range of host memory");
    auto& all = registry();
    std::unique_lock lock(all.mutex);
    if (all.overlaps(start, bytes))
        throw Error(Status::host_memory_already_registered, "the range holds memory that is registered or allocated");
    all.by_address[start] = {.address = start,
                             .size = bytes,
                             .kind = backend::MemoryKind::pinned,
                             .flags = flags,
                             .registered = true,
                             .context = &context,
                             .device = context.device().ordinal(),
                             .id = all.next_id++};
}

void unregister_host(Context&, void* address) {
    capture::forbid_unsafe();
    auto& all = registry();
    Allocation taken;
    {
        std::unique_lock lock(all.mutex);
        auto found = all.by_address.find(reinterpret_cast<uint64_t>(address));
        if (found == all.by_address.end() || !found->second.registered)
            throw Error(Status::host_memory_not_registered, "the address does not begin a registered range");
        taken = found->second;
        all.by_address.erase(found);
    }
    taken.context->state().wait_for_all();
}

std::optional<Allocation> find(uint64_t address) {
    auto& all = registry();
    std::shared_lock lock(all.mutex);
    auto found = all.holder(address);
    if (found == all.by_address.end()) return std::nullopt;
    return found->second;
}

void check_range(uint64_t address, size_t bytes) {
    if (bytes == 0) return;
    auto& all = registry();
    {
        std::shared_lock lock(all.mutex);
        auto found = all.holder(address);
        while (found != all.by_address.end() && found->second.of_range) {
            const uint64_t left = found->second.size - (address - found->first);
            if (bytes <= left) return;
            address += left;
            bytes -= left;
            found = all.holder(address);
        }
        if (found != all.by_address.end()) {
            const uint64_t left = found->second.size - (address - found->first);
            if (bytes <= left) return;
            // Page-locked and pageable memory may lie side by side in the host's address space.
            if (found->second.registered) return;
            throw Error(Status::invalid_value,
                        fmt::format("{} bytes at {:#x} reach beyond their allocation, which has {}"
                                    " from there",
                                    bytes, address, left));
        }
    }
    constexpr uint64_t first_page = 4096;
    if (address < first_page || address + bytes < address || address + bytes > uint64_t(1) << 57)
        throw Error(Status::invalid_value, fmt::format("{:#x} is no address", address));
    if (in_some_device(address))
        throw Error(Status::invalid_value, fmt::format("{:#x} lies in no allocation of the device", address));
}

void remember(const Allocation& allocation) { add(allocation); }

void forget(uint64_t address) {
    auto& all = registry();
    std::unique_lock lock(all.mutex);
    all.by_address.erase(address);
}

void for_each(Context& context, const std::function<void(const Allocation&)>& call) {
    auto& all = registry();
    std::shared_lock lock(all.mutex);
    for (const auto& [address, allocation] : all.by_address)
        if (allocation.context == &context) call(allocation);
}

void release_all(Context& context) {
    auto& all = registry();
    std::vector<Allocation> taken;
    {
        std::unique_lock lock(all.mutex);
        std::erase_if(all.by_address, [&](auto& entry) {
            if (entry.second.context != &context || entry.second.of_module) return false;
            taken.push_back(entry.second);
            return true;
        });
    }
    for (auto& allocation : taken) give_back(allocation);
}

backend::MemoryInfo info(Context& context) {
    auto result = context.device().backend().memory();
    // What the pool keeps is free to whoever asks.
    result.free_bytes = std::min(result.total_bytes, result.free_bytes + context.state().pool->cached_bytes());
    return result;
}

} // namespace rt::memory

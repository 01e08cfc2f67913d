#include "rt/graph_memory.h"

#include "rt/device.h"
#include "rt/error.h"
#include "rt/memory.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <mutex>

namespace rt::graph_memory {
namespace {

using backend::VirtualMemory;

/// Never destroyed. Owns what is live: a graph may be gone before its allocation is freed.
struct Registry {
    std::mutex mutex;
    std::map<uint64_t, Block*> blocks;
    std::map<uint64_t, std::shared_ptr<Block>> live;
    std::map<int, uint64_t> high;

    uint64_t current(int device) const {
        uint64_t sum = 0;
        for (const auto& [address, block] : blocks)
            if (block->in_use && block->device() == device) sum += block->mapped_bytes();
        return sum;
    }
};

Registry& registry() {
    static Registry& all = *new Registry;
    return all;
}

VirtualMemory& of(Device& device) {
    if (VirtualMemory* found = device.backend().virtual_memory()) return *found;
    throw Error(Status::not_supported, "the device has no memory for graphs");
}

} // namespace

Block::Block(Device& device, size_t bytes) : how_(of(device)), bytes_(bytes), device_(device.ordinal()) {
    const size_t unit = how_.granularity();
    if (bytes == 0) throw Error(Status::invalid_value, "allocation of 0 bytes");
    if (bytes > device.backend().memory().total_bytes)
        throw Error(Status::out_of_memory, fmt::format("no {} bytes for a graph", bytes));
    mapped_bytes_ = (bytes + unit - 1) / unit * unit;
    address_ = how_.reserve(mapped_bytes_, 0, 0);
    if (!address_) throw Error(Status::out_of_memory, fmt::format("no {} bytes of addresses", bytes));
    discard();
    if (!memory_) {
        how_.unreserve(address_, mapped_bytes_);
        throw Error(Status::out_of_memory, fmt::format("no {} bytes for a graph", bytes));
    }
    memory::remember({.address = address_, .size = bytes_, .of_module = true, .device = device_});
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    all.blocks[address_] = this;
}

Block::~Block() {
    {
        Registry& all = registry();
        std::lock_guard lock(all.mutex);
        all.blocks.erase(address_);
    }
    memory::forget(address_);
    how_.unmap(address_, mapped_bytes_);
    how_.unreserve(address_, mapped_bytes_);
}

void Block::discard() {
    std::shared_ptr<backend::PhysicalMemory> fresh = how_.create(mapped_bytes_);
    if (!fresh || !how_.map(address_, mapped_bytes_, *fresh, 0)) return;
    how_.protect(address_, mapped_bytes_, VirtualMemory::Access::read_write);
    memory_ = std::move(fresh);
}

void allocate(const std::shared_ptr<Block>& block, bool again) {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    if (block->live && !again)
        throw Error(Status::invalid_value,
                    fmt::format("the graph's allocation {:#x} was not freed since it was launched", block->address()));
    block->live = block->in_use = true;
    all.live[block->address()] = block;
    uint64_t& high = all.high[block->device()];
    high = std::max(high, all.current(block->device()));
}

std::shared_ptr<Block> release(uint64_t address) {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    const auto found = all.live.find(address);
    if (found == all.live.end()) return nullptr;
    std::shared_ptr<Block> block = std::move(found->second);
    all.live.erase(found);
    block->live = false;
    return block;
}

bool known(uint64_t address) {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    return all.blocks.contains(address);
}

Use use(Device& device) {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    return {all.current(device.ordinal()), all.high[device.ordinal()]};
}

void reset_high(Device& device) {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    all.high[device.ordinal()] = all.current(device.ordinal());
}

void trim(Device& device) {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    for (const auto& [address, block] : all.blocks)
        if (block->in_use && !block->live && block->device() == device.ordinal()) {
            block->discard();
            block->in_use = false;
        }
}

} // namespace rt::graph_memory

#include "core/async_pool.h"

#include "core/stream_state.h"

namespace rt {
namespace {

// Coarser for big blocks, so that sizes that differ a little share blocks.
size_t rounded(size_t bytes) {
    const size_t unit = bytes >= (1 << 20) ? 64 << 10 : 512;
    return (bytes + unit - 1) / unit * unit;
}

} // namespace

AsyncPool::Cache::iterator AsyncPool::choose(size_t bytes, const Stream& stream) {
    auto end = cache_.upper_bound(bytes + bytes / 4);
    auto second_best = cache_.end();
    for (auto it = cache_.lower_bound(bytes); it != end; ++it) {
        if (it->second.stream == stream.id() || it->second.marker->reached()) return it;
        if (second_best == cache_.end()) second_best = it;
    }
    return second_best;
}

uint64_t AsyncPool::allocate(size_t bytes, Stream& stream) {
    if (bytes > size_t(1) << 60) return 0;
    bytes = rounded(bytes);
    std::unique_lock lock(mutex_);
    if (auto found = choose(bytes, stream); found != cache_.end()) {
        auto [size, block] = *found;
        cache_.erase(found);
        cached_bytes_ -= size;
        live_[block.address] = size;
        lock.unlock();
        if (block.stream != stream.id() && !block.marker->reached()) stream.state().wait_for(block.marker);
        return block.address;
    }
    uint64_t address = source_.take(bytes);
    if (!address && !cache_.empty()) {
        lock.unlock();
        trim(0);
        lock.lock();
        address = source_.take(bytes);
    }
    if (address) live_[address] = bytes;
    return address;
}

void AsyncPool::release(uint64_t address, Stream& stream) {
    auto marker = stream.state().mark_in_order();
    std::lock_guard lock(mutex_);
    auto found = live_.find(address);
    if (found == live_.end()) return;
    cache_.emplace(found->second, Free{address, stream.id(), std::move(marker)});
    cached_bytes_ += found->second;
    live_.erase(found);
}

void AsyncPool::disown(uint64_t address) {
    std::lock_guard lock(mutex_);
    live_.erase(address);
}

void AsyncPool::trim(size_t keep, bool wait) {
    std::lock_guard lock(mutex_);
    for (auto it = cache_.begin(); it != cache_.end() && cached_bytes_ > keep;) {
        if (!wait && !it->second.marker->reached()) {
            ++it;
            continue;
        }
        it->second.marker->wait();
        source_.give(it->second.address);
        cached_bytes_ -= it->first;
        it = cache_.erase(it);
    }
}

size_t AsyncPool::cached_bytes() const {
    std::lock_guard lock(mutex_);
    return cached_bytes_;
}

} // namespace rt

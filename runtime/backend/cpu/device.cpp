#include "backend/cpu/device.h"

#include "backend/cpu/code.h"
#include "backend/cpu/facts.h"
#include "backend/cpu/queue.h"
#include "backend/cpu/share.h"

#include <algorithm>
#include <cassert>

namespace rt::backend::cpu {

CpuDevice::CpuDevice(DeviceFacts facts, std::shared_ptr<Pool> pool)
    : facts_(std::move(facts)), pool_(std::move(pool)), device_memory_(facts_.memory_bytes),
      pinned_memory_(machine_memory()), managed_memory_(machine_memory()),
      runtime_({[this](size_t bytes) { return device_memory_.allocate(bytes); },
                [this](uint64_t address) { device_memory_.release(address); }}) {}

Arena& CpuDevice::arena(MemoryKind kind) {
    switch (kind) {
    case MemoryKind::device:
        return device_memory_;
    case MemoryKind::pinned:
        return pinned_memory_;
    case MemoryKind::managed:
        return managed_memory_;
    }
    return device_memory_;
}

void CpuDevice::release(uint64_t address, MemoryKind kind) {
    [[maybe_unused]] const bool known = arena(kind).release(address);
    assert(known && "core frees only what it was given");
}

std::unique_ptr<Code> CpuDevice::load(std::shared_ptr<const ptx::Image> image) {
    return std::make_unique<CpuCode>(std::move(image));
}

std::unique_ptr<Queue> CpuDevice::create_queue(int) { return std::make_unique<CpuQueue>(*this); }

std::unique_ptr<Partition> CpuDevice::create_partition(uint32_t multiprocessors) {
    return std::make_unique<CpuPartition>(*this, multiprocessors);
}

void CpuDevice::set_limits(uint64_t heap, uint64_t printf_buffer, uint64_t stack) {
    runtime_.set_limits(heap, printf_buffer);
    stack_limit_ = stack;
}

bool CpuDevice::launch_pending(uint64_t limit) {
    if (pending_launches_.fetch_add(1, std::memory_order_relaxed) < limit) return true;
    pending_launches_.fetch_sub(1, std::memory_order_relaxed);
    return false;
}

uint32_t CpuDevice::resident_blocks_per_multiprocessor(Kernel& kernel, uint32_t block_threads,
                                                       uint32_t dynamic_shared_bytes) const {
    const uint32_t threads = std::max(1u, (block_threads + 31) / 32 * 32);
    uint32_t blocks = std::min(facts_.max_blocks_per_multiprocessor, facts_.max_threads_per_multiprocessor / threads);
    // As on the GPUs we resemble, each block costs 1 KiB of shared memory beside its own.
    const uint32_t shared = kernel.info().static_shared_bytes + dynamic_shared_bytes + 1024;
    return std::min(blocks, facts_.shared_bytes_per_multiprocessor / shared);
}

} // namespace rt::backend::cpu

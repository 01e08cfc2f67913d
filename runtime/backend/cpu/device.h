#pragma once

#include "backend/backend.h"
#include "backend/cpu/memory.h"
#include "backend/cpu/pool.h"
#include "backend/cpu/virtual_memory.h"
#include "backend/device_side/device_runtime.h"

#include <atomic>
#include <memory>

namespace rt::backend::cpu {

class CpuDevice : public Device {
  public:
    CpuDevice(DeviceFacts facts, std::shared_ptr<Pool> pool);

    const DeviceFacts& facts() const override { return facts_; }
    MemoryInfo memory() const override { return device_memory_.info(); }
    uint64_t allocate(size_t bytes, MemoryKind kind) override { return arena(kind).allocate(bytes); }
    void release(uint64_t address, MemoryKind kind) override;
    bool owns(uint64_t address) const override {
        return device_memory_.holds(address) || managed_memory_.holds(address);
    }
    VirtualMemory* virtual_memory() override { return &virtual_memory_; }
    std::shared_ptr<PhysicalMemory> share(uint64_t address, size_t bytes, uint64_t& offset) override {
        return device_memory_.share(address, bytes, offset);
    }
    std::unique_ptr<Code> load(std::shared_ptr<const ptx::Image> image) override;
    std::unique_ptr<Queue> create_queue(int priority) override;
    std::unique_ptr<Partition> create_partition(uint32_t multiprocessors) override;
    void set_limits(uint64_t heap, uint64_t printf_buffer, uint64_t stack) override;
    uint32_t resident_blocks_per_multiprocessor(Kernel& kernel, uint32_t block_threads,
                                                uint32_t dynamic_shared_bytes) const override;
    /// All of them share the host's memory.
    bool can_reach(const Device&) const override { return true; }
    void drain_printf() override { runtime_.drain(); }

    Pool& pool() { return *pool_; }
    unsigned workers() const { return pool_->size(); }
    uint64_t stack_limit() const { return stack_limit_.load(std::memory_order_relaxed); }
    DeviceRuntime& device_runtime() { return runtime_; }

    /// Launches by kernels that are not complete: false when there are `limit` already.
    bool launch_pending(uint64_t limit);
    void launch_complete() { pending_launches_.fetch_sub(1, std::memory_order_relaxed); }

  private:
    Arena& arena(MemoryKind kind);

    const DeviceFacts facts_;
    const std::shared_ptr<Pool> pool_;
    Arena device_memory_, pinned_memory_, managed_memory_;
    CpuVirtualMemory virtual_memory_;
    DeviceRuntime runtime_;
    std::atomic<uint64_t> stack_limit_{1024};
    std::atomic<uint64_t> pending_launches_{0};
};

} // namespace rt::backend::cpu

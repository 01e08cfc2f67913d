#pragma once

#include "backend/backend.h"
#include "backend/clusters.h"
#include "backend/device_side/device_runtime.h"
#include "backend/gpu/launcher.h"
#include "backend/gpu/queue_services.h"
#include "backend/gpu/service_thread.h"
#include "backend/level_zero/builder.h"
#include "backend/level_zero/events.h"
#include "backend/level_zero/facts.h"
#include "backend/level_zero/marker.h"
#include "backend/level_zero/memory.h"

#include <map>
#include <memory>
#include <mutex>
#include <span>

namespace rt::backend::level_zero {

class ZeDevice : public Device, public ClusterLimits {
  public:
    ZeDevice(std::shared_ptr<Context> context, ze_device_handle_t handle, Description description);

    const DeviceFacts& facts() const override { return facts_; }
    MemoryInfo memory() const override { return memory_.info(); }
    /// Before the first load().
    void keep_binaries(BinaryStore& store) { builder_.keep_in(store); }
    uint64_t allocate(size_t bytes, MemoryKind kind) override { return memory_.allocate(bytes, kind); }
    void release(uint64_t address, MemoryKind kind) override;
    std::unique_ptr<Code> load(std::shared_ptr<const ptx::Image> image) override;
    std::unique_ptr<Queue> create_queue(int priority) override;
    /// The driver sizes the stacks.
    void set_limits(uint64_t heap, uint64_t printf_buffer, uint64_t) override {
        runtime_.set_limits(heap, printf_buffer);
    }
    uint32_t resident_blocks_per_multiprocessor(Kernel& kernel, uint32_t block_threads,
                                                uint32_t dynamic_shared_bytes) const override;
    uint64_t resident_clusters(const Launch& launch) const override;
    /// Tiles of one card share its memory, and nothing need be done for that.
    bool can_reach(const Device& other) const override;
    void drain_printf() override { runtime_.drain(); }

    const std::shared_ptr<Context>& context() const { return context_; }
    ze_device_handle_t handle() const { return handle_; }
    const DriverFacts& driver() const { return driver_; }
    const std::shared_ptr<Events>& events() const { return events_; }
    const std::shared_ptr<Slots>& slots() const { return slots_; }
    DeviceRuntime& runtime() { return runtime_; }
    gpu::ServiceThread& service_thread() { return service_thread_; }
    gpu::Launcher& launcher() { return launcher_; }
    /// Writes device memory that no command uses yet, at once.
    void write(uint64_t address, std::span<const uint8_t> bytes);
    /// What a queue's kernels may wait for, from now on, and whose faults those are.
    void add(const gpu::QueueServices& services, std::shared_ptr<Faults> faults);
    void remove(const gpu::QueueServices& services);

  private:
    bool end_waiting_kernels();
    bool stop(const gpu::QueueServices& services);

    const DeviceFacts facts_;
    const DriverFacts driver_;
    const std::shared_ptr<Context> context_;
    const ze_device_handle_t handle_;
    Builder builder_;
    Memory memory_;
    const std::shared_ptr<Events> events_;
    const std::shared_ptr<Slots> slots_;
    DeviceRuntime runtime_;
    gpu::ServiceThread service_thread_;
    std::mutex waiting_mutex_;
    std::map<const gpu::QueueServices*, std::shared_ptr<Faults>> waiting_;
    gpu::Launcher launcher_; ///< last: its queues use the others
};

} // namespace rt::backend::level_zero

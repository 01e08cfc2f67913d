#pragma once

#include "backend/backend.h"
#include "backend/level_zero/events.h"
#include "backend/level_zero/facts.h"
#include "backend/level_zero/memory.h"

#include <memory>

namespace rt::backend::level_zero {

class ZeDevice : public Device {
  public:
    ZeDevice(std::shared_ptr<Context> context, ze_device_handle_t handle, Description description);

    const DeviceFacts& facts() const override { return facts_; }
    MemoryInfo memory() const override { return memory_.info(); }
    uint64_t allocate(size_t bytes, MemoryKind kind) override { return memory_.allocate(bytes, kind); }
    void release(uint64_t address, MemoryKind kind) override;
    std::unique_ptr<Code> load(std::shared_ptr<const ptx::Image> image) override;
    std::unique_ptr<Queue> create_queue(int priority) override;
    /// Nothing to limit: kernels that use malloc or printf do not get through the SPIR-V target, and the driver sizes
    /// the stacks.
    void set_limits(uint64_t, uint64_t, uint64_t) override {}
    uint32_t resident_blocks_per_multiprocessor(Kernel& kernel, uint32_t block_threads,
                                                uint32_t dynamic_shared_bytes) const override;
    void drain_printf() override {}

    const std::shared_ptr<Context>& context() const { return context_; }
    ze_device_handle_t handle() const { return handle_; }
    const DriverFacts& driver() const { return driver_; }
    const std::shared_ptr<Events>& events() const { return events_; }
    const std::shared_ptr<Slots>& slots() const { return slots_; }

  private:
    const DeviceFacts facts_;
    const DriverFacts driver_;
    const std::shared_ptr<Context> context_;
    const ze_device_handle_t handle_;
    Memory memory_;
    const std::shared_ptr<Events> events_;
    const std::shared_ptr<Slots> slots_;
};

} // namespace rt::backend::level_zero

#pragma once

#include "backend/backend.h"
#include "backend/hip/loader.h"
#include "backend/hip/marker.h"

#include <memory>

namespace rt::backend::hip {

/// CUDA's device, pinned and managed memory are HIP's of the same names. Addresses are the same on both sides.
class HipDevice : public Device {
  public:
    explicit HipDevice(int number);

    const DeviceFacts& facts() const override { return facts_; }
    MemoryInfo memory() const override;
    uint64_t allocate(size_t bytes, MemoryKind kind) override;
    void release(uint64_t address, MemoryKind kind) override;
    std::unique_ptr<Code> load(std::shared_ptr<const ptx::Image> image) override;
    std::unique_ptr<Queue> create_queue(int priority) override;
    /// Only the stack: kernels that use printf or malloc do not get through the AMDGPU target.
    void set_limits(uint64_t heap, uint64_t printf_buffer, uint64_t stack) override;
    uint32_t resident_blocks_per_multiprocessor(Kernel& kernel, uint32_t block_threads,
                                                uint32_t dynamic_shared_bytes) const override;
    void drain_printf() override {}

    /// HIP's current device belongs to a thread, and the application's threads come and go.
    void make_current() const { check(loader().hipSetDevice(number_), "choosing a device"); }
    const std::shared_ptr<Clock>& clock() const { return clock_; }

  private:
    const int number_;
    const DeviceFacts facts_;
    const std::shared_ptr<Clock> clock_;
};

} // namespace rt::backend::hip

#pragma once

#include "backend/gpu/service_box.h"

#include <functional>
#include <memory>
#include <span>

namespace rt::backend::gpu {

/// What a queue's kernels reach the runtime by (ptx/gpu_services.h).
class QueueServices {
  public:
    /// Brings bytes into the device's memory before it returns.
    using Write = std::function<void(uint64_t address, std::span<const uint8_t>)>;

    /// Throws Error{out_of_memory}.
    QueueServices(Device& device, DeviceRuntime& runtime, const Write& write, std::shared_ptr<Faults> faults);
    ~QueueServices(); ///< after the queue's last kernel, unless the device is lost
    QueueServices(const QueueServices&) = delete;
    QueueServices& operator=(const QueueServices&) = delete;

    /// Address of the ptx::gpu::ServiceBlock.
    uint64_t block() const { return block_; }
    /// Of cooperative launches, which follow each other on the queue.
    uint64_t workspace() const { return workspace_; }
    const std::shared_ptr<ServiceBox>& box() const { return box_; }

  private:
    Device& device_;
    uint64_t host_ = 0; ///< slots, then the report
    uint64_t block_ = 0, workspace_ = 0;
    std::shared_ptr<ServiceBox> box_;
};

} // namespace rt::backend::gpu

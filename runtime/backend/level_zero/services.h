#pragma once

#include "backend/gpu/service_box.h"

#include <memory>

namespace rt::backend::level_zero {

class ZeDevice;

/// What a queue's kernels reach the runtime by (ptx/gpu_services.h).
class QueueServices {
  public:
    /// Throws Error{out_of_memory}.
    QueueServices(ZeDevice& device, std::shared_ptr<gpu::Faults> faults);
    ~QueueServices(); ///< after the queue's last kernel
    QueueServices(const QueueServices&) = delete;
    QueueServices& operator=(const QueueServices&) = delete;

    uint64_t block() const { return block_; }
    /// Of cooperative launches, which follow each other on the queue.
    uint64_t workspace() const { return workspace_; }
    const std::shared_ptr<gpu::ServiceBox>& box() const { return box_; }

  private:
    ZeDevice& device_;
    uint64_t host_ = 0; ///< slots, then the report
    uint64_t block_ = 0, workspace_ = 0;
    std::shared_ptr<gpu::ServiceBox> box_;
};

} // namespace rt::backend::level_zero

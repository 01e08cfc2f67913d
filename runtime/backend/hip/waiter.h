#pragma once

#include "backend/gpu/faults.h"
#include "backend/hip/loader.h"
#include "backend/hip/services.h"

#include <functional>
#include <memory>
#include <mutex>

namespace rt::backend::hip {

class HipDevice;

/// What a queue shares with its markers: its faults, what its kernels ask for, and how one waits for it. Thread safe.
class Waiter {
  public:
    explicit Waiter(HipDevice& device);
    ~Waiter();

    const std::shared_ptr<gpu::Faults>& faults() const { return faults_; }
    /// Notes what HIP said of a point on the stream. True when that is reached, or never will be.
    bool reached(hipError_t result);
    /// Blocks until `query` no longer says not_ready, or the device is found to be hung. `block` waits without end.
    void wait(const std::function<hipError_t()>& query, const std::function<hipError_t()>& block);
    /// Kernels of the queue that wait for something are told to end, which is a fault of theirs.
    void stop_kernels();
    /// Made when first asked for. Throws Error{out_of_memory}.
    QueueServices& services();

  private:
    QueueServices* existing_services();
    void give_up();

    HipDevice& device_;
    const std::shared_ptr<gpu::Faults> faults_ = std::make_shared<gpu::Faults>();
    std::mutex mutex_;
    std::unique_ptr<QueueServices> services_;
};

} // namespace rt::backend::hip

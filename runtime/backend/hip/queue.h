#pragma once

#include "backend/backend.h"
#include "backend/gpu/parents.h"
#include "backend/hip/loader.h"
#include "backend/hip/waiter.h"

#include <memory>
#include <mutex>

namespace rt::backend::hip {

class HipDevice;
class HipKernel;

/// A stream, in order by itself. What it was given is done before it is gone.
class HipQueue : public Queue {
  public:
    /// `parents` when its kernels are launched by others: then the launcher waits for what they launch. Else the queue
    /// does.
    HipQueue(HipDevice& device, int priority, std::shared_ptr<gpu::Parents> parents = nullptr);
    ~HipQueue() override;

    void launch(const Launch& launch) override;
    void copy(const Copy& copy) override;
    void fill(const Fill& fill) override;
    void call(std::function<void()> function) override;
    std::shared_ptr<Marker> mark(bool timing) override;
    void wait_for(std::shared_ptr<Marker> marker) override;
    bool idle() const override;
    void synchronize() override;
    Fault fault(std::string* message) const override { return waiter_->faults()->get(message); }

  private:
    /// Throws unless the command was taken. What only tells of an earlier kernel's fault becomes the queue's fault.
    void taken(hipError_t result, const std::string& doing);

    void serve();
    void start(const Launch& launch, HipKernel& kernel);
    void start_parent(const Launch& launch, HipKernel& kernel);
    void host_call(std::function<void()> function);

    HipDevice& device_;
    const Loader& hip_;
    hipStream_t stream_ = nullptr;
    const std::shared_ptr<Waiter> waiter_;
    const bool is_launchers_;
    const std::shared_ptr<gpu::Parents> parents_;
    bool has_services_ = false;
};

} // namespace rt::backend::hip

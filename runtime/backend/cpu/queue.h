#pragma once

#include "backend/backend.h"
#include "backend/cpu/timeline.h"

#include <memory>

namespace rt::backend::cpu {

/// The host's end of a timeline. What it has enqueued is still done when it is gone.
class CpuQueue : public Queue {
  public:
    explicit CpuQueue(CpuDevice& device, std::shared_ptr<Share> share = nullptr);

    void launch(const Launch& launch) override;
    void launch_all(std::span<const Launch> launches) override;
    void copy(const Copy& copy) override;
    void fill(const Fill& fill) override;
    void call(std::function<void()> function) override;
    std::shared_ptr<Marker> mark(bool timing) override;
    void wait_for(std::shared_ptr<Marker> marker) override;
    bool idle() const override;
    void synchronize() override;
    Fault fault(std::string* message) const override { return timeline_->fault(message); }

  private:
    CpuDevice& device_;
    const std::shared_ptr<Timeline> timeline_;
};

} // namespace rt::backend::cpu

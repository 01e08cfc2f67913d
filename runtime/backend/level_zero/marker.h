#pragma once

#include "backend/gpu/faults.h"
#include "backend/gpu/service_box.h"
#include "backend/level_zero/events.h"
#include "support/options.h"

#include <fmt/format.h>
#include <memory>
#include <mutex>

namespace rt::backend::level_zero {

/// The first fault of a queue. Thread safe.
class Faults : public gpu::Faults {
  public:
    /// What an event said. Level Zero tells that a device was lost, not why; a kernel may have said so before.
    void note(Progress progress) {
        if (progress == Progress::pending) return;
        serve();
        if (progress == Progress::lost) set(Fault::trap, "level_zero: the device is lost");
        if (progress == Progress::hung)
            set(Fault::timeout, fmt::format("level_zero: no kernel has ended for {} s, see CUTTLE_LAUNCH_TIMEOUT",
                                            options().launch_timeout));
    }
    /// What kernels of the queue asked for is done before anybody learns that they are over. Null: no more.
    void serve_first(std::shared_ptr<gpu::ServiceBox> box) {
        std::lock_guard lock(mutex_);
        box_ = std::move(box);
    }

  private:
    void serve() {
        std::lock_guard lock(mutex_);
        if (box_) box_->serve();
    }

    std::mutex mutex_;
    std::shared_ptr<gpu::ServiceBox> box_;
};

/// A point on a queue: the event of the last command before it. With timing, that command writes the device's clock.
class ZeMarker : public Marker {
  public:
    /// `event` null: reached from the start. `ticks` null: without timing.
    ZeMarker(std::shared_ptr<Context> context, std::shared_ptr<Faults> faults, std::shared_ptr<Event> event,
             std::shared_ptr<uint8_t> ticks, uint64_t ticks_per_second)
        : context_(std::move(context)), faults_(std::move(faults)), event_(std::move(event)), ticks_(std::move(ticks)),
          ticks_per_second_(ticks_per_second) {}

    bool reached() const override;
    void wait() const override;
    std::chrono::nanoseconds time() const override;

    const std::shared_ptr<Event>& event() const { return event_; }
    /// Events mean something in their own context only.
    const Context* context() const { return context_.get(); }

  private:
    const std::shared_ptr<Context> context_;
    const std::shared_ptr<Faults> faults_;
    const std::shared_ptr<Event> event_;
    const std::shared_ptr<uint8_t> ticks_;
    const uint64_t ticks_per_second_;
};

} // namespace rt::backend::level_zero

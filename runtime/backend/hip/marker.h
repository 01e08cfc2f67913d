#pragma once

#include "backend/backend.h"
#include "backend/hip/event.h"
#include "backend/hip/waiter.h"

#include <chrono>
#include <memory>
#include <mutex>

namespace rt::backend::hip {

/// Makes points in time of HIP's events, which only tell how many milliseconds one came after another, as a float. So
/// that this stays exact, a new reference is taken about every second.
class Clock {
  public:
    class Reference {
      public:
        explicit Reference(std::shared_ptr<Reference> before) : before_(std::move(before)) {}

        hipEvent_t event() const { return event_.handle(); }
        /// How long after the first reference this one was reached, which it was.
        std::chrono::nanoseconds time();

      private:
        const Event event_{true};
        std::mutex mutex_;
        std::shared_ptr<Reference> before_; ///< null for the first, and once the time is known
        std::chrono::nanoseconds time_{0};
    };

    explicit Clock(int device);
    /// The reference for an event that comes to `stream` next. The stream's device is current.
    std::shared_ptr<Reference> reference(hipStream_t stream);
    /// Of an event that was reached, as was the reference.
    static std::chrono::nanoseconds time(Reference& reference, hipEvent_t event);

  private:
    std::mutex mutex_;
    std::shared_ptr<Reference> newest_;
    std::chrono::steady_clock::time_point recorded_;
};

/// A point on a queue.
class HipMarker : public Marker {
  public:
    /// `reference` null: without timing.
    HipMarker(std::shared_ptr<Waiter> waiter, std::unique_ptr<Event> event, std::shared_ptr<Clock::Reference> reference)
        : waiter_(std::move(waiter)), event_(std::move(event)), reference_(std::move(reference)) {}

    bool reached() const override;
    void wait() const override;
    std::chrono::nanoseconds time() const override;
    hipEvent_t event() const { return event_->handle(); }

  private:
    const std::shared_ptr<Waiter> waiter_;
    const std::unique_ptr<Event> event_;
    const std::shared_ptr<Clock::Reference> reference_;
};

} // namespace rt::backend::hip

#pragma once

#include "backend/gpu/faults.h"
#include "backend/hip/loader.h"

#include <chrono>
#include <memory>
#include <mutex>

namespace rt::backend::hip {

/// A HIP event, recorded once.
class Event {
  public:
    explicit Event(bool timing);
    ~Event();
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    hipEvent_t handle() const { return handle_; }

  private:
    hipEvent_t handle_ = nullptr;
};

/// Notes what a call said that may tell of a kernel's end: not_ready and success are none. False: not ready.
bool note(gpu::Faults& faults, hipError_t result);

/// Makes points in time of HIP's events, which only tell how many milliseconds one came after another, as a float. So
/// that this stays exact, a new reference is taken about every second; each knows how long after the one before it
/// came.
class Clock {
  public:
    struct Reference {
        Event event{true};
        std::shared_ptr<Reference> before; ///< null: the first
        std::chrono::steady_clock::time_point recorded;
    };

    explicit Clock(int device);
    /// The reference for an event that comes to `stream` next. The stream's device is current.
    std::shared_ptr<Reference> reference(hipStream_t stream);
    /// Of an event that was reached.
    static std::chrono::nanoseconds time(const Reference& reference, hipEvent_t event);

  private:
    std::mutex mutex_;
    std::shared_ptr<Reference> newest_;
};

/// A point on a queue.
class HipMarker : public Marker {
  public:
    /// `reference` null: without timing.
    HipMarker(std::shared_ptr<gpu::Faults> faults, std::unique_ptr<Event> event,
              std::shared_ptr<Clock::Reference> reference)
        : faults_(std::move(faults)), event_(std::move(event)), reference_(std::move(reference)) {}

    bool reached() const override;
    void wait() const override;
    std::chrono::nanoseconds time() const override;
    hipEvent_t event() const { return event_->handle(); }

  private:
    const std::shared_ptr<gpu::Faults> faults_;
    const std::unique_ptr<Event> event_;
    const std::shared_ptr<Clock::Reference> reference_;
};

} // namespace rt::backend::hip

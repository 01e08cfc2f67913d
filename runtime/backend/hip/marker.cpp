#include "backend/hip/marker.h"

#include <cassert>

namespace rt::backend::hip {

Event::Event(bool timing) {
    check(loader().hipEventCreateWithFlags(&handle_, timing ? 0u : unsigned(hipEventDisableTiming)),
          "creating an event");
}

Event::~Event() { loader().hipEventDestroy(handle_); }

namespace {

std::chrono::nanoseconds between(hipEvent_t from, hipEvent_t to) {
    float milliseconds = 0;
    check(loader().hipEventElapsedTime(&milliseconds, from, to), "comparing events");
    return std::chrono::nanoseconds(int64_t(double(milliseconds) * 1e6));
}

} // namespace

std::chrono::nanoseconds Clock::Reference::time() {
    std::lock_guard lock(mutex_);
    if (before_) {
        time_ = before_->time() + between(before_->event(), event());
        before_.reset();
    }
    return time_;
}

Clock::Clock(int device) {
    const Loader& hip = loader();
    check(hip.hipSetDevice(device), "choosing a device");
    newest_ = std::make_shared<Reference>(nullptr);
    recorded_ = std::chrono::steady_clock::now();
    check(hip.hipEventRecord(newest_->event(), nullptr), "recording an event");
    check(hip.hipEventSynchronize(newest_->event()), "waiting for an event");
}

std::shared_ptr<Clock::Reference> Clock::reference(hipStream_t stream) {
    constexpr std::chrono::seconds long_ago{1};
    const auto now = std::chrono::steady_clock::now();
    std::lock_guard lock(mutex_);
    // Only one that was reached can be counted from.
    if (now - recorded_ < long_ago || loader().hipEventQuery(newest_->event()) != hipSuccess) return newest_;
    newest_->time(); // it forgets the one before
    auto next = std::make_shared<Reference>(newest_);
    check(loader().hipEventRecord(next->event(), stream), "recording an event");
    recorded_ = now;
    return newest_ = std::move(next);
}

std::chrono::nanoseconds Clock::time(Reference& reference, hipEvent_t event) {
    return reference.time() + between(reference.event(), event);
}

bool HipMarker::reached() const { return waiter_->reached(loader().hipEventQuery(event())); }

void HipMarker::wait() const {
    waiter_->wait([this] { return loader().hipEventQuery(event()); },
                  [this] { return loader().hipEventSynchronize(event()); });
}

std::chrono::nanoseconds HipMarker::time() const {
    assert(reference_ && "only markers with timing have a time");
    // A reference of another stream may be reached later than this marker.
    check(loader().hipEventSynchronize(reference_->event()), "waiting for an event");
    return Clock::time(*reference_, event());
}

} // namespace rt::backend::hip

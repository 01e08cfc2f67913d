#include "backend/hip/marker.h"

#include <cassert>

namespace rt::backend::hip {

Event::Event(bool timing) {
    check(loader().hipEventCreateWithFlags(&handle_, timing ? 0u : unsigned(hipEventDisableTiming)),
          "creating an event");
}

Event::~Event() { loader().hipEventDestroy(handle_); }

bool note(gpu::Faults& faults, hipError_t result) {
    if (result == hipErrorNotReady) return false;
    if (result == hipSuccess) return true;
    const Fault fault = result == hipErrorIllegalAddress ? Fault::illegal_address
                        : result == hipErrorAssert       ? Fault::assertion
                                                         : Fault::trap;
    faults.set(fault, "hip: " + describe(result));
    return true;
}

Clock::Clock(int device) {
    const Loader& hip = loader();
    check(hip.hipSetDevice(device), "choosing a device");
    newest_ = std::make_shared<Reference>();
    newest_->recorded = std::chrono::steady_clock::now();
    check(hip.hipEventRecord(newest_->event.handle(), nullptr), "recording an event");
    check(hip.hipEventSynchronize(newest_->event.handle()), "waiting for an event");
}

std::shared_ptr<Clock::Reference> Clock::reference(hipStream_t stream) {
    constexpr std::chrono::seconds long_ago{1};
    const auto now = std::chrono::steady_clock::now();
    std::lock_guard lock(mutex_);
    // Only one that was reached can be counted from.
    if (now - newest_->recorded < long_ago || loader().hipEventQuery(newest_->event.handle()) != hipSuccess)
        return newest_;
    auto next = std::make_shared<Reference>();
    next->before = newest_;
    next->recorded = now;
    check(loader().hipEventRecord(next->event.handle(), stream), "recording an event");
    return newest_ = std::move(next);
}

std::chrono::nanoseconds Clock::time(const Reference& reference, hipEvent_t event) {
    const auto between = [](hipEvent_t from, hipEvent_t to) {
        float milliseconds = 0;
        check(loader().hipEventElapsedTime(&milliseconds, from, to), "comparing events");
        return std::chrono::nanoseconds(int64_t(double(milliseconds) * 1e6));
    };
    std::chrono::nanoseconds sum = between(reference.event.handle(), event);
    for (const Reference* at = &reference; at->before; at = at->before.get())
        sum += between(at->before->event.handle(), at->event.handle());
    return sum;
}

bool HipMarker::reached() const { return note(*faults_, loader().hipEventQuery(event())); }

void HipMarker::wait() const { note(*faults_, loader().hipEventSynchronize(event())); }

std::chrono::nanoseconds HipMarker::time() const {
    assert(reference_ && "only markers with timing have a time");
    // A reference of another stream may be reached later than this marker.
    check(loader().hipEventSynchronize(reference_->event.handle()), "waiting for an event");
    return Clock::time(*reference_, event());
}

} // namespace rt::backend::hip

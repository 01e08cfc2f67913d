#include "backend/level_zero/marker.h"

#include <cassert>
#include <cstring>

namespace rt::backend::level_zero {

bool ZeMarker::reached() const {
    if (!event_) return true;
    const Progress progress = event_->poll();
    faults_->note(progress);
    return progress != Progress::pending;
}

void ZeMarker::wait() const {
    if (event_) faults_->note(event_->wait());
}

std::chrono::nanoseconds ZeMarker::time() const {
    assert(ticks_ && "only markers with timing have a time");
    uint64_t ticks = 0;
    std::memcpy(&ticks, ticks_.get(), sizeof ticks);
    const uint64_t seconds = ticks / ticks_per_second_, rest = ticks % ticks_per_second_;
    return std::chrono::nanoseconds(seconds * 1'000'000'000 + uint64_t(double(rest) * 1e9 / double(ticks_per_second_)));
}

} // namespace rt::backend::level_zero

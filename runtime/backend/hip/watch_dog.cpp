#include "backend/hip/watch_dog.h"

#include <algorithm>

namespace rt::backend::hip {

void WatchDog::launched(hipStream_t stream) {
    if (!watches()) return;
    constexpr unsigned few = 16;
    constexpr std::chrono::milliseconds quickly{10};
    const auto now = Clock::now();
    std::lock_guard lock(mutex_);
    if (ahead_.empty() && unmarked_.empty()) moved_ = now; // there was nothing that could
    if (++launches_ < few && now - marked_ < quickly) {
        unmarked_.insert(stream);
        return;
    }
    moved();
    marked_ = now;
    launches_ = 0;
    mark(stream);
}

void WatchDog::mark(hipStream_t stream) {
    unmarked_.erase(stream);
    if (spare_.empty()) spare_.push_back(std::make_unique<Event>(false));
    if (loader().hipEventRecord(spare_.back()->handle(), stream) != hipSuccess) return; // what is wrong shows elsewhere
    ahead_.push_back(std::move(spare_.back()));
    spare_.pop_back();
}

void WatchDog::mark_rest() {
    while (!unmarked_.empty()) mark(*unmarked_.begin());
}

void WatchDog::forget(hipStream_t stream) {
    std::lock_guard lock(mutex_);
    unmarked_.erase(stream);
}

/// Whether an event was reached since the last time.
bool WatchDog::moved() {
    const auto reached = [](const std::unique_ptr<Event>& event) {
        return loader().hipEventQuery(event->handle()) != hipErrorNotReady;
    };
    const auto rest = std::stable_partition(ahead_.begin(), ahead_.end(), [&](const auto& e) { return !reached(e); });
    const bool any = rest != ahead_.end();
    constexpr size_t enough = 64;
    for (auto at = rest; at != ahead_.end(); ++at)
        if (spare_.size() < enough) spare_.push_back(std::move(*at));
    ahead_.erase(rest, ahead_.end());
    return any;
}

bool WatchDog::hung() {
    if (!watches()) return false;
    // Who has not asked for so long was not waiting.
    constexpr std::chrono::seconds absent{1};
    const auto now = Clock::now();
    std::lock_guard lock(mutex_);
    mark_rest();
    const bool begins = now - looked_ > absent;
    looked_ = now;
    if (begins || host_calls_ || moved()) moved_ = now;
    if (now - moved_ <= patience_) return false;
    moved_ = now; // what is done about it has as long again
    return true;
}

bool WatchDog::quiet() {
    std::lock_guard lock(mutex_);
    mark_rest();
    moved();
    return ahead_.empty();
}

void WatchDog::count_host_calls(int change) {
    std::lock_guard lock(mutex_);
    host_calls_ += change;
}

} // namespace rt::backend::hip

#include "backend/level_zero/watch_dog.h"

#include "backend/level_zero/events.h"

namespace rt::backend::level_zero {

namespace {

bool over(const std::weak_ptr<Event>& weak) {
    const std::shared_ptr<Event> event = weak.lock();
    return !event || event->query() != Progress::pending;
}

} // namespace

void WatchDog::launched(const void* queue, const std::shared_ptr<Event>& event) {
    if (!watches()) return;
    constexpr unsigned few = 16;
    constexpr std::chrono::milliseconds quickly{10};
    const auto now = Clock::now();
    std::lock_guard lock(mutex_);
    if (ahead_.empty() && newest_.empty()) moved_ = now; // there was nothing that could
    newest_[queue] = event;
    if (++launches_ < few && now - marked_ < quickly) return;
    moved();
    marked_ = now;
    launches_ = 0;
    ahead_.push_back(event);
}

/// Whether a kernel has ended since the last time.
bool WatchDog::moved() {
    const size_t ended =
        std::erase_if(ahead_, over) + std::erase_if(newest_, [](auto& row) { return over(row.second); });
    return ended != 0;
}

bool WatchDog::hung() {
    if (!watches()) return false;
    // Who has not asked for so long was not waiting.
    constexpr std::chrono::seconds absent{1};
    constexpr std::chrono::milliseconds often{5};
    const auto now = Clock::now();
    std::lock_guard lock(mutex_);
    if (now - looked_ < often) return false;
    const bool begins = now - looked_ > absent;
    looked_ = now;
    const bool any = moved();
    if (begins || any || host_calls_ || newest_.empty()) moved_ = now;
    if (now - moved_ <= patience_) return false;
    moved_ = now; // what is done about it has as long again
    return true;
}

bool WatchDog::quiet() {
    std::lock_guard lock(mutex_);
    moved();
    return ahead_.empty() && newest_.empty();
}

void WatchDog::count_host_calls(int change) {
    std::lock_guard lock(mutex_);
    host_calls_ += change;
}

} // namespace rt::backend::level_zero

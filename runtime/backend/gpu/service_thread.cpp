#include "backend/gpu/service_thread.h"

#include <chrono>

namespace rt::backend::gpu {

ServiceThread::~ServiceThread() {
    {
        std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void ServiceThread::watch(std::shared_ptr<ServiceBox> box, std::function<bool()> over) {
    {
        std::lock_guard lock(mutex_);
        const ServiceBox* key = box.get();
        watched_[key] = {std::move(box), std::move(over)};
        if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    }
    changed_.notify_one();
}

void ServiceThread::forget(const ServiceBox& box) {
    std::lock_guard lock(mutex_);
    watched_.erase(&box);
}

/// True when a box had something to do.
bool ServiceThread::serve_all() {
    bool any = false;
    for (auto at = watched_.begin(); at != watched_.end();) {
        const bool over = at->second.over();
        any |= at->second.box->serve();
        at = over ? watched_.erase(at) : std::next(at);
    }
    return any;
}

void ServiceThread::run() {
    // Waits grow from what a busy kernel notices to what costs nothing.
    constexpr std::chrono::microseconds shortest{20}, longest{1000};
    std::chrono::microseconds pause = shortest;
    std::unique_lock lock(mutex_);
    while (!ending_) {
        if (watched_.empty()) {
            changed_.wait(lock, [&] { return ending_ || !watched_.empty(); });
            pause = shortest;
            continue;
        }
        pause = serve_all() ? shortest : std::min(longest, pause * 5 / 4);
        changed_.wait_for(lock, pause, [&] { return ending_; });
    }
}

} // namespace rt::backend::gpu

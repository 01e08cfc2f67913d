#include "backend/level_zero/host_calls.h"

#include "support/log.h"

#include <exception>

namespace rt::backend::level_zero {

HostCalls::~HostCalls() {
    {
        std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void HostCalls::post(std::shared_ptr<Event> before, std::function<void()> function, std::shared_ptr<Event> after) {
    {
        std::lock_guard lock(mutex_);
        calls_.push_back({std::move(before), std::move(after), std::move(function)});
    }
    changed_.notify_one();
}

void HostCalls::run() {
    for (;;) {
        Call call;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [&] { return ending_ || !calls_.empty(); });
            if (calls_.empty()) return;
            call = std::move(calls_.front());
            calls_.pop_front();
        }
        // Nothing may escape the thread, and whoever waits for the call must go on.
        try {
            if (!call.before || call.before->wait() == Progress::done) call.function();
        } catch (const std::exception& error) {
            log(LogLevel::error, LogChannel::launch, "level_zero: a host call failed: {}", error.what());
        }
        try {
            call.after->signal();
        } catch (const std::exception& error) {
            log(LogLevel::error, LogChannel::launch, "{}", error.what());
        }
    }
}

} // namespace rt::backend::level_zero

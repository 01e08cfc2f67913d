#pragma once

#include "backend/level_zero/events.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace rt::backend::level_zero {

/// A thread that does the host calls of one queue, in order.
class HostCalls {
  public:
    explicit HostCalls(std::shared_ptr<Events> events) : events_(std::move(events)), thread_([this] { run(); }) {}
    ~HostCalls(); ///< after the last call

    /// Once `before` is done (null: at once) calls `function`, then signals `after`. A lost device is not called for.
    void post(std::shared_ptr<Event> before, std::function<void()> function, std::shared_ptr<Event> after);

  private:
    struct Call {
        std::shared_ptr<Event> before, after;
        std::function<void()> function;
    };
    void run();

    const std::shared_ptr<Events> events_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Call> calls_;
    bool ending_ = false;
    std::thread thread_; // last: it uses the others
};

} // namespace rt::backend::level_zero

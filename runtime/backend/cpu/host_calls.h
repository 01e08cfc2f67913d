#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace rt::backend::cpu {

/// Threads for host functions, which may block for as long as they like: there is always one more when all are busy.
class HostCalls : public std::enable_shared_from_this<HostCalls> {
  public:
    void run(std::function<void()> function);
    void stop();

  private:
    void thread();

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> calls_;
    size_t idle_ = 0;
    bool stopping_ = false;
};

} // namespace rt::backend::cpu

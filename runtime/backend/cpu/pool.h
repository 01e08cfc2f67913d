#pragma once

#include "backend/cpu/floating_point_scope.h"
#include "backend/cpu/guard.h"
#include "backend/cpu/runner.h"

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace rt::backend::cpu {

class Timeline;
class HostCalls;

/// The threads that do all devices' work. They start with the first work, spin shortly for more and then sleep.
class Pool : public std::enable_shared_from_this<Pool> {
  public:
    Pool(unsigned threads, uint64_t resident_threads);
    ~Pool();
    /// Cancels what runs and ends the threads; leaves a thread behind that cannot be stopped.
    void stop();

    unsigned size() const { return size_; }
    /// CUDA threads that may be in flight at once.
    uint64_t resident_threads() const { return resident_threads_; }
    bool stopping() const { return stopping_.load(std::memory_order_relaxed); }

    /// The queue can go on: some thread will call its pump().
    void submit(std::shared_ptr<Timeline> timeline);
    /// The queue's job has units for others. `wake`: how many sleeping threads it is worth.
    void publish(std::shared_ptr<Timeline> timeline, unsigned wake);
    std::shared_ptr<Timeline> take_ready();
    /// A queue with a job that has units for this thread to claim, other than `except`.
    std::shared_ptr<Timeline> find_job(const Runner& runner, const Job* except = nullptr);
    /// There is room in a share where there was none.
    void room_made();
    /// A queue waits for a thread, and none is idle: worth leaving a job for.
    bool wants_attention() const { return ready_count_.load(std::memory_order_relaxed) > 0; }

    /// Runs a host function on a thread that may block.
    void host_call(std::function<void()> function);

    /// How long a thread that waits should spin before it sleeps.
    std::chrono::nanoseconds spin_time() const { return spin_time_; }

  private:
    friend class Helper;
    void start_threads();
    void worker(Runner& runner);
    void wait_for_work(uint32_t seen);
    void wake(unsigned count);

    const unsigned size_;
    const uint64_t resident_threads_;
    const std::chrono::nanoseconds spin_time_;
    std::mutex mutex_;
    std::deque<std::shared_ptr<Timeline>> ready_;
    std::vector<std::shared_ptr<Timeline>> jobs_;
    std::atomic<unsigned> ready_count_{0}, job_count_{0};
    std::atomic<uint32_t> epoch_{0}; ///< changes with every submit and publish; what idle threads watch
    std::atomic<unsigned> sleeping_{0}, spinning_{0};
    std::atomic<bool> started_{false}, stopping_{false};
    std::vector<std::unique_ptr<Runner>> runners_;
    std::atomic<unsigned> alive_{0};

    std::mutex helpers_mutex_;
    std::vector<std::unique_ptr<Runner>> helpers_;
    std::shared_ptr<HostCalls> host_calls_;
};

/// Lets a waiting host thread execute work while it lives.
class Helper {
  public:
    explicit Helper(Pool& pool);
    ~Helper();
    Helper(const Helper&) = delete;
    Helper& operator=(const Helper&) = delete;
    /// nullptr when this thread cannot (see GuardScope).
    Runner* runner() { return scope_->usable() ? runner_.get() : nullptr; }

  private:
    Pool& pool_;
    std::unique_ptr<Runner> runner_;
    std::unique_ptr<GuardScope> scope_;
    FloatingPointScope floating_point_;
};

} // namespace rt::backend::cpu

#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace rt::backend::level_zero {

class Event;

/// Tells a device that is hung from one that is busy: whether any of its queues got on with its kernels while somebody
/// waited. Thread safe.
class WatchDog {
  public:
    /// `patience` 0: never hung.
    explicit WatchDog(std::chrono::seconds patience) : patience_(patience) {}

    bool watches() const { return patience_.count() != 0; }
    /// `event` is that of a kernel that `queue` was given.
    void launched(const void* queue, const std::shared_ptr<Event>& event);
    /// To be asked again and again while waiting. True when nothing has moved for as long as the patience lasts.
    bool hung();
    /// Whether all kernels that were given to it are known to have ended.
    bool quiet();
    /// While it lives, a host function of the application runs, and nothing else can be expected to move.
    class HostCall {
      public:
        explicit HostCall(WatchDog& dog) : dog_(dog) { dog_.count_host_calls(1); }
        ~HostCall() { dog_.count_host_calls(-1); }
        HostCall(const HostCall&) = delete;
        HostCall& operator=(const HostCall&) = delete;

      private:
        WatchDog& dog_;
    };

  private:
    using Clock = std::chrono::steady_clock;

    bool moved(); ///< with the lock held
    void count_host_calls(int change);

    const std::chrono::seconds patience_;
    std::mutex mutex_;
    // Events of kernels that are not known to be done: the newest of each queue, and some before those. Who has made a
    // command with an event holds it until that is done, so one that is gone was.
    std::map<const void*, std::weak_ptr<Event>> newest_;
    std::vector<std::weak_ptr<Event>> ahead_;
    Clock::time_point marked_, looked_, moved_;
    unsigned launches_ = 0; ///< since marked_
    int host_calls_ = 0;
};

} // namespace rt::backend::level_zero

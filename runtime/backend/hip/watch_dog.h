#pragma once

#include "backend/hip/event.h"

#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

namespace rt::backend::hip {

/// Tells a device that is hung from one that is busy: whether any of its streams got on with its kernels while somebody
/// waited. Thread safe.
class WatchDog {
  public:
    /// `patience` 0: never hung.
    explicit WatchDog(std::chrono::seconds patience) : patience_(patience) {}

    std::chrono::seconds patience() const { return patience_; }
    bool watches() const { return patience_.count() != 0; }
    /// A kernel was given to the stream. Every one of them, or one of a few that come quickly, leaves an event behind;
    /// what has left none gets one when somebody asks.
    void launched(hipStream_t stream);
    /// The stream is about to end.
    void forget(hipStream_t stream);
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

    bool moved();
    void mark(hipStream_t stream);
    void mark_rest();
    void count_host_calls(int change);

    const std::chrono::seconds patience_;
    std::mutex mutex_;
    std::deque<std::unique_ptr<Event>> ahead_; ///< not known to be reached
    std::vector<std::unique_ptr<Event>> spare_;
    Clock::time_point marked_, looked_, moved_;
    unsigned launches_ = 0;          ///< since marked_
    std::set<hipStream_t> unmarked_; ///< that have kernels behind their newest event
    int host_calls_ = 0;
};

} // namespace rt::backend::hip

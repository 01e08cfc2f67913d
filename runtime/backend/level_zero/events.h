#pragma once

#include "backend/level_zero/loader.h"
#include "backend/level_zero/watch_dog.h"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace rt::backend::level_zero {

/// What an event says of the command that signals it. Of a device that is lost, or hung for good, no command is done.
enum class Progress : uint8_t { pending, done, hung, lost };

class Events;

/// A Level Zero event that a host can see and signal. Signalled once, then only read; whoever needs another takes
/// another.
class Event {
  public:
    Event(Events& owner, const Loader& ze, ze_event_handle_t handle) : owner_(owner), ze_(ze), handle_(handle) {}
    ze_event_handle_t handle() const { return handle_; }
    Progress query() const;
    /// For somebody who waits and asks again and again: answers `hung` when that takes too long.
    Progress poll() const;
    Progress wait() const; ///< blocks the host; never answers `pending`
    void signal();

  private:
    Progress remember(ze_result_t result) const;

    Events& owner_;
    const Loader& ze_;
    const ze_event_handle_t handle_;
    mutable std::atomic<Progress> progress_{Progress::pending};
};

/// Events of a device, kept and reused. An event comes back when nobody holds it, so whoever makes a command wait for
/// one holds it until that command is done. Thread safe.
class Events : public std::enable_shared_from_this<Events> {
  public:
    /// `end_kernels` tells kernels that wait for something to end; false if one goes on nevertheless.
    Events(std::shared_ptr<Context> context, std::chrono::seconds patience, std::function<bool()> end_kernels)
        : context_(std::move(context)), dog_(patience), end_kernels_(std::move(end_kernels)) {}
    ~Events();

    std::shared_ptr<Event> take();
    WatchDog& watch_dog() { return dog_; }
    /// Once not `pending` it stays: nothing of the device is to be trusted, and what its kernels may use stays
    /// allocated for good.
    Progress state() const { return state_; }
    bool is_lost() const { return state_ != Progress::pending; }
    void set_lost(Progress how);
    /// The device is hung: ends what waits there, or gives the device up.
    void end_kernels();

  private:
    static constexpr uint32_t pool_size = 256;
    void make_pool(); ///< with the lock held
    void give_back(ze_event_handle_t handle) noexcept;

    const std::shared_ptr<Context> context_;
    WatchDog dog_;
    const std::function<bool()> end_kernels_;
    std::atomic<Progress> state_{Progress::pending};
    std::mutex mutex_;
    std::vector<ze_event_pool_handle_t> pools_;
    std::vector<ze_event_handle_t> free_, all_;
};

} // namespace rt::backend::level_zero

#pragma once

#include "backend/level_zero/loader.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

namespace rt::backend::level_zero {

/// What an event says of the command that signals it.
enum class Progress : uint8_t { pending, done, lost };

/// A Level Zero event that a host can see and signal. Signalled once, then only read; whoever needs another takes
/// another.
class Event {
  public:
    Event(const Loader& ze, ze_event_handle_t handle) : ze_(ze), handle_(handle) {}
    ze_event_handle_t handle() const { return handle_; }
    Progress query() const;
    Progress wait() const; ///< blocks the host; never answers `pending`
    void signal();

  private:
    Progress remember(ze_result_t result) const;

    const Loader& ze_;
    const ze_event_handle_t handle_;
    mutable std::atomic<Progress> progress_{Progress::pending};
};

/// Events of a device, kept and reused. An event comes back when nobody holds it, so whoever makes a command wait for
/// one holds it until that command is done. Thread safe.
class Events : public std::enable_shared_from_this<Events> {
  public:
    Events(std::shared_ptr<Context> context, ze_device_handle_t device)
        : context_(std::move(context)), device_(device) {}
    ~Events();

    std::shared_ptr<Event> take();

  private:
    static constexpr uint32_t pool_size = 256;
    void make_pool(); ///< with the lock held
    void give_back(ze_event_handle_t handle) noexcept;

    const std::shared_ptr<Context> context_;
    const ze_device_handle_t device_;
    std::mutex mutex_;
    std::vector<ze_event_pool_handle_t> pools_;
    std::vector<ze_event_handle_t> free_, all_;
};

} // namespace rt::backend::level_zero

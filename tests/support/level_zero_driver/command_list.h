#pragma once

#include <level_zero/ze_api.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

namespace level_zero_driver {

/// What has happened on the device, for all lists and events.
struct World {
    std::mutex mutex;
    std::condition_variable changed;
    bool lost = false; ///< something failed to run: from then on nothing does
};
World& world();

struct Event {
    bool signalled = false;
    unsigned uses = 0; ///< by commands that are not done
    std::vector<ze_device_handle_t> devices; ///< whose lists may use it; none: all
};

/// An immediate list. Its commands run on a thread of their own, late and in any order that their events and the list's
/// barriers allow, so that an order that nobody asked for shows.
class CommandList {
  public:
    struct Command {
        std::function<ze_result_t()> work;
        Event* signal = nullptr;
        std::vector<Event*> waits;
        bool barrier = false; ///< nothing behind it starts before it is done
    };

    explicit CommandList(ze_device_handle_t device) : device_(device), thread_([this] { run(); }) {}
    ~CommandList(); ///< after the last command
    void append(Command command);
    /// Whether its device may use the event.
    bool knows(const Event& event) const;

  private:
    void run();
    std::vector<size_t> startable() const;

    const ze_device_handle_t device_;
    std::deque<Command> commands_; ///< under the world's lock
    bool ending_ = false;
    std::minstd_rand random_{1};
    std::thread thread_;
};

} // namespace level_zero_driver

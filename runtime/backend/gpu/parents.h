#pragma once

#include "backend/backend.h"

#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace rt::backend::gpu {

class ChildGrids;
class Faults;
class Launcher;
class ServiceBox;

/// The kernels of one queue that may launch others, in the order in which the queue runs them, one at a time. Thread
/// safe.
class Parents {
  public:
    explicit Parents(Launcher& launcher) : launcher_(launcher) {}

    Launcher& launcher() { return launcher_; }
    /// Of a launch that the queue is about to get.
    void add(const Launch& launch);
    void remove_last(); ///< it did not get it
    /// What the kernel that runs has launched. nullptr where none runs.
    std::shared_ptr<ChildGrids> current();
    std::shared_ptr<ChildGrids> take_current();
    /// The blocks of the one that ran are done: blocks until it is complete. What its grids do wrong goes to `faults`.
    void finish(Faults& faults);

  private:
    Launcher& launcher_;
    std::mutex mutex_;
    std::deque<std::shared_ptr<ChildGrids>> launches_;
};

/// Starts by `start` a kernel that may launch others. What it asks by `box`, its queue's, is answered.
void start_parent(const std::shared_ptr<Parents>& parents, const Launch& launch, ServiceBox& box,
                  const std::function<void()>& start);

} // namespace rt::backend::gpu

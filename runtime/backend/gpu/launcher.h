#pragma once

#include "backend/backend.h"
#include "backend/device_side/free_space.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace rt::backend::gpu {

class ChildGrids;
class Parents;

/// A grid that a kernel launches.
struct ChildLaunch {
    uint64_t address = 0; ///< of the kernel, as device code has it; 0 when the launch itself says it
    Kernel* kernel = nullptr;
    Dim3 grid, block;
    uint32_t dynamic_shared_bytes = 0;
    std::span<uint8_t> parameters; ///< of Launcher::parameters()
    uint64_t globals = 0;
    DeviceSide* device_side = nullptr;
    bool last = false; ///< nothing follows in its stream: a fire-and-forget or tail launch
};

/// Launches from the kernels of one device. No vendor's queue takes work in between, so a thread of ours starts each
/// grid when its turn has come, on queues of its own, and asks until it is over. What the thread does is done by
/// `post`; all but that, add_parameters() and the destructor is for its tasks alone.
class Launcher {
  public:
    /// Called once, when the grid is complete, with its first fault.
    using Finished = std::function<void(Fault, const std::string&)>;
    /// A queue that notes in `Parents` which of its kernels may launch, and leaves the rest to the launcher.
    using CreateQueue = std::function<std::unique_ptr<Queue>(std::shared_ptr<Parents>)>;

    Launcher(Device& device, CreateQueue create_queue);
    ~Launcher(); ///< what was launched is complete
    Launcher(const Launcher&) = delete;
    Launcher& operator=(const Launcher&) = delete;

    void post(std::function<void()> task);
    /// Memory for parameters, unless it is there: kernels reach only what is there when they start. Throws
    /// Error{out_of_memory}.
    void add_parameters();

    /// `bytes` that host and device reach; empty when there is no room.
    std::span<uint8_t> take_parameters(uint64_t bytes);
    void give_parameters(std::span<uint8_t> parameters);
    /// Counts a launch that begins to be pending, unless there are `limit`.
    bool count_launch(uint64_t limit);
    void forget_launch() { pending_--; }
    /// Of a launch that was counted, and will not be started.
    void drop(const ChildLaunch& launch);
    /// Starts a grid that was counted, as soon as a queue is free. It counts until it is complete; if nothing follows
    /// in its stream, until its blocks are done.
    void start(ChildLaunch launch, Finished finished);
    /// Asks until `attempt` gives something, which `answer` gets. A kernel waits meanwhile.
    void wait_until(std::function<std::optional<uint64_t>()> attempt, std::function<void(uint64_t)> answer);

  private:
    /// A queue, which has one kernel at a time.
    struct Place {
        std::shared_ptr<Parents> parents;
        std::unique_ptr<Queue> queue;
    };
    struct Grid {
        ChildLaunch launch;
        Finished finished;
        std::unique_ptr<Place> place; ///< null: not started
    };
    struct Waiting {
        std::function<std::optional<uint64_t>()> attempt;
        std::function<void(uint64_t)> answer;
    };

    void run();
    bool run_tasks();
    bool end_grids();
    bool start_grids();
    bool answer();
    void launch(Grid grid);
    void end(Grid grid);

    Device& device_;
    const CreateQueue create_queue_;
    std::mutex parameters_mutex_;
    uint64_t parameters_base_ = 0;
    std::unique_ptr<FreeSpace> parameters_;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> tasks_;
    bool ending_ = false;
    std::thread thread_; ///< since the first task

    // Of the thread alone.
    std::deque<Grid> ready_;
    std::list<Grid> running_;
    std::vector<std::unique_ptr<Place>> idle_;
    std::vector<Waiting> waiting_;
    uint64_t pending_ = 0;
};

} // namespace rt::backend::gpu

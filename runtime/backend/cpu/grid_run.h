#pragma once

#include "backend/cpu/code.h"
#include "backend/cpu/job.h"
#include "ptx/host_abi.h"

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace rt::backend::cpu {

class CpuDevice;
class Cta;
struct LaneFiber;
enum class Outcome : uint8_t;

class ChildGrids;

/// What Queue::launch was given, with a copy of the parameters, or what a kernel launches.
struct LaunchCommand {
    /// Hears of the end of a launch by a kernel, and how it ended.
    using Finished = std::function<void(Fault, const std::string&)>;

    CpuKernel* kernel = nullptr;
    Dim3 grid, block, cluster;
    uint32_t dynamic_shared_bytes = 0;
    bool cooperative = false;
    uint64_t globals = 0;
    struct alignas(64) Line {
        uint8_t bytes[64];
    };
    std::vector<Line> parameters;
    DeviceSide* device_side = nullptr;
    bool counted = false; ///< against the limit of pending launches
    bool last = false;    ///< nothing follows on its timeline: a fire-and-forget or tail launch
    Finished finished;
};

/// One launch under way.
class GridRun : public Job {
  public:
    GridRun(CpuDevice& device, Timeline& owner, unsigned slots);

    /// `launch` must stay until the run is done.
    void prepare(const LaunchCommand& launch);
    void run(Runner& runner, Chunk& chunk) override;
    /// Goes on with a CTA that had to wait. True when it is out of the way.
    bool poll(Runner& runner, Cta& cta);

    CpuDevice& device() { return device_; }
    CpuKernel& kernel() { return *launch_->kernel; }
    const ptx::host::Grid& grid() const { return grid_; }
    const LaunchCommand& launch() const { return *launch_; }
    uint32_t threads() const { return threads_; }
    uint32_t shared_bytes() const { return shared_bytes_; }
    size_t stack_bytes() const { return stack_bytes_; }
    bool cooperative() const { return launch_->cooperative; }
    /// Nanoseconds that the whole grid may take on one thread; 0 = not known.
    uint64_t estimate() const;
    Dim3 block_index(uint64_t number) const;
    /// CTAs that run together: a cluster, for kernels that know of it.
    uint32_t blocks_of_unit() const { return blocks_of_unit_; }

    /// Ends the run; the first reason counts.
    void fail(Runner& runner, Fault fault, const std::string& message);
    Fault fault(std::string* message) const;
    /// "kernel k, block [0,0,0], thread [0,0,0]"
    std::string place(const LaneFiber* lane) const;

    /// The grids that this one has launched; made on first use.
    std::shared_ptr<ChildGrids> children();
    std::shared_ptr<ChildGrids> take_children(); ///< null when there are none
    void begin_children();

    // The barrier over all CTAs of a cooperative launch. A generation ends when every unfinished CTA has arrived.
    uint64_t grid_generation() const { return generation_.load(std::memory_order_acquire); }
    void grid_arrive();
    void grid_leave(uint32_t blocks);

  private:
    bool start(Cta& cta, Chunk& chunk);
    /// After a CTA came back: true when it is finished or has failed, false when it is to be parked.
    bool settle(Runner& runner, Cta& cta, Outcome outcome);
    void learn(uint64_t nanoseconds, uint64_t blocks);

    CpuDevice& device_;
    const LaunchCommand* launch_ = nullptr;
    ptx::host::Grid grid_{};
    uint32_t threads_ = 0, shared_bytes_ = 0, blocks_of_unit_ = 1;
    size_t stack_bytes_ = 0;

    mutable std::mutex mutex_;
    Fault fault_ = Fault::none;
    std::string message_;
    std::shared_ptr<ChildGrids> children_;
    uint64_t arrived_ = 0, expected_ = 0;
    std::atomic<uint64_t> generation_{0};
    /// What grid.sync() of CUDA's cooperative groups works on: a header word and the barrier word.
    uint32_t workspace_[64] = {};
};

} // namespace rt::backend::cpu

#pragma once

#include "backend/cpu/grid_run.h"
#include "backend/device_side/device_streams.h"

#include <deque>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace rt::backend::cpu {

struct Command;
class CpuMarker;
class Share;
class Timeline;

/// What a kernel fills before it launches another. `command.parameters` is the buffer that it has.
struct PreparedLaunch {
    uint64_t kernel = 0; ///< address; 0 when the launch itself says it
    LaunchCommand command;
};

/// The grids that one grid has launched, and its streams and events. Thread safe. Child grids run on timelines like the
/// host's. The grid is complete when its blocks are done, then all grids in its streams, then its tail launches, which
/// run one after another; each of them is complete in the same sense.
class ChildGrids : public std::enable_shared_from_this<ChildGrids> {
  public:
    using Finished = LaunchCommand::Finished;

    /// They keep to the parent's share of the pool, if it has one.
    ChildGrids(CpuDevice& device, const LaunchCommand& parent, std::shared_ptr<Share> share);

    const LaunchCommand& parent() const { return parent_; }

    /// Keeps a launch until it is asked for by the address of its parameters, which this returns.
    uint64_t keep(PreparedLaunch launch);
    /// False when no launch was kept at that address.
    bool take(uint64_t buffer, PreparedLaunch& launch);
    /// False when there is no such stream.
    bool launch(LaunchCommand command, uint64_t stream, ThreadNumber by);

    /// The kernel at this address, which another thread begins to translate if nobody has asked for it before. close()
    /// waits for that, whatever becomes of who asked.
    const std::shared_future<Kernel*>& translate(uint64_t kernel);

    uint64_t create_stream();
    bool destroy_stream(uint64_t stream);
    uint64_t create_event();
    bool destroy_event(uint64_t event);
    bool record(uint64_t event, uint64_t stream, ThreadNumber by);
    bool wait(uint64_t stream, uint64_t event, ThreadNumber by);

    /// Begins what was launched so far. Until then, or close(), it waits: programs count on a warp that launches having
    /// done all before, which on a GPU it has, in step, and which no thread here can know of another.
    void begin();
    /// All that was launched so far is complete, but for tail launches.
    bool all_done() const;
    /// The grid's blocks are done, with `fault`. Calls `finished`, once, when the grid is complete.
    void close(Fault fault, const std::string& message, Finished finished);

  private:
    std::shared_ptr<Timeline> timeline_of(uint64_t stream, ThreadNumber by); ///< null when there is no such stream
    static void start(Timeline& timeline, LaunchCommand command);
    void defer(std::shared_ptr<Timeline> timeline, Command* command);
    Finished child_finishes();
    void child_finished(Fault fault, const std::string& message);
    void advance();

    CpuDevice& device_;
    const std::shared_ptr<Share> share_;
    LaunchCommand parent_; ///< but for the parameters
    mutable std::mutex mutex_;
    std::map<uint64_t, PreparedLaunch> kept_;
    std::map<uint64_t, std::shared_future<Kernel*>> translations_;
    std::map<uint64_t, std::shared_ptr<Timeline>> streams_;
    std::map<uint64_t, std::shared_ptr<CpuMarker>> events_; ///< null: never recorded
    /// By kind, block and thread. They live as long as they have work.
    std::map<std::array<uint64_t, 3>, std::weak_ptr<Timeline>> implicit_;
    std::deque<LaunchCommand> tail_;
    std::vector<std::pair<std::shared_ptr<Timeline>, Command*>> deferred_; ///< in the order they were given
    uint64_t next_handle_ = first_stream_handle;
    uint64_t running_ = 0;
    bool closed_ = false;
    Fault fault_ = Fault::none;
    std::string message_;
    Finished finished_;
};

} // namespace rt::backend::cpu

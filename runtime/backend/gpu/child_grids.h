#pragma once

#include "backend/device_side/device_streams.h"
#include "backend/gpu/launcher.h"

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace rt::backend::gpu {

/// The grids that one grid has launched, and its streams and events. For the launcher's thread alone. The grid is
/// complete when its blocks are done, then all grids in its streams, then its tail launches, which run one after
/// another; each of them is complete in the same sense.
class ChildGrids : public std::enable_shared_from_this<ChildGrids> {
  public:
    using Finished = Launcher::Finished;

    ChildGrids(Launcher& launcher, const Launch& parent);

    Launcher& launcher() { return launcher_; }
    DeviceSide& device_side() { return *device_side_; }
    /// The last error of a thread.
    uint32_t& error_of(ThreadNumber thread) { return errors_[{thread.block, thread.thread}]; }

    /// Keeps a launch until it is asked for by the address of its parameters.
    void keep(ChildLaunch launch);
    /// False when no launch was kept at that address.
    bool take(uint64_t buffer, ChildLaunch& launch);
    /// A launch that the launcher has counted. False when there is no such stream.
    bool launch(ChildLaunch launch, uint64_t stream, ThreadNumber by);

    uint64_t create_stream();
    bool destroy_stream(uint64_t stream);
    uint64_t create_event();
    bool destroy_event(uint64_t event);
    bool record(uint64_t event, uint64_t stream, ThreadNumber by);
    bool wait(uint64_t stream, uint64_t event, ThreadNumber by);

    /// Begins what was launched so far. Until then, or close(), it waits: programs count on a warp that launches having
    /// done all before.
    void begin();
    /// All that was launched so far is complete, but for tail launches.
    bool all_done() const { return running_ == 0; }
    /// The grid's blocks are done, with `fault`. Calls `finished`, once, when the grid is complete.
    void close(Fault fault, const std::string& message, Finished finished);

  private:
    /// Whether a point on a stream was reached.
    using Point = std::shared_ptr<bool>;
    struct Command {
        enum class Kind : uint8_t { launch, record, wait } kind;
        ChildLaunch launch;
        Point point;
    };
    struct Stream {
        std::deque<Command> commands;
        bool busy = false; ///< a grid of it is not complete
    };

    std::shared_ptr<Stream> stream_of(uint64_t stream, ThreadNumber by); ///< null when there is no such stream
    bool advance(const std::shared_ptr<Stream>& stream);
    void advance_all();
    void start(ChildLaunch launch, const std::shared_ptr<Stream>& stream);
    void child_finished(Fault fault, const std::string& message);
    void go_on();

    Launcher& launcher_;
    const uint64_t globals_;
    DeviceSide* const device_side_;
    std::map<std::pair<uint64_t, uint64_t>, uint32_t> errors_;
    std::map<uint64_t, ChildLaunch> kept_;
    std::map<uint64_t, std::shared_ptr<Stream>> streams_;
    std::map<uint64_t, Point> events_; ///< null: never recorded
    /// By kind, block and thread. They live as long as they have work.
    std::map<std::array<uint64_t, 3>, std::weak_ptr<Stream>> implicit_;
    std::vector<std::pair<std::shared_ptr<Stream>, Command>> deferred_; ///< in the order they were given
    std::vector<std::shared_ptr<Stream>> working_;
    std::deque<ChildLaunch> tail_;
    uint64_t next_handle_ = first_stream_handle;
    uint64_t running_ = 0; ///< launched, and not complete
    bool closed_ = false;
    Fault fault_ = Fault::none;
    std::string message_;
    Finished finished_;
};

} // namespace rt::backend::gpu

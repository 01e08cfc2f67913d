#pragma once

#include "rt/stream.h"
#include "rt/stream_attributes.h"

#include <atomic>
#include <mutex>
#include <variant>
#include <vector>

namespace rt {

class Capture;
struct StreamGroup;
class GraphNode;

struct LaunchOperation {
    const backend::Launch* launch;
    Function* function;
};
/// Everything that a stream can be asked to do and a graph can record. Points into the caller's arguments.
using Operation = std::variant<LaunchOperation, backend::Copy, backend::Fill, HostFunction,
                               const std::function<void()>*, const MemoryOperations*, const SemaphoreOperations*>;

/// How a stream keeps CUDA's order. Ordered streams (legacy, and all that are not non-blocking) count what they were
/// given; before new work they look whether the other side has given something since they last waited for it, and only
/// then make a marker. So a program with one stream never makes any.
struct Stream::State {
    State(Stream& stream, std::shared_ptr<StreamGroup> group) : stream(stream), group(std::move(group)) {}

    bool ordered() const { return stream.role_ != Role::legacy && !(stream.flags_ & 1); }
    /// Does `enqueue(queue)` after what must come first. The one way in for real (not captured) work.
    template <class F> void submit(F&& enqueue);
    /// A marker behind everything so far in this stream's queue.
    std::shared_ptr<backend::Marker> mark();
    /// And behind the work of other streams that this one's comes after: the legacy stream's, that of all ordered ones.
    std::shared_ptr<backend::Marker> mark_in_order(bool timed = false);
    /// Makes later work wait; does not order against the legacy stream.
    void wait_for(const std::shared_ptr<backend::Marker>&);
    void throw_fault();

    Stream& stream;
    const std::shared_ptr<StreamGroup> group;
    std::mutex mutex;                         ///< held for each enqueue
    StreamAttributes attributes;              ///< guarded by mutex
    std::atomic<uint64_t> submitted = 0;      ///< things enqueued so far
    std::atomic<uint64_t> legacy_seen = 0;    ///< ordered stream: `submitted` of the legacy stream that we waited for
    std::atomic<uint64_t> seen_by_legacy = 0; ///< ordered stream: own `submitted` that the legacy stream waited for

    std::atomic<bool> capturing = false;
    std::shared_ptr<Capture> capture; ///< guarded by the capture's mutex, as is tail
    std::vector<GraphNode*> tail;     ///< what the next captured node depends on

  private:
    void order_after_others();
    void order_after_legacy();
    void order_after_streams();
};

} // namespace rt

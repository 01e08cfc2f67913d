#pragma once

#include "core/context_state.h"
#include "core/stream_state.h"
#include "rt/graph.h"

#include <atomic>
#include <thread>

namespace rt {

/// One capture: from begin() on one stream to end() on it. Guarded by one lock of the process: captures are rare.
class Capture {
  public:
    Graph& graph() { return into ? *into : *own; }

    uint64_t id = 0;
    CaptureMode mode = CaptureMode::global;
    std::unique_ptr<Graph> own;
    Graph* into = nullptr;
    Stream* origin = nullptr;
    std::thread::id thread;
    Status invalid = Status::success; ///< why it became useless
    std::vector<Stream*> streams;     ///< that take part
    std::vector<GraphNode*> left;     ///< last nodes of streams that were destroyed since
};

struct Event::Captured {
    std::weak_ptr<Capture> capture;
    std::vector<GraphNode*> nodes;
};

/// Where streams and events ask whether they are being recorded. Everything is a load of an atomic when nobody
/// captures.
namespace capture {
namespace detail {
extern std::atomic<int> running;
inline bool none() { return running.load(std::memory_order_relaxed) == 0; }
bool add(Stream&, const Operation&);
uint64_t add_allocation(Stream&, size_t bytes);
bool add_release(Stream&, uint64_t address);
bool wait(Stream&, Event&);
bool record(Stream&, Event&);
void forbid(Stream&, const char* why);
void forbid(Context&, const StreamGroup* only);
void forbid(Event&);
void forget(Stream&);
} // namespace detail

/// True when the work became a node of a graph. Throws what CUDA throws when that cannot be.
inline bool add(Stream& stream, const Operation& operation) {
    return !detail::none() && detail::add(stream, operation);
}
/// The address of memory that a node of a graph allocates; 0 when the stream does not capture.
inline uint64_t add_allocation(Stream& stream, size_t bytes) {
    return detail::none() ? 0 : detail::add_allocation(stream, bytes);
}
inline bool add_release(Stream& stream, uint64_t address) {
    return !detail::none() && detail::add_release(stream, address);
}
/// True when the wait is an edge, or the event's place, in a graph. Also looks at events of captures that are over.
inline bool wait(Stream& stream, Event& event) {
    return (!detail::none() || event.captured()) && detail::wait(stream, event);
}
inline bool record(Stream& stream, Event& event) { return !detail::none() && detail::record(stream, event); }
/// For what waits or asks: throws, and spoils the capture, if this context captures or this event is of one.
/// With `only`, streams of that group are looked at.
inline void forbid(Context& context, const StreamGroup* only = nullptr) {
    if (!detail::none()) detail::forbid(context, only);
}
inline void forbid(Event& event) {
    if (!detail::none() || event.captured()) detail::forbid(event);
}
/// The stream is being destroyed.
inline void forget(Stream& stream) {
    if (!detail::none()) detail::forget(stream);
}
} // namespace capture

} // namespace rt

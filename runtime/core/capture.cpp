#include "core/capture.h"

#include "core/thread_state.h"
#include "rt/module.h"

#include <algorithm>
#include <set>

namespace rt::capture {
namespace detail {
std::atomic<int> running = 0;
}

namespace {

std::mutex& all_captures() {
    static auto& mutex = *new std::mutex;
    return mutex;
}

// Guarded by all_captures().
std::vector<std::shared_ptr<Capture>>& list() {
    static auto& captures = *new std::vector<std::shared_ptr<Capture>>;
    return captures;
}

std::atomic<uint64_t> next_id = 1;

[[noreturn]] void spoil(Capture& capture, Status status, const char* why) {
    if (capture.invalid == Status::success) capture.invalid = status;
    throw Error(status, why);
}

void join(Stream& stream, const std::shared_ptr<Capture>& capture, std::vector<GraphNode*> tail) {
    auto& state = stream.state();
    state.capture = capture;
    state.tail = std::move(tail);
    state.capturing = true;
    capture->streams.push_back(&stream);
}

void leave(Stream& stream) {
    auto& state = stream.state();
    state.capturing = false;
    state.capture = nullptr;
    state.tail.clear();
}

/// A capture that has a stream which the legacy stream `stream` would have to wait for; null for other streams.
Capture* blocked_by(Stream& stream) {
    if (stream.role() != Stream::Role::legacy) return nullptr;
    for (auto& capture : list())
        for (Stream* other : capture->streams)
            if (other->state().group == stream.state().group && other->state().ordered()) return capture.get();
    return nullptr;
}

constexpr const char* would_wait = "the legacy stream would wait for a capturing stream";

/// The stream's capture if it has a valid one; null when it does not capture; throws when it is spoilt. Work on a
/// stream that would wait for capturing ones (the legacy stream) spoils theirs.
Capture* capture_of(Stream& stream) {
    if (auto& own = stream.state().capture) {
        if (own->invalid != Status::success)
            throw Error(Status::stream_capture_invalidated, "an earlier call spoilt the capture");
        return own.get();
    }
    if (Capture* other = blocked_by(stream)) spoil(*other, Status::stream_capture_implicit, would_wait);
    return nullptr;
}

struct MakeNode {
    int priority; ///< of the stream
    NodeParameters operator()(const LaunchOperation& operation) const {
        auto& launch = *operation.launch;
        if (!operation.function) throw Error(Status::stream_capture_unsupported, "a launch that cannot be captured");
        KernelNode node{operation.function,
                        launch.grid,
                        launch.block,
                        launch.cluster,
                        launch.dynamic_shared_bytes,
                        launch.cooperative,
                        {launch.parameters.begin(), launch.parameters.end()},
                        {}};
        node.attributes.priority = priority; // what an H100 takes over from the stream
        return node;
    }
    NodeParameters operator()(const backend::Copy& copy) const { return copy; }
    NodeParameters operator()(const backend::Fill& fill) const { return fill; }
    NodeParameters operator()(const HostFunction& host) const { return HostNode{host, nullptr}; }
    NodeParameters operator()(const std::function<void()>* closure) const { return HostNode{{}, *closure}; }
    NodeParameters operator()(const MemoryOperations* list) const { return *list; }
    NodeParameters operator()(const SemaphoreOperations* list) const { return semaphore_node(*list); }
};

bool add_node(Stream& stream, const std::function<NodeParameters()>& parameters) {
    std::lock_guard lock(all_captures());
    Capture* capture = capture_of(stream);
    if (!capture) return false;
    auto& tail = stream.state().tail;
    auto& node = capture->graph().add(parameters(), tail);
    tail = {&node};
    return true;
}

void merge(std::vector<GraphNode*>& tail, const std::vector<GraphNode*>& more) {
    for (auto* node : more)
        if (std::find(tail.begin(), tail.end(), node) == tail.end()) tail.push_back(node);
}

// Every forked stream must have come back: what it did must be before the origin's end.
bool joined(Capture& capture) {
    std::set<GraphNode*> before;
    std::vector<GraphNode*> open = capture.origin->state().tail;
    while (!open.empty()) {
        auto* node = open.back();
        open.pop_back();
        if (!before.insert(node).second) continue;
        open.insert(open.end(), node->dependencies().begin(), node->dependencies().end());
    }
    for (Stream* stream : capture.streams)
        for (auto* node : stream->state().tail)
            if (!before.contains(node)) return false;
    return std::all_of(capture.left.begin(), capture.left.end(), [&](auto* node) { return before.contains(node); });
}

void finish(const std::shared_ptr<Capture>& capture) {
    for (Stream* stream : capture->streams) leave(*stream);
    capture->streams.clear();
    std::erase(list(), capture);
    detail::running--;
}

} // namespace

void begin(Stream& stream, CaptureMode mode, Graph* into, const std::vector<GraphNode*>& dependencies) {
    if (int(mode) < 0 || int(mode) > 2) throw Error(Status::invalid_value, "unknown capture mode");
    if (stream.role() == Stream::Role::legacy)
        throw Error(Status::stream_capture_unsupported, "the legacy stream cannot be captured");
    std::lock_guard lock(all_captures());
    if (stream.state().capture) throw Error(Status::illegal_state, "the stream captures already");
    auto capture = std::make_shared<Capture>();
    capture->id = next_id++;
    capture->mode = mode;
    capture->into = into;
    if (!into) capture->own = std::make_unique<Graph>();
    capture->origin = &stream;
    capture->thread = std::this_thread::get_id();
    join(stream, capture, dependencies);
    list().push_back(capture);
    detail::running++;
}

std::unique_ptr<Graph> end(Stream& stream, Graph** into) {
    std::lock_guard lock(all_captures());
    auto capture = stream.state().capture;
    if (!capture) throw Error(Status::illegal_state, "the stream does not capture");
    if (capture->origin != &stream) {
        capture->invalid = Status::stream_capture_unmatched;
        throw Error(Status::stream_capture_unmatched, "capture ends on the stream where it began");
    }
    if (capture->mode != CaptureMode::relaxed && capture->thread != std::this_thread::get_id())
        throw Error(Status::stream_capture_wrong_thread, "capture ends on the thread that began it");
    const bool complete = joined(*capture);
    finish(capture);
    if (capture->invalid != Status::success)
        throw Error(Status::stream_capture_invalidated, "an earlier call spoilt the capture");
    if (!complete) throw Error(Status::stream_capture_unjoined, "a forked stream was not joined");
    if (into) *into = &capture->graph();
    return std::move(capture->own);
}

CaptureInfo info(Stream& stream) {
    if (detail::none()) return {};
    std::lock_guard lock(all_captures());
    auto& capture = stream.state().capture;
    if (!capture) {
        // CUDA driver API, cuStreamIsCapturing: asking does not spoil.
        if (blocked_by(stream)) throw Error(Status::stream_capture_implicit, would_wait);
        return {};
    }
    if (capture->invalid != Status::success) return {CaptureStatus::invalidated, capture->id, nullptr, {}};
    return {CaptureStatus::active, capture->id, &capture->graph(), stream.state().tail};
}

void add_event(Stream& stream, NodeParameters parameters) {
    if (!add_node(stream, [&] { return std::move(parameters); }))
        throw Error(Status::illegal_state, "the stream does not capture");
}

void set_dependencies(Stream& stream, const std::vector<GraphNode*>& nodes, bool replace) {
    std::lock_guard lock(all_captures());
    Capture* capture = capture_of(stream);
    if (!capture) throw Error(Status::illegal_state, "the stream does not capture");
    for (auto* node : nodes)
        if (!HandleBase::alive(node, HandleKind::graph_node) || &node->graph() != &capture->graph())
            throw Error(Status::invalid_value, "not a node of the graph being captured");
    auto& tail = stream.state().tail;
    if (replace) tail.clear();
    merge(tail, nodes);
}

CaptureMode exchange_mode(CaptureMode mode) {
    if (int(mode) < 0 || int(mode) > 2) throw Error(Status::invalid_value, "unknown capture mode");
    return CaptureMode(std::exchange(thread_state().capture_mode, int(mode)));
}

void forbid(Stream& stream, const char* why) {
    if (!detail::none()) detail::forbid(stream, why);
}

void forbid_unsafe() {
    if (detail::none()) return;
    const auto thread_mode = CaptureMode(thread_state().capture_mode);
    if (thread_mode == CaptureMode::relaxed) return;
    std::lock_guard lock(all_captures());
    for (auto& capture : list()) {
        if (capture->mode == CaptureMode::relaxed) continue;
        const bool own = capture->thread == std::this_thread::get_id();
        const bool others = thread_mode == CaptureMode::global && capture->mode == CaptureMode::global;
        if (own || others)
            spoil(*capture, Status::stream_capture_unsupported, "the call is not allowed while a stream is capturing");
    }
}

namespace detail {

bool add(Stream& stream, const Operation& operation) {
    return add_node(stream, [&] { return std::visit(MakeNode{stream.priority()}, operation); });
}

uint64_t add_allocation(Stream& stream, size_t bytes) {
    std::lock_guard lock(all_captures());
    Capture* capture = capture_of(stream);
    if (!capture) return 0;
    if (!stream.context().device().backend().virtual_memory())
        spoil(*capture, Status::stream_capture_unsupported, "the device has no memory for graphs");
    auto& tail = stream.state().tail;
    auto& node = capture->graph().add_allocation(stream.context().device(), bytes, tail);
    tail = {&node};
    return std::get<AllocationNode>(node.parameters()).block->address();
}

bool add_release(Stream& stream, uint64_t address) {
    std::lock_guard lock(all_captures());
    Capture* capture = capture_of(stream);
    if (!capture) return false;
    auto& tail = stream.state().tail;
    tail = {&capture->graph().add_release(address, tail)};
    return true;
}

bool wait(Stream& stream, Event& event) {
    std::lock_guard lock(all_captures());
    auto captured = event.captured();
    Capture* own = capture_of(stream);
    if (!captured) {
        if (!own) return false;
        if (!event.recorded()) return true; // nothing to wait for
        spoil(*own, Status::stream_capture_isolation, "a captured stream would wait for work outside of the capture");
    }
    auto capture = captured->capture.lock();
    if (!capture || capture->streams.empty())
        throw Error(Status::captured_event, "the event was last recorded in a capture that is over");
    if (own && own != capture.get()) spoil(*own, Status::stream_capture_merge, "the event is of another capture");
    if (capture->invalid != Status::success)
        throw Error(Status::stream_capture_invalidated, "an earlier call spoilt the capture");
    if (own) {
        merge(stream.state().tail, captured->nodes);
        return true;
    }
    if (stream.role() == Stream::Role::legacy)
        spoil(*capture, Status::stream_capture_implicit, "the legacy stream cannot join a capture");
    join(stream, capture, captured->nodes);
    return true;
}

bool record(Stream& stream, Event& event) {
    std::lock_guard lock(all_captures());
    if (!capture_of(stream)) return false;
    auto& state = stream.state();
    event.set_captured(std::make_shared<Event::Captured>(Event::Captured{state.capture, state.tail}));
    return true;
}

void forbid(Stream& stream, const char* why) {
    std::lock_guard lock(all_captures());
    if (Capture* capture = capture_of(stream)) spoil(*capture, Status::stream_capture_unsupported, why);
}

void forbid(Context& context, const StreamGroup* only) {
    std::lock_guard lock(all_captures());
    for (auto& capture : list())
        for (Stream* stream : capture->streams)
            if (&stream->context() == &context && (!only || stream->state().group.get() == only))
                spoil(*capture, Status::stream_capture_unsupported, "a stream of the context is capturing");
}

void forbid(Event& event) {
    if (auto captured = event.captured()) {
        std::lock_guard lock(all_captures());
        if (auto capture = captured->capture.lock())
            spoil(*capture, Status::captured_event, "the event is of a capture");
        throw Error(Status::captured_event, "the event was last recorded in a capture");
    }
    forbid_unsafe();
}

void forget(Stream& stream) {
    std::lock_guard lock(all_captures());
    auto capture = stream.state().capture;
    if (!capture) return;
    if (capture->origin == &stream) return finish(capture);
    // As on an H100, a forked stream may go: the end of the capture asks whether what it did was joined.
    merge(capture->left, stream.state().tail);
    std::erase(capture->streams, &stream);
    leave(stream);
}

} // namespace detail
} // namespace rt::capture

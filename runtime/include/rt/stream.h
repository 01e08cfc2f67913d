#pragma once

#include "backend/backend.h"
#include "rt/error.h"
#include "rt/handle.h"

#include <functional>
#include <memory>
#include <span>

namespace rt {

class Context;
class Event;
class Function;
class GreenContext;
namespace ipc {
class SharedEvent;
}
class Graph;
struct MemoryOperation;
struct MemoryOperations;
struct SemaphoreOperations;

/// A C function and its argument, as cuLaunchHostFunc gets them. Kept apart from closures so that a graph can show it.
struct HostFunction {
    void (*function)(void*) = nullptr;
    void* data = nullptr;
};

/// CUDA's ordering rules on top of a back end's queue: the legacy default stream waits for and is waited for by every
/// blocking stream of its context. CUDA driver API, "Stream synchronization behavior".
class Stream : public HandleBase {
  public:
    static constexpr HandleKind kind = HandleKind::stream;
    enum class Role : uint8_t { created, legacy, per_thread };

    /// With `green`, a stream of that green context of `context`.
    Stream(Context& context, unsigned flags, int priority, Role role, GreenContext* green = nullptr);
    ~Stream();

    Context& context() { return context_; }
    GreenContext* green() const { return green_; } ///< null for a stream of the context itself
    bool orphaned() const;                         ///< its green context was destroyed
    unsigned flags() const { return flags_; }      ///< CU_STREAM_NON_BLOCKING = 1
    int priority() const { return priority_; }
    uint64_t id() const { return id_; }

    /// All of these order themselves against the legacy stream first, then enqueue and return.
    /// `function` is whose kernel it is: needed only so that a captured launch can become a graph node.
    void launch(const backend::Launch&, Function* function = nullptr);
    /// One after another, on a stream that does not capture.
    void launch_all(std::span<const backend::Launch>);
    void copy(const backend::Copy&);
    void fill(const backend::Fill&);
    void call(std::function<void()>);
    void call(HostFunction);
    void memory(const MemoryOperations&);
    /// One operation; `as_list` is called only where the stream may be captured.
    void memory(const MemoryOperation&, const std::function<MemoryOperations()>& as_list);
    void semaphores(const SemaphoreOperations&);
    void wait_for(Event&);
    void record(Event&);

    bool idle();        ///< throws a kernel's error
    void synchronize(); ///< throws a kernel's error

    Role role() const { return role_; }
    backend::Queue& queue() { return *queue_; }
    std::shared_ptr<backend::Queue> shared_queue() { return queue_; }
    struct State;
    State& state() { return *state_; }

  private:
    Context& context_;
    GreenContext* const green_;
    const unsigned flags_;
    const int priority_;
    const Role role_;
    const uint64_t id_;
    std::shared_ptr<backend::Queue> queue_; ///< shared with who waits for it while the stream goes
    std::unique_ptr<State> state_;
};

class Event : public HandleBase {
  public:
    static constexpr HandleKind kind = HandleKind::event;

    /// 1 blocking sync, 2 disable timing, 4 interprocess. `shared`: of another process; else made if need be.
    Event(Context& context, unsigned flags, std::shared_ptr<ipc::SharedEvent> shared = nullptr);
    ~Event();

    Context& context() { return context_; }
    unsigned flags() const { return flags_; }
    bool recorded() const;
    bool reached(); ///< true when never recorded; throws a kernel's error
    void synchronize();
    /// Milliseconds. Throws invalid_handle when either was not recorded or has no timing, not_ready when not reached.
    static float elapsed(Event& start, Event& end);

    std::shared_ptr<backend::Marker> marker() const;
    void set_marker(std::shared_ptr<backend::Marker>);

    /// Of an interprocess event; else null. What it was recorded in is there, and not in a marker.
    const std::shared_ptr<ipc::SharedEvent>& shared() const { return shared_; }

    struct Captured;
    /// Where it was recorded in a stream capture; nullptr when last recorded for real.
    std::shared_ptr<Captured> captured() const;
    void set_captured(std::shared_ptr<Captured>);

  private:
    Context& context_;
    const unsigned flags_;
    std::shared_ptr<ipc::SharedEvent> shared_;
    mutable std::mutex mutex_;
    std::shared_ptr<backend::Marker> marker_;
    std::shared_ptr<Captured> captured_;
};

} // namespace rt

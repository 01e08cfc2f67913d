#pragma once

#include "rt/device.h"
#include "rt/handle.h"
#include "rt/stream.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace rt {

class Module;
class Library;

/// CUlimit's numbers.
enum class Limit : int {
    stack_size = 0,
    printf_fifo_size = 1,
    malloc_heap_size = 2,
    dev_runtime_sync_depth = 3,
    dev_runtime_pending_launch_count = 4,
    max_l2_fetch_granularity = 5,
    persisting_l2_cache_size = 6
};

/// A CUDA context. Thread safe. Owns its streams, events and modules: destroying it destroys them.
/// An error of a kernel is sticky: every later call that touches the device returns it (CUDA driver API, errors 700
/// ff).
class Context : public HandleBase {
  public:
    static constexpr HandleKind kind = HandleKind::context;

    Context(Device& device, unsigned flags, bool primary);
    ~Context();

    /// The calling thread's current context. current() throws invalid_context when there is none, and
    /// context_is_destroyed when it is gone; current_or_null() never throws.
    static Context& current();
    static Context* current_or_null();
    static void set_current(Context* context_or_null); ///< replaces the top of the thread's stack
    static void push(Context& context);
    /// The context, or the green context, that was current. Throws invalid_context when the stack is empty.
    static HandleBase* pop();
    static HandleBase* current_handle(); ///< what is current, green contexts as such; may be null
    static void note_death();            ///< threads look again whether what they have current is alive
    static uint64_t next_id();           ///< for contexts of both kinds

    Device& device() { return device_; }
    unsigned flags() const { return flags_; }
    void set_flags(unsigned flags) { flags_ = flags; }
    bool is_primary() const { return primary_; }
    uint64_t id() const { return id_; }
    bool active() const; ///< false for a primary context that nobody retains
    /// Called by Device: make usable / tear down everything inside while the handle stays.
    void activate();
    void deactivate();

    /// Throws the sticky error, if any.
    void check();
    /// Makes the first fault of any queue the sticky error. Called where CUDA looks: synchronize, query, next call.
    void collect_faults();
    void set_error(Status, const std::string& message);

    void synchronize();          ///< all streams, those of green contexts too; throws a kernel's error
    /// The event is reached when everything so far in all streams is done. Throws invalid_handle when the event is of
    /// another context, stream_capture_unsupported when a stream captures.
    void record(Event&);
    void wait_for(Event&);       ///< all later work in all streams, of green contexts too
    void wait();                 ///< all streams; their errors are not looked at
    Stream& legacy_stream();     ///< CU_STREAM_LEGACY and stream 0
    Stream& per_thread_stream(); ///< CU_STREAM_PER_THREAD of the calling thread
    /// 0, 1 (legacy) and 2 (per thread) are the special handles; `per_thread_default` says what 0 means.
    Stream& stream(void* handle, bool per_thread_default = false);

    size_t limit(Limit) const; ///< throws unsupported_limit
    void set_limit(Limit, size_t);
    int cache_config = 0, shared_mem_config = 0;
    std::atomic<unsigned> attached = 0; ///< how often cuCtxAttach was called and cuCtxDetach not

    /// cudart's storage in a context (export table CONTEXT_LOCAL_STORAGE). The destructor runs at deactivation.
    using StorageDestructor = void (*)(void* context, void* key, void* value);
    void put_storage(void* key, void* value, StorageDestructor);
    bool remove_storage(void* key);       ///< false when missing
    void* const* find_storage(void* key); ///< nullptr when missing. Hot: every cudart call asks.

    // Used by Stream, Event, Module ... to register themselves; see runtime/core.
    struct State;
    State& state() { return *state_; }

  private:
    void set_default_limits();
    void apply_limits();
    static void forget_current(Context&);

    Device& device_;
    unsigned flags_;
    const bool primary_;
    const uint64_t id_;
    std::unique_ptr<State> state_;
};

} // namespace rt

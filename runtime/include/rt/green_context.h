#pragma once

#include "rt/context.h"
#include "rt/handle.h"
#include "rt/multiprocessors.h"
#include "rt/stream.h"

#include <memory>

namespace rt {

struct StreamGroup;

/// A primary context with a default stream of its own and some of the device's multiprocessors. Everything but streams is
/// the primary context's. Its handle is a CUcontext as well: so an H100's driver has it. Thread safe.
class GreenContext : public HandleBase {
  public:
    static constexpr HandleKind kind = HandleKind::green_context;

    /// Retains the primary context. Throws not_supported on devices that cannot confine kernels.
    GreenContext(Device& device, multiprocessors::SetId set);
    /// Waits for its work. Streams of it that the application did not destroy stay, and are good for nothing.
    ~GreenContext();

    /// The calling thread's; null also when a context proper is current.
    static GreenContext* current_or_null();
    static void set_current(GreenContext&);
    static void push(GreenContext&);

    Context& context() { return context_; }
    uint64_t id() const { return id_; }
    multiprocessors::SetId set() const { return set_; }
    backend::Partition& partition() { return *partition_; }
    StreamGroup& group() { return *group_; }
    const std::shared_ptr<StreamGroup>& shared_group() const { return group_; }

    Stream& default_stream();
    /// Special handles as in Context::stream; throws invalid_handle for the thread's own stream, which it has not.
    Stream& stream(void* handle, bool per_thread_default);
    void synchronize(); ///< its streams; throws a kernel's error
    void record(Event&);
    void wait_for(Event&);

  private:
    Device& device_;
    Context& context_;
    const uint64_t id_;
    const multiprocessors::SetId set_;
    const std::unique_ptr<backend::Partition> partition_;
    const std::shared_ptr<StreamGroup> group_;
};

} // namespace rt

#pragma once

#include "backend/backend.h"

#include <atomic>
#include <cstdint>
#include <memory>

namespace rt {

class Context;

/// Memory and events between processes of one user on one machine. CUDA driver API, cuIpc*. A handle names a file of the
/// process that made it, which must be running when another opens the handle. Linux: /proc/PID/fd.
namespace ipc {

/// Both handles have 64 bytes.
struct Handle {
    char bytes[64];
};

/// Throws invalid_value unless `address` lies in memory of cuMemAlloc. Waits for the device: the memory's pages are
/// moved to where others can reach them.
Handle memory_handle(uint64_t address);
/// Where this process sees the memory; the same for each opening, which are counted. Throws invalid_value for what is no
/// handle, invalid_context in the process that made it, map_failed when the memory is gone.
uint64_t open_memory(Context&, const Handle&);
void close_memory(uint64_t address); ///< throws invalid_value

/// How often an event was recorded and how far that is done, for all processes that have it.
class SharedEvent {
  public:
    static std::shared_ptr<SharedEvent> create(); ///< throws out_of_memory
    /// Throws invalid_value, map_failed, and invalid_context in the process that made it.
    static std::shared_ptr<SharedEvent> open(const Handle&);
    ~SharedEvent();
    SharedEvent(const SharedEvent&) = delete;
    SharedEvent& operator=(const SharedEvent&) = delete;

    Handle handle() const;
    bool opened() const { return file_ < 0; } ///< from another process
    uint64_t record();                        ///< the ticket of a new record
    void reach(uint64_t ticket);
    uint64_t last() const; ///< the last ticket; 0 = never recorded
    /// True, too, when the process that recorded has ended: what it had begun comes to no other end.
    /// (An H100's driver answers "not ready" for ever then, and whoever waits hangs.)
    bool reached(uint64_t ticket) const;
    void wait(uint64_t ticket) const;

  private:
    struct Page {
        std::atomic<uint64_t> recorded, reached;
        std::atomic<uint32_t> changes;
        std::atomic<int32_t> recorder; ///< the process of the last record
    };
    bool recorder_has_ended() const;
    SharedEvent(Page* page, int file) : page_(page), file_(file) {}

    Page* page_;
    int file_;
};

/// One record of a shared event.
class SharedMarker : public backend::Marker {
  public:
    SharedMarker(std::shared_ptr<SharedEvent> event, uint64_t ticket) : event_(std::move(event)), ticket_(ticket) {}
    bool reached() const override { return event_->reached(ticket_); }
    void wait() const override { event_->wait(ticket_); }
    std::chrono::nanoseconds time() const override { return {}; }

  private:
    std::shared_ptr<SharedEvent> event_;
    uint64_t ticket_;
};

} // namespace ipc
} // namespace rt

#pragma once

#include "core/async_pool.h"
#include "core/context_storage.h"
#include "rt/context.h"
#include "rt/core_dump.h"

#include <array>
#include <atomic>
#include <unordered_set>

namespace rt {

/// A default stream, and the streams whose order it has to do with: those of a context, or of a green context in it.
struct StreamGroup {
    std::atomic<Stream*> legacy = nullptr;
    /// Streams, living or retired, that the legacy stream must be ordered against. 0 spares it the look.
    std::atomic<int> ordered_streams = 0;
    std::atomic<bool> closed = false; ///< the green context is gone
    /// What all later work waits for, that of streams to come as well. Guarded by the context's mutex.
    std::vector<std::shared_ptr<backend::Marker>> awaited;
};

/// The inside of a context. What lives in it registers itself here, and dies with it.
struct Context::State {
    explicit State(Device& device) : blocks(device.backend()), pool(std::make_unique<AsyncPool>(blocks)) {}

    /// The queue of a destroyed stream that still works.
    struct Retired {
        std::shared_ptr<backend::Queue> queue;
        std::shared_ptr<backend::Marker> end;
        bool ordered; ///< was a blocking stream: the legacy stream waits for it
        std::shared_ptr<StreamGroup> group;
    };

    std::atomic<bool> active = false;
    std::atomic<uint64_t> epoch = 0; ///< lives ended so far

    std::atomic<Status> error = Status::success;
    std::mutex error_mutex;
    std::string error_message;
    CoreDumpSettings core_dump = core_dump::defaults(); ///< guarded by error_mutex

    std::mutex mutex; ///< guards what follows; taken before a stream's own
    std::vector<Stream*> streams;
    std::unordered_set<Event*> events;
    std::unordered_set<Module*> modules;
    std::unordered_set<Library*> libraries;
    std::vector<Retired> retired;
    std::unordered_set<GreenContext*> green;
    const std::shared_ptr<StreamGroup> group = std::make_shared<StreamGroup>();

    std::mutex upload_mutex;
    std::unique_ptr<backend::Queue> upload_queue; ///< for modules' initial data

    std::array<std::atomic<size_t>, 7> limits{};
    ContextStorage storage;
    DeviceBlocks blocks;
    std::unique_ptr<AsyncPool> pool;

    /// Every queue of this context, retired ones too; or of one group.
    std::vector<std::shared_ptr<backend::Queue>> queues(const StreamGroup* only = nullptr);
    /// Waits for all of them; looks at no errors.
    void wait_for_all(const StreamGroup* only = nullptr);
    /// Context::record and wait_for, for a group or, without one, for all.
    void record(Context&, const StreamGroup* only, Event&);
    void wait_for(Context&, const StreamGroup* only, Event&);
    /// Fills and copies into device memory and waits, outside of every stream.
    void upload(backend::Device&, const backend::Fill&, const backend::Copy&);
};

} // namespace rt

#include "rt/context.h"

#include "core/capture.h"
#include "core/context_state.h"
#include "core/fault.h"
#include "core/lifecycle.h"
#include "core/stream_state.h"
#include "core/thread_state.h"
#include "rt/green_context.h"
#include "rt/ipc.h"
#include "rt/memory.h"
#include "rt/module.h"
#include "support/log.h"

namespace rt {
namespace {

std::atomic<uint64_t> last_id = 0;

} // namespace

uint64_t Context::next_id() { return ++last_id; }

Context::Context(Device& device, unsigned flags, bool primary)
    : HandleBase(kind), device_(device), flags_(flags), primary_(primary), id_(next_id()),
      state_(std::make_unique<State>(device)) {
    if (!primary_) activate();
}

Context::~Context() {
    deactivate();
    forget_current(*this);
}

bool Context::active() const { return state_->active.load(std::memory_order_acquire); }

void Context::activate() {
    std::lock_guard lock(lifecycle());
    if (active()) return;
    set_default_limits();
    {
        std::lock_guard error(state_->error_mutex);
        state_->core_dump = core_dump::defaults();
        constexpr unsigned enable = 0x20; // CU_CTX_COREDUMP_ENABLE
        if (flags_ & enable) state_->core_dump.enabled = true;
    }
    state_->active = true;
}

void Context::deactivate() {
    std::lock_guard lock(lifecycle());
    State& state = *state_;
    if (!state.active) return;
    for (auto& entry : state.storage.take_all())
        if (entry.destructor) entry.destructor(this, entry.key, entry.value);
    state.wait_for_all();
    device_.backend().drain_printf();
    auto take_one = [&](auto& set) {
        std::lock_guard objects(state.mutex);
        return set.empty() ? nullptr : *set.begin();
    };
    // A library only lets go of what it loaded here, and leaves the set as it does so.
    while (Library* library = take_one(state.libraries)) library->drop(*this);
    while (Module* module = take_one(state.modules)) delete module;
    while (Event* event = take_one(state.events)) delete event;
    while (Stream* stream = take_one(state.streams)) delete stream;
    state.wait_for_all();
    {
        // What is left died of a fault, which must not outlive this life of the context.
        std::lock_guard objects(state.mutex);
        state.retired.clear();
        state.group->ordered_streams = 0;
        state.group->awaited.clear();
    }
    state.upload_queue = nullptr;
    memory::release_all(*this);
    state.pool->trim(0);
    state.error = Status::success;
    state.active = false;
    state.epoch++;
}

void Context::check() {
    const Status error = state_->error.load(std::memory_order_acquire);
    if (error == Status::success) [[likely]]
        return;
    std::lock_guard lock(state_->error_mutex);
    throw Error(error, "the context is lost: " + state_->error_message);
}

void Context::set_error(Status status, const std::string& message) {
    {
        std::lock_guard lock(state_->error_mutex);
        if (state_->error != Status::success) return;
        state_->error_message = message;
        state_->error.store(status, std::memory_order_release);
    }
    log(LogLevel::error, LogChannel::launch, "{}: {}", name_of(status), message);
    core_dump::write(*this, status, message);
}

void Context::collect_faults() {
    std::vector<std::shared_ptr<backend::Queue>> faulty; // looked at without the lock: a core dump takes it
    {
        const auto look_at = [&](const std::shared_ptr<backend::Queue>& queue) {
            if (queue->fault() != backend::Fault::none) faulty.push_back(queue);
        };
        std::lock_guard lock(state_->mutex);
        for (Stream* stream : state_->streams) look_at(stream->shared_queue());
        for (auto& old : state_->retired) look_at(old.queue);
    }
    for (const auto& queue : faulty) {
        std::string message;
        const Status status = status_of(queue->fault(&message));
        set_error(status, message.empty() ? text_of(status) : message);
    }
}

void Context::wait() { state_->wait_for_all(); }

void Context::synchronize() {
    capture::forbid(*this);
    check();
    state_->wait_for_all();
    device_.backend().drain_printf();
    collect_faults();
    check();
}

Stream& Context::legacy_stream() {
    auto& legacy = state_->group->legacy;
    if (Stream* stream = legacy.load(std::memory_order_acquire)) return *stream;
    std::lock_guard lock(lifecycle());
    if (Stream* stream = legacy.load()) return *stream;
    auto* stream = new Stream(*this, 0, 0, Stream::Role::legacy);
    legacy.store(stream, std::memory_order_release);
    return *stream;
}

Stream& Context::per_thread_stream() {
    auto& streams = thread_state().streams;
    const uint64_t epoch = state_->epoch;
    for (auto& own : streams)
        if (own.context_id == id_ && own.epoch == epoch) return *own.stream;
    std::erase_if(streams, [&](auto& own) { return own.context_id == id_; });
    auto* stream = new Stream(*this, 0, 0, Stream::Role::per_thread);
    streams.push_back({this, id_, epoch, stream});
    return *stream;
}

Stream& Context::stream(void* handle, bool per_thread_default) {
    switch (reinterpret_cast<uintptr_t>(handle)) {
    case 0:
        return per_thread_default ? per_thread_stream() : legacy_stream();
    case 1:
        return legacy_stream();
    case 2:
        return per_thread_stream();
    }
    if (auto* stream = handle_cast<Stream>(handle)) return *stream;
    throw Error(Status::invalid_handle, "no stream");
}

void Context::put_storage(void* key, void* value, StorageDestructor destructor) {
    state_->storage.put({key, value, destructor});
}

bool Context::remove_storage(void* key) { return state_->storage.remove(key); }

void* const* Context::find_storage(void* key) { return state_->storage.find(key); }

std::vector<std::shared_ptr<backend::Queue>> Context::State::queues(const StreamGroup* only) {
    std::lock_guard lock(mutex);
    std::vector<std::shared_ptr<backend::Queue>> all;
    all.reserve(streams.size() + retired.size());
    for (Stream* stream : streams)
        if (!only || stream->state().group.get() == only) all.push_back(stream->shared_queue());
    for (auto& old : retired)
        if (!only || old.group.get() == only) all.push_back(old.queue);
    return all;
}

void Context::State::wait_for_all(const StreamGroup* only) {
    for (auto& queue : queues(only))
        if (!queue->idle()) queue->synchronize();
    std::lock_guard lock(mutex);
    std::erase_if(retired, [&](const Retired& old) {
        if (!old.queue->idle() || old.queue->fault() != backend::Fault::none) return false;
        if (old.ordered) old.group->ordered_streams--;
        return true;
    });
}

// On a queue that waits for all others, of which it gets one marker.
void Context::State::record(Context& context, const StreamGroup* only, Event& event) {
    if (&event.context() != &context)
        throw Error(Status::invalid_handle, "an event is recorded in its own context only");
    capture::forbid(context, only);
    context.check();
    std::shared_ptr<backend::Queue> queue = context.device().backend().create_queue(0);
    {
        std::lock_guard lock(mutex);
        for (Stream* stream : streams)
            if ((!only || stream->state().group.get() == only) && !stream->queue().idle())
                queue->wait_for(stream->state().mark());
        for (auto& old : retired)
            if ((!only || old.group.get() == only) && !old.queue->idle()) queue->wait_for(old.end);
    }
    if (const auto& shared = event.shared())
        queue->call([shared, ticket = shared->record()] { shared->reach(ticket); });
    else
        event.set_marker(queue->mark(!(event.flags() & 2)));
    auto end = queue->mark(false);
    std::lock_guard lock(mutex);
    retired.push_back({std::move(queue), std::move(end), false, nullptr});
}

void Context::State::wait_for(Context& context, const StreamGroup* only, Event& event) {
    if (event.captured()) throw Error(Status::stream_capture_unsupported, "the event is of a capture");
    capture::forbid(context, only);
    context.check();
    const auto marker = event.marker();
    if (!marker || marker->reached()) return;
    std::lock_guard lock(mutex);
    const auto add = [&](StreamGroup& group) {
        std::erase_if(group.awaited, [](const auto& old) { return old->reached(); });
        group.awaited.push_back(marker);
    };
    if (!only) add(*group);
    for (GreenContext* one : green)
        if (!only || &one->group() == only) add(one->group());
    for (Stream* stream : streams)
        if (!only || stream->state().group.get() == only) stream->state().wait_for(marker);
}

void Context::record(Event& event) { state_->record(*this, nullptr, event); }
void Context::wait_for(Event& event) { state_->wait_for(*this, nullptr, event); }

void Context::State::upload(backend::Device& device, const backend::Fill& fill, const backend::Copy& copy) {
    std::lock_guard lock(upload_mutex);
    if (!upload_queue) upload_queue = device.create_queue(0);
    if (fill.width) upload_queue->fill(fill);
    if (copy.width) upload_queue->copy(copy);
    upload_queue->synchronize();
}

} // namespace rt

#include "rt/stream.h"

#include "core/capture.h"
#include "core/context_state.h"
#include "core/fault.h"
#include "core/profile.h"
#include "core/stream_state.h"
#include "rt/green_context.h"
#include "rt/ipc.h"
#include "support/options.h"

#include <algorithm>

namespace rt {
namespace {

std::atomic<uint64_t> next_id = 1;

// CUDA C++ Programming Guide, CUDA_LAUNCH_BLOCKING: for finding the launch that failed.
bool launches_block() {
    static const bool block = cuda_variable("CUDA_LAUNCH_BLOCKING").value_or("0") != "0";
    return block;
}

} // namespace

template <class F> void Stream::State::submit(F&& enqueue) {
    stream.context_.check();
    throw_fault();
    order_after_others();
    std::lock_guard lock(mutex);
    enqueue(*stream.queue_);
    submitted.fetch_add(1, std::memory_order_release);
}

std::shared_ptr<backend::Marker> Stream::State::mark() {
    std::lock_guard lock(mutex);
    return stream.queue_->mark(false);
}

std::shared_ptr<backend::Marker> Stream::State::mark_in_order(bool timed) {
    std::shared_ptr<backend::Marker> marker;
    submit([&](backend::Queue& queue) { marker = queue.mark(timed); });
    return marker;
}

void Stream::State::wait_for(const std::shared_ptr<backend::Marker>& marker) {
    std::lock_guard lock(mutex);
    stream.queue_->wait_for(marker);
    submitted.fetch_add(1, std::memory_order_release);
}

void Stream::State::throw_fault() {
    if (stream.queue_->fault() == backend::Fault::none) return;
    stream.context_.collect_faults();
    stream.context_.check();
}

void Stream::State::order_after_others() {
    if (stream.role_ == Role::legacy) {
        if (group->ordered_streams.load(std::memory_order_acquire)) order_after_streams();
    } else if (ordered()) {
        order_after_legacy();
    }
}

void Stream::State::order_after_legacy() {
    Stream* legacy = group->legacy.load(std::memory_order_acquire);
    if (!legacy) return;
    const uint64_t given = legacy->state().submitted.load(std::memory_order_acquire);
    if (given == legacy_seen.load(std::memory_order_relaxed)) return;
    if (!legacy->queue().idle()) {
        // legacy_seen changes only once the wait is in the queue: another thread trusts it.
        auto marker = legacy->state().mark();
        std::lock_guard lock(mutex);
        stream.queue_->wait_for(marker);
    }
    legacy_seen = given;
}

void Stream::State::order_after_streams() {
    auto& context = stream.context_.state();
    std::lock_guard lock(context.mutex);
    for (Stream* other : context.streams) {
        auto& state = other->state();
        if (!state.ordered() || state.group != group) continue;
        const uint64_t given = state.submitted.load(std::memory_order_acquire);
        if (given == state.seen_by_legacy.load(std::memory_order_relaxed)) continue;
        if (!other->queue().idle()) {
            auto marker = state.mark();
            std::lock_guard own(mutex);
            stream.queue_->wait_for(marker);
        }
        state.seen_by_legacy = given;
    }
    std::erase_if(context.retired, [&](const Context::State::Retired& retired) {
        if (!retired.ordered || retired.group != group || retired.queue->fault() != backend::Fault::none) return false;
        if (!retired.queue->idle()) {
            std::lock_guard own(mutex);
            stream.queue_->wait_for(retired.end);
            return false;
        }
        group->ordered_streams--;
        return true;
    });
}

Stream::Stream(Context& context, unsigned flags, int priority, Role role, GreenContext* green)
    : HandleBase(kind), context_(context), green_(green), flags_(flags), priority_(priority), role_(role),
      id_(next_id++), queue_(green ? green->partition().create_queue(priority)
                                   : context.device().backend().create_queue(priority)),
      state_(std::make_unique<State>(*this, green ? green->shared_group() : context.state().group)) {
    auto& state = context_.state();
    std::lock_guard lock(state.mutex);
    state.streams.push_back(this);
    if (state_->ordered()) state_->group->ordered_streams++;
    for (const auto& marker : state_->group->awaited) queue_->wait_for(marker);
}

// Work that is under way goes on: CUDA driver API, cuStreamDestroy.
Stream::~Stream() {
    capture::forget(*this);
    auto& state = context_.state();
    const bool ordered = state_->ordered();
    std::lock_guard lock(state.mutex);
    std::erase(state.streams, this);
    auto& group = *state_->group;
    if (group.legacy == this) group.legacy = nullptr;
    if (queue_->idle() && queue_->fault() == backend::Fault::none) {
        if (ordered) group.ordered_streams--;
        return;
    }
    auto end = state_->mark();
    state.retired.push_back({queue_, std::move(end), ordered, state_->group});
}

bool Stream::orphaned() const { return state_->group->closed.load(std::memory_order_acquire); }

void Stream::launch(const backend::Launch& launch, Function* function) {
    if (capture::add(*this, LaunchOperation{&launch, function})) return;
    launch_all({&launch, 1});
}

void Stream::launch_all(std::span<const backend::Launch> launches) {
    if (launches_block() && launches.size() > 1) {
        for (const auto& launch : launches) launch_all({&launch, 1});
        return;
    }
    state_->submit([&](backend::Queue& queue) {
        if (!profile::wanted()) [[likely]]
            return queue.launch_all(launches);
        for (const auto& launch : launches) profile::launch(queue, launch, context_.device().facts().target.arch);
    });
    if (launches_block()) synchronize();
}

void Stream::copy(const backend::Copy& copy) {
    if (capture::add(*this, copy)) return;
    state_->submit([&](backend::Queue& queue) { queue.copy(copy); });
}

void Stream::fill(const backend::Fill& fill) {
    if (capture::add(*this, fill)) return;
    state_->submit([&](backend::Queue& queue) { queue.fill(fill); });
}

void Stream::call(std::function<void()> function) {
    if (capture::add(*this, &function)) return;
    state_->submit([&](backend::Queue& queue) { queue.call(std::move(function)); });
}

void Stream::call(HostFunction host) {
    if (capture::add(*this, host)) return;
    state_->submit([&](backend::Queue& queue) { queue.call([host] { host.function(host.data); }); });
}

void Stream::wait_for(Event& event) {
    if (capture::wait(*this, event)) return;
    auto marker = event.marker();
    if (!marker || marker->reached()) return;
    state_->submit([&](backend::Queue& queue) { queue.wait_for(marker); });
}

void Stream::record(Event& event) {
    if (&event.context() != &context_)
        throw Error(Status::invalid_handle, "an event is recorded in a stream of its own context only");
    if (capture::record(*this, event)) return;
    if (const auto& shared = event.shared()) {
        state_->submit([&](backend::Queue& queue) {
            queue.call([shared, ticket = shared->record()] { shared->reach(ticket); });
        });
        return;
    }
    event.set_marker(state_->mark_in_order(!(event.flags() & 2)));
}

bool Stream::idle() {
    capture::forbid(*this);
    context_.check();
    state_->throw_fault();
    if (!queue_->idle()) return false;
    // The legacy stream is as busy as what its next piece of work would wait for.
    if (role_ == Role::legacy && state_->group->ordered_streams) {
        auto& state = context_.state();
        std::lock_guard lock(state.mutex);
        for (Stream* other : state.streams)
            if (other->state().ordered() && other->state().group == state_->group && !other->queue().idle()) return false;
    }
    state_->throw_fault();
    return true;
}

void Stream::synchronize() {
    capture::forbid(*this);
    context_.check();
    if (role_ == Role::legacy && state_->group->ordered_streams) {
        std::vector<std::shared_ptr<backend::Queue>> queues;
        {
            auto& state = context_.state();
            std::lock_guard lock(state.mutex);
            for (Stream* other : state.streams)
                if (other->state().ordered() && other->state().group == state_->group) queues.push_back(other->queue_);
        }
        for (auto& queue : queues) queue->synchronize();
    }
    auto queue = queue_; // the stream may be destroyed while we wait
    queue->synchronize();
    context_.device().backend().drain_printf();
    // What a conditional node of a graph runs has a queue of its own, so that its fault is known to the context only.
    if (queue->fault() != backend::Fault::none) context_.collect_faults();
    context_.check();
}

} // namespace rt

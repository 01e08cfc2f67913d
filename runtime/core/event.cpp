#include "core/capture.h"
#include "core/context_state.h"
#include "rt/ipc.h"
#include "rt/stream.h"

namespace rt {

Event::Event(Context& context, unsigned flags, std::shared_ptr<ipc::SharedEvent> shared)
    : HandleBase(kind), context_(context), flags_(flags), shared_(std::move(shared)) {
    constexpr unsigned interprocess = 4;
    if (!shared_ && (flags & interprocess)) shared_ = ipc::SharedEvent::create();
    auto& state = context_.state();
    std::lock_guard lock(state.mutex);
    state.events.insert(this);
}

Event::~Event() {
    auto& state = context_.state();
    std::lock_guard lock(state.mutex);
    state.events.erase(this);
}

std::shared_ptr<backend::Marker> Event::marker() const {
    if (shared_) {
        const uint64_t ticket = shared_->last();
        return ticket ? std::make_shared<ipc::SharedMarker>(shared_, ticket) : nullptr;
    }
    std::lock_guard lock(mutex_);
    return marker_;
}

void Event::set_marker(std::shared_ptr<backend::Marker> marker) {
    std::lock_guard lock(mutex_);
    marker_ = std::move(marker);
    captured_ = nullptr;
}

std::shared_ptr<Event::Captured> Event::captured() const {
    std::lock_guard lock(mutex_);
    return captured_;
}

void Event::set_captured(std::shared_ptr<Captured> captured) {
    std::lock_guard lock(mutex_);
    captured_ = std::move(captured);
}

bool Event::recorded() const { return marker() != nullptr; }

bool Event::reached() {
    capture::forbid(*this);
    context_.check();
    auto last = marker();
    if (last && !last->reached()) return false;
    context_.collect_faults();
    context_.check();
    return true;
}

void Event::synchronize() {
    capture::forbid(*this);
    context_.check();
    if (auto last = marker()) {
        last->wait();
        context_.device().backend().drain_printf();
    }
    context_.collect_faults();
    context_.check();
}

float Event::elapsed(Event& start, Event& end) {
    capture::forbid(start);
    capture::forbid(end);
    auto first = start.marker(), second = end.marker();
    if (!first || !second) throw Error(Status::invalid_handle, "elapsed time of an event that was not recorded");
    if ((start.flags() | end.flags()) & 2)
        throw Error(Status::invalid_handle, "elapsed time of an event without timing");
    if (!first->reached() || !second->reached()) throw Error(Status::not_ready, "an event is not reached yet");
    start.context().collect_faults();
    start.context().check();
    return std::chrono::duration<float, std::milli>(second->time() - first->time()).count();
}

} // namespace rt

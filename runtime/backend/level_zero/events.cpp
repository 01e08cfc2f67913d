#include "backend/level_zero/events.h"

#include "rt/error.h"
#include "support/log.h"

namespace rt::backend::level_zero {

Progress Event::remember(ze_result_t result) const {
    if (result == ZE_RESULT_NOT_READY) return Progress::pending;
    if (result == ZE_RESULT_ERROR_DEVICE_LOST) owner_.set_lost(Progress::lost);
    // The device is lost, or the driver cannot tell any more: nobody may wait for ever.
    const Progress now = result == ZE_RESULT_SUCCESS ? Progress::done : Progress::lost;
    progress_.store(now, std::memory_order_release);
    return now;
}

Progress Event::query() const {
    const Progress known = progress_.load(std::memory_order_acquire);
    if (known != Progress::pending) return known;
    if (owner_.is_lost()) return owner_.state();
    return remember(ze_.zeEventQueryStatus(handle_));
}

Progress Event::poll() const {
    const Progress known = query();
    if (known != Progress::pending || !owner_.watch_dog().hung()) return known;
    owner_.end_kernels();
    return Progress::hung;
}

Progress Event::wait() const {
    constexpr std::chrono::nanoseconds turn = std::chrono::milliseconds(20);
    const uint64_t patience = owner_.watch_dog().watches() ? uint64_t(turn.count()) : UINT64_MAX;
    Progress known = query();
    while (known == Progress::pending) {
        known = remember(ze_.zeEventHostSynchronize(handle_, patience));
        if (known == Progress::pending) known = poll();
    }
    return known;
}

void Event::signal() { check(ze_.zeEventHostSignal(handle_), "signalling an event"); }

Events::~Events() {
    if (is_lost()) return; // its commands are not done with them
    for (ze_event_handle_t event : all_) context_->ze.zeEventDestroy(event);
    for (ze_event_pool_handle_t pool : pools_) context_->ze.zeEventPoolDestroy(pool);
}

void Events::set_lost(Progress how) {
    Progress known = Progress::pending;
    state_.compare_exchange_strong(known, how);
}

void Events::end_kernels() {
    try {
        if (end_kernels_()) return;
    } catch (const Error& error) {
        log(LogLevel::error, LogChannel::launch, "{}", error.what());
    }
    set_lost(Progress::hung);
}

void Events::make_pool() {
    const Loader& ze = context_->ze;
    ze_event_pool_desc_t pool_description;
    pool_description.count = pool_size;
    ze_event_pool_handle_t pool = nullptr;
    // For all devices of the driver: their queues may wait for each other's events.
    check(ze.zeEventPoolCreate(context_->handle, &pool_description, 0, nullptr, &pool), "creating a pool of events");
    pools_.push_back(pool);
    for (uint32_t i = 0; i < pool_size; i++) {
        ze_event_desc_t description;
        description.index = i;
        ze_event_handle_t event = nullptr;
        check(ze.zeEventCreate(pool, &description, &event), "creating an event");
        all_.push_back(event);
        free_.push_back(event);
    }
    free_.reserve(all_.size()); // so that give_back() cannot fail
}

std::shared_ptr<Event> Events::take() {
    ze_event_handle_t handle = nullptr;
    {
        std::lock_guard lock(mutex_);
        if (free_.empty()) make_pool();
        handle = free_.back();
        free_.pop_back();
    }
    return {new Event(*this, context_->ze, handle), [self = shared_from_this()](Event* event) {
                self->give_back(event->handle());
                delete event;
            }};
}

void Events::give_back(ze_event_handle_t handle) noexcept {
    if (is_lost()) return; // a command may still use it
    const ze_result_t result = context_->ze.zeEventHostReset(handle);
    if (result != ZE_RESULT_SUCCESS) {
        // Of a lost device. It stays out of use.
        log(LogLevel::debug, LogChannel::launch, "level_zero: an event cannot be reset: {}", name_of(result));
        return;
    }
    std::lock_guard lock(mutex_);
    free_.push_back(handle);
}

} // namespace rt::backend::level_zero

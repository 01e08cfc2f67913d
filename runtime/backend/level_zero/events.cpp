#include "backend/level_zero/events.h"

#include "rt/error.h"
#include "support/log.h"

namespace rt::backend::level_zero {

Progress Event::remember(ze_result_t result) const {
    if (result == ZE_RESULT_NOT_READY) return Progress::pending;
    // The device is lost, or the driver cannot tell any more: nobody may wait for ever.
    const Progress now = result == ZE_RESULT_SUCCESS ? Progress::done : Progress::lost;
    progress_.store(now, std::memory_order_release);
    return now;
}

Progress Event::query() const {
    const Progress known = progress_.load(std::memory_order_acquire);
    return known != Progress::pending ? known : remember(ze_.zeEventQueryStatus(handle_));
}

Progress Event::wait() const {
    Progress known = progress_.load(std::memory_order_acquire);
    while (known == Progress::pending) known = remember(ze_.zeEventHostSynchronize(handle_, UINT64_MAX));
    return known;
}

void Event::signal() { check(ze_.zeEventHostSignal(handle_), "signalling an event"); }

Events::~Events() {
    for (ze_event_handle_t event : all_) context_->ze.zeEventDestroy(event);
    for (ze_event_pool_handle_t pool : pools_) context_->ze.zeEventPoolDestroy(pool);
}

void Events::make_pool() {
    const Loader& ze = context_->ze;
    ze_event_pool_desc_t pool_description;
    pool_description.count = pool_size;
    ze_event_pool_handle_t pool = nullptr;
    ze_device_handle_t device = device_;
    check(ze.zeEventPoolCreate(context_->handle, &pool_description, 1, &device, &pool), "creating a pool of events");
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
    return {new Event(context_->ze, handle), [self = shared_from_this()](Event* event) {
                self->give_back(event->handle());
                delete event;
            }};
}

void Events::give_back(ze_event_handle_t handle) noexcept {
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

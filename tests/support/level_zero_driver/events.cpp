#include "command_list.h"
#include "functions.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace level_zero_driver {

namespace {

Event& object(ze_event_handle_t handle) { return *reinterpret_cast<Event*>(handle); }

/// With the world's lock. Real drivers crash or lose the event in such a case, now and then; here it is certain.
void demand_unused(const Event& event, const char* what) {
    if (event.uses == 0) return;
    std::fprintf(stderr, "level_zero_driver: an event that commands still use is %s\n", what);
    std::abort();
}

ze_result_t state_of(const Event& event) {
    if (event.signalled) return ZE_RESULT_SUCCESS;
    return world().lost ? ZE_RESULT_ERROR_DEVICE_LOST : ZE_RESULT_NOT_READY;
}

struct Pool {
    std::vector<ze_device_handle_t> devices; ///< that may use its events; none: all may
};
Pool& object(ze_event_pool_handle_t handle) { return *reinterpret_cast<Pool*>(handle); }

ze_result_t create_pool(ze_context_handle_t, const ze_event_pool_desc_t*, uint32_t count, ze_device_handle_t* devices,
                        ze_event_pool_handle_t* pool) {
    *pool = reinterpret_cast<ze_event_pool_handle_t>(new Pool{{devices, devices + count}});
    return ZE_RESULT_SUCCESS;
}

ze_result_t destroy_pool(ze_event_pool_handle_t pool) {
    delete &object(pool);
    return ZE_RESULT_SUCCESS;
}

ze_result_t create(ze_event_pool_handle_t pool, const ze_event_desc_t*, ze_event_handle_t* event) {
    *event = reinterpret_cast<ze_event_handle_t>(new Event{false, 0, object(pool).devices});
    return ZE_RESULT_SUCCESS;
}

ze_result_t destroy(ze_event_handle_t handle) {
    std::lock_guard lock(world().mutex);
    demand_unused(object(handle), "destroyed");
    delete &object(handle);
    return ZE_RESULT_SUCCESS;
}

ze_result_t signal(ze_event_handle_t handle) {
    std::lock_guard lock(world().mutex);
    object(handle).signalled = true;
    world().changed.notify_all();
    return ZE_RESULT_SUCCESS;
}

ze_result_t reset(ze_event_handle_t handle) {
    std::lock_guard lock(world().mutex);
    demand_unused(object(handle), "reset");
    object(handle).signalled = false;
    return ZE_RESULT_SUCCESS;
}

ze_result_t query(ze_event_handle_t handle) {
    std::lock_guard lock(world().mutex);
    return state_of(object(handle));
}

ze_result_t synchronize(ze_event_handle_t handle, uint64_t timeout) {
    std::unique_lock lock(world().mutex);
    const auto over = [&] { return state_of(object(handle)) != ZE_RESULT_NOT_READY; };
    if (timeout == UINT64_MAX)
        world().changed.wait(lock, over);
    else
        world().changed.wait_for(lock, std::chrono::nanoseconds(timeout), over);
    return state_of(object(handle));
}

} // namespace

void fill(ze_event_pool_dditable_t& table) {
    table.pfnCreate = create_pool;
    table.pfnDestroy = destroy_pool;
}

void fill(ze_event_dditable_t& table) {
    table.pfnCreate = create;
    table.pfnDestroy = destroy;
    table.pfnHostSignal = signal;
    table.pfnHostReset = reset;
    table.pfnQueryStatus = query;
    table.pfnHostSynchronize = synchronize;
}

} // namespace level_zero_driver

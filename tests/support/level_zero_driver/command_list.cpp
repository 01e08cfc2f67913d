#include "command_list.h"

#include "engine.h"
#include "functions.h"
#include "modules.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace level_zero_driver {

World& world() {
    static auto& state = *new World;
    return state;
}

CommandList::~CommandList() {
    {
        std::lock_guard lock(world().mutex);
        ending_ = true;
        world().changed.notify_all();
    }
    thread_.join();
}

void CommandList::append(Command command) {
    std::lock_guard lock(world().mutex);
    if (command.signal) command.signal->uses++;
    for (Event* event : command.waits) event->uses++;
    commands_.push_back(std::move(command));
    world().changed.notify_all();
}

bool CommandList::knows(const Event& event) const {
    return event.devices.empty() || std::ranges::find(event.devices, device_) != event.devices.end();
}

std::vector<size_t> CommandList::startable() const {
    std::vector<size_t> list;
    for (size_t i = 0; i < commands_.size(); i++) {
        const Command& command = commands_[i];
        const bool ready = std::ranges::all_of(command.waits, [](const Event* event) { return event->signalled; });
        // A barrier that waits for no event waits for all before it.
        if (ready && !(command.barrier && command.waits.empty() && i > 0)) list.push_back(i);
        if (command.barrier) break;
    }
    return list;
}

void CommandList::run() {
    World& state = world();
    std::unique_lock lock(state.mutex);
    for (;;) {
        std::vector<size_t> list;
        state.changed.wait(lock, [&] {
            list = startable();
            return !list.empty() || (ending_ && (commands_.empty() || state.lost));
        });
        if (list.empty()) return;
        const auto delay = std::chrono::microseconds(random_() % 200);
        state.changed.wait_for(lock, delay, [] { return false; }); // more may come meanwhile
        list = startable();
        const size_t chosen = list[random_() % list.size()];
        const Command command = std::move(commands_[chosen]);
        commands_.erase(commands_.begin() + ptrdiff_t(chosen));
        ze_result_t result = ZE_RESULT_ERROR_DEVICE_LOST;
        if (!state.lost) {
            lock.unlock();
            result = command.work();
            lock.lock();
        }
        for (Event* event : command.waits) event->uses--;
        if (command.signal) command.signal->uses--;
        if (result != ZE_RESULT_SUCCESS)
            state.lost = true;
        else if (command.signal)
            command.signal->signalled = true;
        state.changed.notify_all();
    }
}

namespace {

CommandList& object(ze_command_list_handle_t handle) { return *reinterpret_cast<CommandList*>(handle); }

ze_result_t append(ze_command_list_handle_t list, std::function<ze_result_t()> work, ze_event_handle_t signal,
                   uint32_t count, ze_event_handle_t* waits, bool barrier = false) {
    CommandList::Command command{std::move(work), reinterpret_cast<Event*>(signal), {}, barrier};
    for (uint32_t i = 0; i < count; i++) command.waits.push_back(reinterpret_cast<Event*>(waits[i]));
    for (const Event* event : command.waits)
        if (!object(list).knows(*event)) return ZE_RESULT_ERROR_INVALID_SYNCHRONIZATION_OBJECT;
    object(list).append(std::move(command));
    return ZE_RESULT_SUCCESS;
}

ze_result_t create_immediate(ze_context_handle_t, ze_device_handle_t device, const ze_command_queue_desc_t*,
                             ze_command_list_handle_t* list) {
    *list = reinterpret_cast<ze_command_list_handle_t>(new CommandList(device));
    return ZE_RESULT_SUCCESS;
}

ze_result_t destroy(ze_command_list_handle_t list) {
    delete &object(list);
    return ZE_RESULT_SUCCESS;
}

ze_result_t append_launch(ze_command_list_handle_t list, ze_kernel_handle_t kernel, const ze_group_count_t* groups,
                          ze_event_handle_t signal, uint32_t count, ze_event_handle_t* waits) {
    return append(list, prepare_launch(kernel, *groups), signal, count, waits);
}

ze_result_t append_cooperative(ze_command_list_handle_t list, ze_kernel_handle_t kernel, const ze_group_count_t* groups,
                               ze_event_handle_t signal, uint32_t count, ze_event_handle_t* waits) {
    if (!engine().is_cooperative()) return ZE_RESULT_ERROR_UNSUPPORTED_FEATURE;
    return append(list, prepare_launch(kernel, *groups, true), signal, count, waits);
}

ze_result_t append_copy(ze_command_list_handle_t list, void* to, const void* from, size_t bytes,
                        ze_event_handle_t signal, uint32_t count, ze_event_handle_t* waits) {
    const auto work = [=] { return std::memmove(to, from, bytes), ZE_RESULT_SUCCESS; };
    return append(list, work, signal, count, waits);
}

ze_result_t append_copy_region(ze_command_list_handle_t list, void* to, const ze_copy_region_t* to_region,
                               uint32_t to_pitch, uint32_t to_slice, const void* from,
                               const ze_copy_region_t* from_region, uint32_t from_pitch, uint32_t from_slice,
                               ze_event_handle_t signal, uint32_t count, ze_event_handle_t* waits) {
    const auto start = [](const ze_copy_region_t& r, uint64_t pitch, uint64_t slice) {
        return r.originZ * slice + r.originY * pitch + r.originX;
    };
    auto* target = static_cast<char*>(to) + start(*to_region, to_pitch, to_slice);
    auto* source = static_cast<const char*>(from) + start(*from_region, from_pitch, from_slice);
    const auto work = [=, region = *from_region] {
        for (uint64_t z = 0; z < std::max(1u, region.depth); z++)
            for (uint64_t y = 0; y < std::max(1u, region.height); y++)
                std::memcpy(target + z * to_slice + y * to_pitch, source + z * from_slice + y * from_pitch,
                            region.width);
        return ZE_RESULT_SUCCESS;
    };
    return append(list, work, signal, count, waits);
}

ze_result_t append_fill(ze_command_list_handle_t list, void* to, const void* pattern, size_t pattern_bytes,
                        size_t bytes, ze_event_handle_t signal, uint32_t count, ze_event_handle_t* waits) {
    const auto* first = static_cast<const char*>(pattern);
    const auto work = [=, copy = std::vector<char>(first, first + pattern_bytes)] {
        for (size_t i = 0; i < bytes; i++) static_cast<char*>(to)[i] = copy[i % copy.size()];
        return ZE_RESULT_SUCCESS;
    };
    return append(list, work, signal, count, waits);
}

ze_result_t append_barrier(ze_command_list_handle_t list, ze_event_handle_t signal, uint32_t count,
                           ze_event_handle_t* waits) {
    return append(
        list, [] { return ZE_RESULT_SUCCESS; }, signal, count, waits, true);
}

ze_result_t append_timestamp(ze_command_list_handle_t list, uint64_t* to, ze_event_handle_t signal, uint32_t count,
                             ze_event_handle_t* waits) {
    const auto work = [to] {
        *to = uint64_t(std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count());
        return ZE_RESULT_SUCCESS;
    };
    return append(list, work, signal, count, waits);
}

} // namespace

void fill(ze_command_list_dditable_t& table) {
    table.pfnCreateImmediate = create_immediate;
    table.pfnDestroy = destroy;
    table.pfnAppendLaunchKernel = append_launch;
    table.pfnAppendLaunchCooperativeKernel = append_cooperative;
    table.pfnAppendMemoryCopy = append_copy;
    table.pfnAppendMemoryCopyRegion = append_copy_region;
    table.pfnAppendMemoryFill = append_fill;
    table.pfnAppendBarrier = append_barrier;
    table.pfnAppendWriteGlobalTimestamp = append_timestamp;
}

} // namespace level_zero_driver

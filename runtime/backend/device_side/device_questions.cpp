#include "backend/device_side/device_questions.h"

#include "rt/error.h"

namespace rt::backend {

namespace {

using ptx::host::DeviceCall;
using ptx::host::DeviceStatus;

constexpr int shared_memory_banks_of_four_bytes = 1;

template <class F> DeviceAnswer ask(uint64_t address, F&& question) {
    if (address == 0) return {DeviceStatus::invalid_value};
    try {
        const auto value = question();
        return {DeviceStatus::success, uint64_t(value), sizeof value};
    } catch (const Error& error) {
        return {error.status() == Status::unsupported_limit ? DeviceStatus::unsupported_limit
                                                            : DeviceStatus::invalid_value};
    }
}

} // namespace

std::optional<DeviceAnswer> answer_question(DeviceCall call, std::span<const uint64_t> a, DeviceSide& side,
                                            const std::function<void(uint64_t)>& resolve) {
    switch (call) {
    case DeviceCall::get_device:
        return ask(a[0], [&] { return side.ordinal(); });
    case DeviceCall::get_device_count:
        return ask(a[0], [&] { return side.device_count(); });
    case DeviceCall::device_get_attribute:
        if (int(a[2]) < 0 || int(a[2]) >= side.device_count()) return DeviceAnswer{DeviceStatus::invalid_device};
        return ask(a[0], [&] { return side.device_attribute(int(a[2]), int(a[1])); });
    case DeviceCall::get_limit:
        return ask(a[0], [&] { return uint64_t{side.limit(int(a[1]))}; });
    case DeviceCall::get_cache_config:
        return ask(a[0], [&] { return side.cache_config(); });
    case DeviceCall::get_shared_mem_config:
        return ask(a[0], [&] { return shared_memory_banks_of_four_bytes; });
    case DeviceCall::func_get_attribute:
        return ask(a[0], [&] { return (resolve(a[2]), side.attribute(a[2], int(a[1]))); });
    case DeviceCall::max_active_blocks:
    case DeviceCall::max_active_blocks_flags:
        return ask(a[0], [&] { return (resolve(a[1]), side.active_blocks(a[1], int(a[2]), a[3])); });
    default:
        return {};
    }
}

} // namespace rt::backend

#pragma once

#include "backend/backend.h"
#include "ptx/device_calls.h"

#include <functional>
#include <optional>
#include <span>

namespace rt::backend {

/// What a device call gives besides its status: `bytes` of `value` for the address that is its first argument.
struct DeviceAnswer {
    ptx::host::DeviceStatus status = ptx::host::DeviceStatus::success;
    uint64_t value = 0;
    uint32_t bytes = 0;
};

/// Of device calls that only ask; nothing for the others. `resolve` sees to it that the kernel at an address is
/// translated, or throws Error.
std::optional<DeviceAnswer> answer_question(ptx::host::DeviceCall call, std::span<const uint64_t> arguments,
                                            DeviceSide& side, const std::function<void(uint64_t)>& resolve);

} // namespace rt::backend

#pragma once

#include "backend/backend.h"

/// What the management library (NVML) asks of the runtime and the driver API has no call for. After Platform::initialize().
namespace rt::management {

/// Whether CUDA's ordinals are the machine's: CUDA_VISIBLE_DEVICES hides no device and keeps their order.
bool every_device_visible();

/// The device's memory as its back end counts it; needs no context. Throws Error{invalid_device}.
backend::MemoryInfo memory(int ordinal);

} // namespace rt::management

#pragma once

#include "backend/backend.h"

namespace rt::backend::hip {

/// Device number `device` of the HIP runtime, as it describes it.
DeviceFacts describe_device(int device);
/// 32 or 64.
uint32_t lanes_of_wave(int device);

} // namespace rt::backend::hip

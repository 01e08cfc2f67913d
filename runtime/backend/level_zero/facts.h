#pragma once

#include "backend/backend.h"
#include "backend/level_zero/loader.h"

namespace rt::backend::level_zero {

/// What the back end must know of a device beside what CUDA shows.
struct DriverFacts {
    uint64_t largest_allocation = 0; ///< bytes
    uint32_t compute_ordinal = 0;    ///< the group of queues that runs kernels
    uint32_t side_ordinal = 0;       ///< one that copies beside them, or the same
    uint64_t ticks_per_second = 1;   ///< of the device's time stamps
};

struct Description {
    DeviceFacts facts;
    DriverFacts driver;
};

/// Device number `index` of this back end, by what its driver says. Throws Error{not_supported} when it cannot run
/// kernels.
Description describe_device(ze_device_handle_t device, unsigned index);

/// Whether two devices are tiles of one card, or the same.
bool on_one_card(const DeviceFacts& a, const DeviceFacts& b);

} // namespace rt::backend::level_zero

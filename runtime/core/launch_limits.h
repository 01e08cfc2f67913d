#pragma once

#include "rt/module.h"

namespace rt {

/// Threads of a block that a kernel allows: the device's limit, or less by .maxntid and .reqntid.
uint32_t max_threads_of(Function&);
/// Dynamic shared memory that a launch may ask for: what was set, else 48 KiB less the static part.
uint32_t max_dynamic_shared_of(Function&);
inline constexpr uint32_t all_multiprocessors = ~uint32_t{0};
/// Throws CUDA's error for a launch that cannot be, on that many of the device's multiprocessors. CUDA driver API,
/// cuLaunchKernel.
void check_launch(Function&, const backend::Launch&, uint32_t multiprocessors = all_multiprocessors);

} // namespace rt

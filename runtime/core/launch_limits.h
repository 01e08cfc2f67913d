#pragma once

#include "rt/module.h"

namespace rt {

/// Threads of a block that a kernel allows: the device's limit, or less by .maxntid and .reqntid.
uint32_t max_threads_of(Function&);
/// Dynamic shared memory that a launch may ask for: what was set, else 48 KiB less the static part.
uint32_t max_dynamic_shared_of(Function&);
/// Throws CUDA's error for a launch that cannot be. CUDA driver API, cuLaunchKernel.
void check_launch(Function&, const backend::Launch&);

} // namespace rt

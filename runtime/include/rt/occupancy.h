#pragma once

#include "rt/module.h"

namespace rt {

/// How many clusters of such blocks can be resident on the whole device at once. CUDA driver API, occupancy.
uint64_t max_active_clusters(Function&, backend::Dim3 block, uint32_t dynamic_shared_bytes, backend::Dim3 cluster);

} // namespace rt

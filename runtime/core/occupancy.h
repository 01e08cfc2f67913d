#pragma once

#include "backend/backend.h"

namespace rt {

/// Shared memory that the system takes of each block: 1 KiB from compute capability 8.0 on.
constexpr int reserved_shared_bytes(int capability) { return capability >= 80 ? 1024 : 0; }

/// How many blocks of `threads` threads fit on one multiprocessor: the least of what block slots, warps, shared memory
/// and registers allow. CUDA C++ Programming Guide, compute capabilities. 0 when a block does not fit at all.
int blocks_per_multiprocessor(const backend::DeviceFacts&, int capability, const ptx::KernelInfo&, int threads,
                              size_t dynamic_shared_bytes);

} // namespace rt

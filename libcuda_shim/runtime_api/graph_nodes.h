#pragma once

#include "runtime_api/types.h"

namespace cudart {

/// A kernel node of the runtime, which names a host stub, as the driver describes it: in the current context.
CUDA_KERNEL_NODE_PARAMS driver_kernel(const cudaKernelNodeParams&);
CUcontext current_context();

} // namespace cudart

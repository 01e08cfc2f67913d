#pragma once

#include "backend/backend.h"

#include <memory>

namespace rt::backend {

/// The host processor as CUDA devices: kernels run as native code on a pool of threads. Always available.
std::unique_ptr<Backend> create_cpu_backend();

} // namespace rt::backend

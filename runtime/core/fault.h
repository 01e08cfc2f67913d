#pragma once

#include "backend/backend.h"
#include "rt/error.h"

namespace rt {

/// CUDA's error for a kernel's death. Fault::none gives success.
Status status_of(backend::Fault);

} // namespace rt

#pragma once

#include "backend/backend.h"

#include <memory>

namespace rt::backend {

/// Intel's GPUs, or whatever the Level Zero loader of this machine has drivers for. Throws Error{no_device} when there
/// is no loader, no driver that starts, or no device.
std::unique_ptr<Backend> create_level_zero_backend();

} // namespace rt::backend

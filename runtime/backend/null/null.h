#pragma once

#include "backend/backend.h"

#include <memory>

namespace rt::backend {

/// A device that stores but does not compute: memory, copies and fills work, every launch faults. For tests of all that
/// is not execution; only there when asked for by name.
std::unique_ptr<Backend> create_null_backend();

} // namespace rt::backend

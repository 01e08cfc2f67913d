#pragma once

#include "ptx/host_abi.h"

namespace rt::backend::cpu {

/// The functions that generated code calls. One table for all launches.
const ptx::host::Services& services();

} // namespace rt::backend::cpu

#pragma once

#include "rt/module.h"

#include <cstdint>
#include <vector>

namespace shim {

/// A kernel's packed arguments, from pointers to each of them or from the buffer that `extra` names. Throws
/// invalid_value for both, for none where the kernel has some, and for too small a buffer. CUDA driver API,
/// cuLaunchKernel.
std::vector<uint8_t> arguments_of(rt::Function&, void** parameters, void** extra);

} // namespace shim

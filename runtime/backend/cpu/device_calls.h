#pragma once

#include "ptx/host_abi.h"

namespace rt::backend::cpu {

/// Services::device_call: launches from kernels, and the rest of what libcudadevrt asks of the driver.
uint64_t device_call(ptx::host::Lane* lane, uint32_t call, const uint64_t* arguments);

} // namespace rt::backend::cpu

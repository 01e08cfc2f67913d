#pragma once

#include "backend/backend.h"

namespace rt::backend::cpu {

/// Processors that this process may use.
unsigned usable_processors();
/// Bytes of memory of the machine, or of the control group that the process is confined to.
uint64_t machine_memory();
/// CPU device number `index` with `threads` workers, by the options and what the machine says of itself.
DeviceFacts describe_device(unsigned index, unsigned threads);

} // namespace rt::backend::cpu

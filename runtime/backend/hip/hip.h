#pragma once

#include "backend/backend.h"

#include <memory>

namespace rt::backend {

/// AMD's GPUs, through ROCm's HIP runtime. Throws Error{no_device} when there is no runtime, or it has no device.
std::unique_ptr<Backend> create_hip_backend();

/// Whether this machine has a driver for AMD's GPUs, found without loading anything.
bool hip_driver_present();

} // namespace rt::backend

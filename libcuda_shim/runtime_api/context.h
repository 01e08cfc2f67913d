#pragma once

#include "runtime_api/types.h"

namespace cudart {

/// cuInit, once in the process; throws its error each time.
void initialise();
/// Gives the calling thread a context where it has none: its device's primary one. CUDA runtime API, Interactions with
/// the CUDA Driver API.
void use_context();
/// The device that the calling thread's calls go to: its current context's, else what cudaSetDevice said.
int current_device();
/// Makes the primary context of `device` the calling thread's. Throws cudaErrorInvalidDevice.
void select_device(int device);
/// The device of threads that do not choose one. CUDA runtime API, cudaSetValidDevices.
void prefer_device(int device);
/// The primary context of `device`, kept until the device is reset.
CUcontext primary_context(int device);
/// Destroys all that the process has on the calling thread's device.
void reset_device();

} // namespace cudart

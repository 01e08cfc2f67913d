#pragma once

#include "backend/hip/abi.h"

#include <string>
#include <string_view>

namespace rt::backend::hip {

/// The functions of the HIP runtime.
struct Loader {
#define HIP_FN(name, parameters) hipError_t(*name) parameters = nullptr;
#define HIP_NEWER_FN(name, parameters) hipError_t(*name) parameters = nullptr;
#include "backend/hip/functions.def"
    const char* (*hipGetErrorString)(hipError_t) = nullptr;
    int version = 0; ///< 10,000,000 * major + 100,000 * minor + patch
};

/// Opens the HIP runtime once per process; it is not closed again, since it leaves threads behind. Throws
/// Error{no_device} when there is none.
const Loader& loader();

/// "hipErrorOutOfMemory: out of memory", the text being HIP's.
std::string describe(hipError_t result);
/// Throws Error with CUDA's status for `result` unless that is success. `doing`: "allocating 512 bytes".
void check(hipError_t result, std::string_view doing);

} // namespace rt::backend::hip

#pragma once

#include "opencl.h"

#include <cstdint>
#include <span>
#include <string>

namespace level_zero_driver {

/// An OpenCL program built of SPIR-V: llvm-spirv reads it back into LLVM's bitcode, which PoCL takes as a SPIR binary.
/// Null, with a reason in `log`, when that does not work. `flags` as of zeModuleCreate.
cl_program build_program(std::span<const uint8_t> spirv, const std::string& flags, std::string& log);

} // namespace level_zero_driver

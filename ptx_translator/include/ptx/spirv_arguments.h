#pragma once

#include "ptx/image.h"

#include <bit>

namespace ptx {

/// The parameters that a kernel's SPIR-V takes as arguments of their own, behind the others (docs/neutral_ir.md), in this
/// order: those of 1, 2, 4 and 8 bytes. Devices take 1024 bytes of arguments at least (OpenCL 3.0,
/// CL_DEVICE_MAX_PARAMETER_SIZE), in which the other arguments and gaps are, too: what is beyond half of that is left in
/// the block of parameters, where arrays are.
inline std::vector<ParameterInfo> spirv_arguments(const KernelInfo& kernel) {
    std::vector<ParameterInfo> arguments;
    uint32_t bytes = 0;
    for (const ParameterInfo& parameter : kernel.parameters) {
        if (parameter.size > 8 || !std::has_single_bit(parameter.size) || bytes + parameter.size > 512) continue;
        bytes += parameter.size;
        arguments.push_back(parameter);
    }
    return arguments;
}

} // namespace ptx

#pragma once

#include "ast/ast.h"
#include "ptx/image.h"

#include <cstdint>
#include <vector>

namespace ptx {

struct ParameterLayout {
    std::vector<ParameterInfo> parameters;
    uint32_t bytes = 0; ///< to the end of the last one
};

/// Packs formal parameters as CUDA does: in order, each at its natural or declared alignment (CUDA driver API,
/// cuLaunchKernel; PTX ISA 5.1.6). Throws Error when they exceed the 32764 bytes of PTX ISA 8.1.
ParameterLayout layout_parameters(const std::vector<Variable>& parameters);

} // namespace ptx

#pragma once

#include "ptx/image.h"

#include <span>
#include <vector>

namespace ptx::code {

/// Takes each kernel's registers and private memory from the metadata note that LLVM put into the code object.
void read_resources(std::span<const uint8_t> code_object, std::vector<KernelInfo>& kernels);

} // namespace ptx::code

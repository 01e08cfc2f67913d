#pragma once

#include "ast_to_ast/prepare.h"

#include <unordered_map>

namespace ptx::ast_to_llvm {

/// Where .shared variables lie in the shared blocks of kernels. PTX ISA 5.1.7.
struct SharedLayout {
    /// One offset per variable for all kernels of the module, so that kernels can share device functions, and so that
    /// it is the same however the module is translated, in whole or kernel by kernel.
    std::unordered_map<const Variable*, uint32_t> offsets;
    /// Static bytes of each kernel, padded so that dynamic shared memory begins as aligned as the kernel wants it.
    std::unordered_map<const Function*, uint32_t> static_bytes;
};

SharedLayout layout_shared(const Prepared&);

} // namespace ptx::ast_to_llvm

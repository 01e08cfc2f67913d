#pragma once

#include "ptx/image.h"

#include <llvm/ADT/StringRef.h>

namespace llvm {
class Function;
class Module;
} // namespace llvm

namespace ptx::code {

/// Inlines functions with barriers that are emulated into their callers, up to the kernels.
void inline_emulated_barriers(llvm::Module&);

/// Where a kernel's emulated barriers lie in LDS.
inline constexpr llvm::StringLiteral barrier_area_attribute = "cuttle.barriers";

/// Barriers with numbers or for some of the threads become calls of the device library and loops that wait. They lie
/// behind the kernel's static shared memory, which grows. What all threads do at barrier 0 stays: it is made of the
/// hardware's. After inspect_kernels.
void lower_emulated_barriers(llvm::Function& kernel, KernelInfo& info);

} // namespace ptx::code

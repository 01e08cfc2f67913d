#pragma once

#include "ptx/image.h"

namespace llvm {
class Function;
}

/// The barrier of all threads on Intel's GPUs, whose own waits for ever for sub-groups that have ended. CUDA's counts
/// the threads that are left (PTX ISA 9.7.13.1: an exited thread counts as arrived).
namespace ptx::code {

/// Where a thread may return while others come to a barrier later, barriers become calls of the device library that
/// count warps in shared memory, behind the kernel's own, and returns tell it. Other kernels keep the hardware's
/// barriers.
void count_threads_at_barriers(llvm::Function& kernel, KernelInfo& info);

} // namespace ptx::code

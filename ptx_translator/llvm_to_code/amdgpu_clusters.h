#pragma once

#include "ptx/image.h"

namespace llvm {
class Function;
class Module;
} // namespace llvm

/// Thread block clusters (PTX ISA 2.2.2) on AMD GPUs, which have none: a cluster is one work group. Each block has some
/// of its waves and a window of its LDS, so that blocks reach each other's shared memory, and wait for each other, as
/// parts of a work group do.
namespace ptx::code {

/// Whether the kernel asks for its place in a cluster, or for other blocks of it. On simplified IR.
bool uses_clusters(llvm::Function& kernel);

/// Where any kernel does so, functions that look at their thread's place, or wait for others, are inlined, up to the
/// kernels.
void inline_into_cluster_kernels(llvm::Module&);

/// The kernel's place in the grid, its shared memory and its barriers become those of a part of a work group, as
/// ptx::gpu::ClusterLaunch says them; `lanes`: of a wave. Throws ptx::Error where a function that calls itself would
/// have to know of them. After inspect_kernels; instead of lower_emulated_barriers.
void lower_clusters(llvm::Function& kernel, KernelInfo& info, unsigned lanes);

} // namespace ptx::code

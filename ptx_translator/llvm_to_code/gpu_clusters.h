#pragma once

#include "ptx/image.h"

namespace llvm {
class Function;
class Module;
} // namespace llvm

/// Thread block clusters (PTX ISA 2.2.2) on GPUs that have none: a cluster is one work group. Each block has some of its
/// waves and a window of its shared memory, so that blocks reach each other's, and wait for each other, as parts of a work
/// group do.
namespace ptx::code {

/// Where any kernel does so, functions that look at their thread's place, or wait for others, are inlined, up to the
/// kernels.
void inline_into_cluster_kernels(llvm::Module&);

/// Says in KernelInfo::uses_cluster whether the kernel asks for its place in a cluster, or for other blocks of it. Such a
/// one's place in the grid, its shared memory and its barriers become those of a part of a work group, as
/// ptx::gpu::ClusterLaunch says them; `lanes`: of a wave. Throws ptx::Error where a function that calls itself would
/// have to know of them. Another one gets the barriers that the hardware has not. After inspect_kernels.
void lower_groups(llvm::Function& kernel, KernelInfo& info, unsigned lanes);

/// The same for what such a kernel has been given since, of the device library: its place.
void find_place_in_cluster(llvm::Function& kernel, unsigned lanes);

} // namespace ptx::code

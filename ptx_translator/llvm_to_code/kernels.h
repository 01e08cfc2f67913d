#pragma once

#include "ptx/image.h"

#include <llvm/ADT/StringRef.h>

#include <vector>

namespace llvm {
class Module;
}

namespace ptx::code {

/// Removes the module's other kernels, and keeps "cuttle.addressable" functions from removal. Throws ptx::Error for a
/// listed kernel that is not there.
void select_kernels(llvm::Module&, const std::vector<KernelInfo>& kernels);

/// Fills in what the neutral IR says of the kernels: uses_barrier, uses_cooperative, uses_cluster,
/// uses_services, uses_heap, static_shared_bytes, translated.
/// To be called on simplified IR: dead code counts.
void inspect_kernels(llvm::Module&, std::vector<KernelInfo>& kernels);

/// Whether the neutral function `cuttle.NAME` makes lanes wait for each other, or lets others run.
bool lanes_meet_in(llvm::StringRef name);
/// Whether lanes want each other there, not only memory.
bool lanes_want_each_other_in(llvm::StringRef name);

} // namespace ptx::code

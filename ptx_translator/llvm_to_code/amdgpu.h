#pragma once

#include "llvm_to_code/compile.h"

/// Neutral IR to an AMDGPU code object (version 5). Kernel parameters are one byref struct in the kernarg segment.
namespace ptx {

/// Same contract as compile_host (llvm_to_code/host.h). Target::cpu names the processor ("gfx1100").
Image compile_amdgpu(std::unique_ptr<llvm::Module> neutral, std::vector<KernelInfo> kernels, const Target&,
                     const Options&, const AfterStage& after_stage = {});

} // namespace ptx

#pragma once

#include "llvm_to_code/compile.h"

/// Neutral IR to SPIR-V 1.4, OpenCL flavour. Kernels take (u64 parameters, u64 globals, local memory): see
/// docs/neutral_ir.md, "Targets".
namespace ptx {

/// Same contract as compile_host (llvm_to_code/host.h). All functions are inlined: recursion and calls by address
/// throw.
Image compile_spirv(std::unique_ptr<llvm::Module> neutral, std::vector<KernelInfo> kernels, const Target&,
                    const Options&, const AfterStage& after_stage = {});

} // namespace ptx

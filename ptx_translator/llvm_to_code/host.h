#pragma once

#include "llvm_to_code/compile.h"

/// Neutral IR to an ELF shared object for the host. See docs/neutral_ir.md and ptx/host_abi.h.
namespace ptx {

/// `kernels` are those to export, in any order (KernelInfo::name names the IR function; functions with "cuttle.kernel"
/// that are not listed are dropped). What is only known once translated is filled in. Functions with
/// "cuttle.addressable" become Image::functions. The image has no code when `after_stage` stopped the translation.
/// Throws ptx::Error naming what cannot be lowered. Thread safe for modules of different LLVMContexts.
Image compile_host(std::unique_ptr<llvm::Module> neutral, std::vector<KernelInfo> kernels, const Target&,
                   const Options&, const AfterStage& after_stage = {});

} // namespace ptx

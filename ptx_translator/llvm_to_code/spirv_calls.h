#pragma once

#include <llvm/IR/IRBuilder.h>

namespace llvm {
class Function;
}

namespace ptx::code {

/// The arguments that spirv.cpp gives every kernel; services and workspace only with KernelInfo::uses_services, the address
/// of a gpu::ClusterLaunch with KernelInfo::uses_cluster, which has those, too. Parameters that are passed
/// (spirv_arguments.h) come behind.
enum SpirvArgument : unsigned {
    parameters_argument = 0,
    globals_argument = 1,
    shared_argument = 2,
    services_argument = 3,
    workspace_argument = 4,
    cluster_argument = 5
};
/// SPIR-V's storage classes as LLVM's address spaces, where they differ from the neutral ones.
enum SpirvSpace : unsigned { spirv_private = 0, spirv_global = 1, spirv_shared = 3, spirv_generic = 4 };

/// `i32 f(i32)` that gives its argument.
inline constexpr const char* spirv_opaque = "cuttle_opaque";

/// A call of one of OpenCL C's built-in functions by its mangled name, which LLVM turns into SPIR-V instructions.
llvm::CallInst* call_builtin(llvm::IRBuilder<>& ir, llvm::StringRef name, llvm::Type* result,
                             llvm::ArrayRef<llvm::Value*> arguments, bool convergent = false);

/// For kernels whose pointers are mapped already.
void lower_spirv_calls(llvm::Function& kernel);

} // namespace ptx::code

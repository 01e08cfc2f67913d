#pragma once

namespace llvm {
class Function;
}

namespace ptx::code {

/// The arguments that spirv.cpp gives every kernel.
enum SpirvArgument : unsigned { parameters_argument = 0, globals_argument = 1, shared_argument = 2 };
/// SPIR-V's storage classes as LLVM's address spaces, where they differ from the neutral ones.
enum SpirvSpace : unsigned { spirv_private = 0, spirv_global = 1, spirv_shared = 3, spirv_generic = 4 };

/// For kernels whose pointers are mapped already.
void lower_spirv_calls(llvm::Function& kernel);

} // namespace ptx::code

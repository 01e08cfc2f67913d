#pragma once

#include "ptx/matrix_form.h"

namespace llvm {
class Function;
class Module;
} // namespace llvm

/// For each form of matrix multiplication a function made of device_library/amdgpu_matrix.cpp, which has code for all.
namespace ptx::code {

/// What they are called, before MatrixForm::encode.
constexpr const char* matrix_function_prefix = "cuttle_gpu_multiply_";

/// Takes the lane's registers, as cuttle.mma does, and gives those of D. Forms whose layouts alone differ share one, where
/// elements are in the same registers.
llvm::Function* matrix_function(llvm::Module&, MatrixForm);

/// Once the library is linked: leaves of it, in each of those functions, what the form needs. LLVM would optimise the code
/// for all forms first.
void specialize_matrices(llvm::Module&);

} // namespace ptx::code

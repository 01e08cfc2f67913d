#pragma once

namespace llvm {
class Module;
class Value;
} // namespace llvm

namespace ptx::code {

struct GpuCall;

/// cuttle.mma.*: a call of a function for the form, made of device_library/amdgpu_matrix.cpp, that all calls of the
/// module share: it is long.
llvm::Value* lower_amdgpu_matrix(GpuCall&);

/// Once the library is linked: leaves of it, in each of those functions, what the form needs. LLVM would optimise the code
/// for all forms first.
void specialize_matrices(llvm::Module&);

} // namespace ptx::code

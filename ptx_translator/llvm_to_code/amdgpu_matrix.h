#pragma once

namespace llvm {
class Value;
}

namespace ptx::code {

struct GpuCall;

/// cuttle.mma.*: a call of a function for the form, made of device_library/amdgpu_matrix.cpp, that all calls of the
/// module share: it is long.
llvm::Value* lower_amdgpu_matrix(GpuCall&);

} // namespace ptx::code

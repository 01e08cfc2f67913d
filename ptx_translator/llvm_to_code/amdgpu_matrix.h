#pragma once

namespace llvm {
class Value;
} // namespace llvm

namespace ptx::code {

struct GpuCall;

/// cuttle.mma.*: a call of matrix_functions.h, of a function that all calls of the module share: it is long.
llvm::Value* lower_amdgpu_matrix(GpuCall&);

} // namespace ptx::code

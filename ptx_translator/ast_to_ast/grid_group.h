#pragma once

#include "ast/ast.h"

#include <string_view>

namespace ptx {

/// The group of all threads of a cooperative launch, as NVIDIA's libcudadevrt asks the driver for it: PTX of the
/// functions
/// __cuda_syscall_CGS_* behind cudaCGGetIntrinsicHandle, cudaCGSynchronize, cudaCGSynchronizeGrid, cudaCGGetSize and
/// cudaCGGetRank, by which Numba's cg.this_grid().sync() works. Empty when the module declares none of them. Handles,
/// sizes and ranks are those that an H100 gives.
std::string_view grid_group_functions(const Module&);

} // namespace ptx

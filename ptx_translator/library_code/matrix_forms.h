#pragma once

#include "ptx/matrix_form.h"

#include <vector>

namespace ptx {

/// The forms of matrix multiplication that kernels call as machine code: what nvcc makes of wmma and libraries write as
/// mma, dense ones of Hopper's own types. Others are translated with their kernel.
std::vector<MatrixForm> matrix_forms();

} // namespace ptx

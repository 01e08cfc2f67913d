#pragma once

#include "api/types.h"
#include "rt/array.h"

namespace shim {

/// The object behind an array's handle. Throws invalid_handle.
rt::Array& array_of(CUarray);
rt::MipmappedArray& mipmap_of(CUmipmappedArray);
rt::ArrayShape shape_of(const CUDA_ARRAY3D_DESCRIPTOR&);

} // namespace shim

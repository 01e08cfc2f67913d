#pragma once

#include "api/types.h"
#include "rt/stream.h"

namespace shim {

/// CUDA's rules about when a copy call returns. CUDA driver API, "API synchronization behavior".
/// Waits until the copy is done.
void copy_now(const rt::backend::Copy&, rt::Stream&);
/// Returns at once, except for pageable host memory: its source is read, its destination written, before it returns.
void copy_later(const rt::backend::Copy&, rt::Stream&);

/// Throws invalid_value unless the device may use these bytes: they lie in an allocation, or in the host's memory.
void check_device_range(CUdeviceptr address, size_t bytes);

/// A checked box copy; nothing to copy gives a width of 0. Throws invalid_value, invalid_handle (arrays).
rt::backend::Copy box_of(const CUDA_MEMCPY2D&);
rt::backend::Copy box_of(const CUDA_MEMCPY3D&);

/// A checked fill of `height` rows; nothing to fill gives a width of 0. Throws invalid_value.
rt::backend::Fill fill_of(CUdeviceptr to, size_t pitch, uint32_t value, uint32_t element_bytes, size_t width,
                          size_t height);

} // namespace shim

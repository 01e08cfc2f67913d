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

/// A copy of one row. The sides that are a device's are checked. Throws invalid_value.
rt::backend::Copy plain(uint64_t to, bool to_device, uint64_t from, bool from_device, size_t bytes);
/// Each side may be any memory of the process, and must be some.
inline rt::backend::Copy unified(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
    return plain(to, true, from, true, bytes);
}

/// A checked box copy; nothing to copy gives a width of 0. Throws invalid_value, invalid_handle (arrays).
rt::backend::Copy box_of(const CUDA_MEMCPY2D&);
rt::backend::Copy box_of(const CUDA_MEMCPY3D&);
/// Extents are in texels where there is an array on a side, else in bytes.
rt::backend::Copy box_of(const CUDA_MEMCPY3D_BATCH_OP&);

/// A checked fill of `height` rows; nothing to fill gives a width of 0. Throws invalid_value.
rt::backend::Fill fill_of(CUdeviceptr to, size_t pitch, uint32_t value, uint32_t element_bytes, size_t width,
                          size_t height);

} // namespace shim

#pragma once

#include "api/types.h"
#include "ptx/texture_abi.h"

namespace rt {
class Context;
}

namespace shim {

/// What the device reads of a texture: CUDA driver API, cuTexObjectCreate, with the limits that an H100 has. Throws
/// invalid_value, invalid_handle, not_supported.
ptx::texture::Descriptor texture_descriptor(const CUDA_RESOURCE_DESC&, const CUDA_TEXTURE_DESC&,
                                            const CUDA_RESOURCE_VIEW_DESC* view_or_null);
/// The same of a surface, which is always an array.
ptx::texture::Descriptor surface_descriptor(const CUDA_RESOURCE_DESC&);

/// Puts it into memory that the host writes and the device reads; returns the handle that kernels take.
uint64_t publish(rt::Context&, const ptx::texture::Descriptor&);
/// Takes it away again; nothing happens when it went with its context.
void withdraw(rt::Context&, uint64_t handle);

} // namespace shim

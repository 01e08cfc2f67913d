#pragma once

#include "runtime_api/types.h"

namespace cudart {

/// How the driver says what the runtime says with bits per channel.
struct ElementFormat {
    CUarray_format format;
    unsigned int channels;
};

/// Throws cudaErrorInvalidChannelDescriptor for what is no element of an array: 1, 2 or 4 channels of the same 8, 16 or
/// 32 bits. CUDA runtime API, cudaCreateChannelDesc.
ElementFormat format_of(const cudaChannelFormatDesc&);
/// Throws cudaErrorInvalidChannelDescriptor for formats that the runtime has no bits for.
cudaChannelFormatDesc channels_of(CUarray_format format, unsigned int channels);

} // namespace cudart

#pragma once

#include "runtime_api/types.h"

namespace cudart {

/// What each end of a copy in direction `kind` is to the driver, a CUmemorytype; the address decides for
/// cudaMemcpyDefault. Throws cudaErrorInvalidMemcpyDirection.
struct Ends {
    CUmemorytype source, destination;
};
Ends ends_of(cudaMemcpyKind kind);

/// One end of a copy of a box.
struct Place {
    const void* pointer = nullptr; ///< where array is null
    size_t pitch = 0, height = 0;  ///< bytes of a row, rows of a slice; pointers only
    cudaArray_t array = nullptr;
    size_t x = 0, y = 0, z = 0; ///< bytes, rows, slices
};

/// The driver's description of a copy of width bytes * height rows * depth slices.
/// Throws cudaErrorInvalidPitchValue where a row is longer than its pitch.
CUDA_MEMCPY3D box(const Place& source, const Place& destination, cudaExtent bytes, cudaMemcpyKind kind);
/// cudaMemcpy3D's own description turned into the driver's, and back.
CUDA_MEMCPY3D box(const cudaMemcpy3DParms&);
cudaMemcpy3DParms runtime_box(const CUDA_MEMCPY3D&);
/// A copy of `bytes` in a row, as a graph's node has it.
CUDA_MEMCPY3D row(void* destination, const void* source, size_t bytes, cudaMemcpyKind kind);
/// Bytes of an element of `array`.
size_t element_bytes(cudaArray_t array);

/// The address of `bytes` at `offset` in a variable. Throws cudaErrorInvalidValue where they are not all in it.
void* in_symbol(const void* symbol, size_t bytes, size_t offset);

} // namespace cudart

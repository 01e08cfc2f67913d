#include "runtime_api/bodies.h"

namespace cudart::body {
namespace {

CUdeviceptr address(const void* pointer) { return reinterpret_cast<CUdeviceptr>(pointer); }

/// Calls `fill(slice's address)` for each slice of a box.
template <class Fill> void for_slices(const cudaPitchedPtr& box, const cudaExtent& extent, Fill fill) {
    if (!extent.width || !extent.height) return;
    for (size_t z = 0; z < extent.depth; ++z) fill(address(box.ptr) + z * box.pitch * box.ysize);
}

} // namespace

void cudaMemset(void* devPtr, int value, size_t count) {
    if (count) check(CUDART_PTDS(cuMemsetD8_v2)(address(devPtr), static_cast<unsigned char>(value), count));
}

void cudaMemsetAsync(void* devPtr, int value, size_t count, cudaStream_t stream) {
    if (count) check(cuMemsetD8Async(address(devPtr), static_cast<unsigned char>(value), count, effective(stream)));
}

void cudaMemset2D(void* devPtr, size_t pitch, int value, size_t width, size_t height) {
    if (width && height)
        check(CUDART_PTDS(cuMemsetD2D8_v2)(address(devPtr), pitch, static_cast<unsigned char>(value), width, height));
}

void cudaMemset2DAsync(void* devPtr, size_t pitch, int value, size_t width, size_t height, cudaStream_t stream) {
    if (width && height)
        check(cuMemsetD2D8Async(address(devPtr), pitch, static_cast<unsigned char>(value), width, height,
                                effective(stream)));
}

void cudaMemset3D(cudaPitchedPtr pitchedDevPtr, int value, cudaExtent extent) {
    for_slices(pitchedDevPtr, extent, [&](CUdeviceptr slice) {
        check(CUDART_PTDS(cuMemsetD2D8_v2)(slice, pitchedDevPtr.pitch, static_cast<unsigned char>(value), extent.width,
                                           extent.height));
    });
}

void cudaMemset3DAsync(cudaPitchedPtr pitchedDevPtr, int value, cudaExtent extent, cudaStream_t stream) {
    for_slices(pitchedDevPtr, extent, [&](CUdeviceptr slice) {
        check(cuMemsetD2D8Async(slice, pitchedDevPtr.pitch, static_cast<unsigned char>(value), extent.width,
                                extent.height, effective(stream)));
    });
}

} // namespace cudart::body

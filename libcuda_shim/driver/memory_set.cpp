#include "api/bodies.h"
#include "driver/copies.h"
#include "driver/handles.h"
#include "rt/memory.h"

namespace shim {
namespace {

using rt::backend::Fill;

Status later(const Fill& fill, CUstream stream) {
    if (fill.width) stream_of(stream).fill(fill);
    return Status::success;
}

// The call returns early for device memory only: the host may look at the rest at once.
Status now(const Fill& fill) {
    rt::Stream& stream = stream_of(nullptr);
    if (!fill.width) return Status::success;
    stream.fill(fill);
    const auto found = rt::memory::find(fill.destination);
    if (!found || found->kind != rt::backend::MemoryKind::device) stream.synchronize();
    return Status::success;
}

} // namespace

Status driver::cuMemsetD8_v2(CUdeviceptr to, unsigned char value, size_t count) {
    return now(fill_of(to, 0, value, 1, count, 1));
}

Status driver::cuMemsetD16_v2(CUdeviceptr to, unsigned short value, size_t count) {
    return now(fill_of(to, 0, value, 2, count, 1));
}

Status driver::cuMemsetD32_v2(CUdeviceptr to, unsigned int value, size_t count) {
    return now(fill_of(to, 0, value, 4, count, 1));
}

Status driver::cuMemsetD2D8_v2(CUdeviceptr to, size_t pitch, unsigned char value, size_t width, size_t height) {
    return now(fill_of(to, pitch, value, 1, width, height));
}

Status driver::cuMemsetD2D16_v2(CUdeviceptr to, size_t pitch, unsigned short value, size_t width, size_t height) {
    return now(fill_of(to, pitch, value, 2, width, height));
}

Status driver::cuMemsetD2D32_v2(CUdeviceptr to, size_t pitch, unsigned int value, size_t width, size_t height) {
    return now(fill_of(to, pitch, value, 4, width, height));
}

Status driver::cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count, CUstream stream) {
    return later(fill_of(to, 0, value, 1, count, 1), stream);
}

Status driver::cuMemsetD16Async(CUdeviceptr to, unsigned short value, size_t count, CUstream stream) {
    return later(fill_of(to, 0, value, 2, count, 1), stream);
}

Status driver::cuMemsetD32Async(CUdeviceptr to, unsigned int value, size_t count, CUstream stream) {
    return later(fill_of(to, 0, value, 4, count, 1), stream);
}

Status driver::cuMemsetD2D8Async(CUdeviceptr to, size_t pitch, unsigned char value, size_t width, size_t height,
                                 CUstream stream) {
    return later(fill_of(to, pitch, value, 1, width, height), stream);
}

Status driver::cuMemsetD2D16Async(CUdeviceptr to, size_t pitch, unsigned short value, size_t width, size_t height,
                                  CUstream stream) {
    return later(fill_of(to, pitch, value, 2, width, height), stream);
}

Status driver::cuMemsetD2D32Async(CUdeviceptr to, size_t pitch, unsigned int value, size_t width, size_t height,
                                  CUstream stream) {
    return later(fill_of(to, pitch, value, 4, width, height), stream);
}

} // namespace shim

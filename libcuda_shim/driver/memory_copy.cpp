#include "api/bodies.h"
#include "api/constants.h"
#include "driver/copies.h"
#include "driver/handles.h"
#include "rt/graph.h"

#include <cstring>

namespace shim {
namespace {

using rt::backend::Copy;

uint64_t address(const void* pointer) { return uint64_t(pointer); }

template <class Box> Copy box(const Box* descriptor) { return box_of(out(const_cast<Box*>(descriptor), "pCopy")); }

Copy peer_box(const CUDA_MEMCPY3D_PEER* descriptor) {
    const auto& peer = *descriptor;
    if (peer.srcContext) context_of(peer.srcContext);
    if (peer.dstContext) context_of(peer.dstContext);
    // Contexts stand where the other descriptor has reserved words; all else is the same.
    CUDA_MEMCPY3D plain_box;
    static_assert(sizeof plain_box == sizeof peer);
    std::memcpy(&plain_box, descriptor, sizeof plain_box);
    return box_of(plain_box);
}

Status now(const Copy& copy) {
    copy_now(copy, stream_of(nullptr));
    return Status::success;
}

Status later(const Copy& copy, CUstream stream) {
    copy_later(copy, stream_of(stream));
    return Status::success;
}

} // namespace

Status driver::cuMemcpy(CUdeviceptr to, CUdeviceptr from, size_t bytes) { return now(unified(to, from, bytes)); }

Status driver::cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
    return later(unified(to, from, bytes), stream);
}

Status driver::cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t bytes) {
    return now(plain(to, true, address(from), false, bytes));
}

Status driver::cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t bytes) {
    return now(plain(address(to), false, from, true, bytes));
}

// Between two places on a device the call does not wait. CUDA driver API, "API synchronization behavior".
Status driver::cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
    return later(plain(to, true, from, true, bytes), nullptr);
}

Status driver::cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t bytes, CUstream stream) {
    return later(plain(to, true, address(from), false, bytes), stream);
}

Status driver::cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t bytes, CUstream stream) {
    return later(plain(address(to), false, from, true, bytes), stream);
}

Status driver::cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
    return later(plain(to, true, from, true, bytes), stream);
}

Status driver::cuMemcpyPeer(CUdeviceptr to, CUcontext to_context, CUdeviceptr from, CUcontext from_context,
                            size_t bytes) {
    return cuMemcpyPeerAsync(to, to_context, from, from_context, bytes, nullptr);
}

Status driver::cuMemcpyPeerAsync(CUdeviceptr to, CUcontext to_context, CUdeviceptr from, CUcontext from_context,
                                 size_t bytes, CUstream stream) {
    context_or_current(to_context);
    context_or_current(from_context);
    rt::capture::forbid(stream_of(stream));
    return later(plain(to, true, from, true, bytes), stream);
}

Status driver::cuMemcpy2D_v2(const CUDA_MEMCPY2D* descriptor) { return now(box(descriptor)); }

Status driver::cuMemcpy2DUnaligned_v2(const CUDA_MEMCPY2D* descriptor) { return now(box(descriptor)); }

Status driver::cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D* descriptor, CUstream stream) {
    return later(box(descriptor), stream);
}

Status driver::cuMemcpy3D_v2(const CUDA_MEMCPY3D* descriptor) { return now(box(descriptor)); }

Status driver::cuMemcpy3DAsync_v2(const CUDA_MEMCPY3D* descriptor, CUstream stream) {
    return later(box(descriptor), stream);
}

Status driver::cuMemcpy3DPeer(const CUDA_MEMCPY3D_PEER* descriptor) {
    require_value(descriptor, "pCopy is null");
    return now(peer_box(descriptor));
}

Status driver::cuMemcpy3DPeerAsync(const CUDA_MEMCPY3D_PEER* descriptor, CUstream stream) {
    require_value(descriptor, "pCopy is null");
    const Copy copy = peer_box(descriptor);
    rt::capture::forbid(stream_of(stream));
    return later(copy, stream);
}

} // namespace shim

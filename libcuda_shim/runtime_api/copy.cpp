#include "runtime_api/copy.h"

#include "api/constants.h"
#include "runtime_api/bodies.h"
#include "runtime_api/channel.h"
#include "runtime_api/context.h"
#include "runtime_api/registry.h"

#include <algorithm>
#include <vector>

namespace cudart {

Ends ends_of(cudaMemcpyKind kind) {
    switch (kind) {
    case cudaMemcpyHostToHost:
        return {CU_MEMORYTYPE_HOST, CU_MEMORYTYPE_HOST};
    case cudaMemcpyHostToDevice:
        return {CU_MEMORYTYPE_HOST, CU_MEMORYTYPE_DEVICE};
    case cudaMemcpyDeviceToHost:
        return {CU_MEMORYTYPE_DEVICE, CU_MEMORYTYPE_HOST};
    case cudaMemcpyDeviceToDevice:
        return {CU_MEMORYTYPE_DEVICE, CU_MEMORYTYPE_DEVICE};
    case cudaMemcpyDefault:
        return {CU_MEMORYTYPE_UNIFIED, CU_MEMORYTYPE_UNIFIED};
    }
    throw Failure{cudaErrorInvalidMemcpyDirection};
}

CUDA_MEMCPY3D box(const Place& source, const Place& destination, cudaExtent bytes, cudaMemcpyKind kind) {
    const Ends ends = ends_of(kind);
    CUDA_MEMCPY3D copy{};
    copy.WidthInBytes = bytes.width, copy.Height = bytes.height, copy.Depth = bytes.depth;
    copy.srcXInBytes = source.x, copy.srcY = source.y, copy.srcZ = source.z;
    copy.dstXInBytes = destination.x, copy.dstY = destination.y, copy.dstZ = destination.z;
    const bool rows = bytes.height > 1 || bytes.depth > 1;
    if (source.array) {
        copy.srcMemoryType = CU_MEMORYTYPE_ARRAY;
        copy.srcArray = source.array;
    } else {
        require(!rows || bytes.width <= source.pitch, cudaErrorInvalidPitchValue);
        copy.srcMemoryType = ends.source;
        copy.srcHost = source.pointer;
        copy.srcDevice = reinterpret_cast<CUdeviceptr>(source.pointer);
        copy.srcPitch = source.pitch, copy.srcHeight = source.height;
    }
    if (destination.array) {
        copy.dstMemoryType = CU_MEMORYTYPE_ARRAY;
        copy.dstArray = destination.array;
    } else {
        require(!rows || bytes.width <= destination.pitch, cudaErrorInvalidPitchValue);
        copy.dstMemoryType = ends.destination;
        copy.dstHost = const_cast<void*>(destination.pointer);
        copy.dstDevice = reinterpret_cast<CUdeviceptr>(destination.pointer);
        copy.dstPitch = destination.pitch, copy.dstHeight = destination.height;
    }
    return copy;
}

size_t element_bytes(cudaArray_t array) {
    CUDA_ARRAY3D_DESCRIPTOR descriptor{};
    check(cuArray3DGetDescriptor_v2(&descriptor, array));
    const cudaChannelFormatDesc channels = channels_of(descriptor.Format, descriptor.NumChannels);
    return size_t(channels.x + channels.y + channels.z + channels.w) / 8;
}

CUDA_MEMCPY3D box(const cudaMemcpy3DParms& from) {
    require(!from.srcArray || !from.srcPtr.ptr, cudaErrorInvalidValue);
    require(!from.dstArray || !from.dstPtr.ptr, cudaErrorInvalidValue);
    require((from.srcArray || from.srcPtr.ptr) && (from.dstArray || from.dstPtr.ptr), cudaErrorInvalidValue);
    const size_t source_element = from.srcArray ? element_bytes(from.srcArray) : 1;
    const size_t destination_element = from.dstArray ? element_bytes(from.dstArray) : 1;
    // The extent counts elements of the array that takes part, else bytes.
    const size_t element = from.srcArray ? source_element : destination_element;
    require(!from.srcArray || !from.dstArray || source_element == destination_element, cudaErrorInvalidValue);
    const Place source{
        from.srcPtr.ptr, from.srcPtr.pitch, from.srcPtr.ysize, from.srcArray, from.srcPos.x * source_element,
        from.srcPos.y,   from.srcPos.z};
    const Place destination{
        from.dstPtr.ptr, from.dstPtr.pitch, from.dstPtr.ysize, from.dstArray, from.dstPos.x * destination_element,
        from.dstPos.y,   from.dstPos.z};
    return box(source, destination, {from.extent.width * element, from.extent.height, from.extent.depth}, from.kind);
}

cudaMemcpy3DParms runtime_box(const CUDA_MEMCPY3D& from) {
    cudaMemcpy3DParms to{};
    size_t source_element = 1, destination_element = 1;
    const auto pointer = [](CUmemorytype type, const void* host, CUdeviceptr device) {
        return type == CU_MEMORYTYPE_HOST ? const_cast<void*>(host) : reinterpret_cast<void*>(device);
    };
    if (from.srcMemoryType == CU_MEMORYTYPE_ARRAY) {
        to.srcArray = from.srcArray;
        source_element = element_bytes(from.srcArray);
    } else {
        to.srcPtr = {pointer(from.srcMemoryType, from.srcHost, from.srcDevice), from.srcPitch, 0, from.srcHeight};
    }
    if (from.dstMemoryType == CU_MEMORYTYPE_ARRAY) {
        to.dstArray = from.dstArray;
        destination_element = element_bytes(from.dstArray);
    } else {
        to.dstPtr = {pointer(from.dstMemoryType, from.dstHost, from.dstDevice), from.dstPitch, 0, from.dstHeight};
    }
    to.srcPos = {from.srcXInBytes / source_element, from.srcY, from.srcZ};
    to.dstPos = {from.dstXInBytes / destination_element, from.dstY, from.dstZ};
    to.extent = {from.WidthInBytes / (to.srcArray ? source_element : destination_element), from.Height, from.Depth};
    const bool from_host = from.srcMemoryType == CU_MEMORYTYPE_HOST, to_host = from.dstMemoryType == CU_MEMORYTYPE_HOST;
    if (from.srcMemoryType == CU_MEMORYTYPE_UNIFIED || from.dstMemoryType == CU_MEMORYTYPE_UNIFIED) {
        to.kind = cudaMemcpyDefault;
    } else {
        to.kind = cudaMemcpyKind((from_host ? 0 : 2) + (to_host ? 0 : 1));
    }
    return to;
}

CUDA_MEMCPY3D row(void* destination, const void* source, size_t bytes, cudaMemcpyKind kind) {
    return box({source, bytes, 1}, {destination, bytes, 1}, {bytes, 1, 1}, kind);
}

void* in_symbol(const void* symbol, size_t bytes, size_t offset) {
    const auto [start, size] = Registry::get().variable(symbol);
    require(offset <= size && bytes <= size - offset, cudaErrorInvalidValue);
    return reinterpret_cast<void*>(start + offset);
}

namespace body {
namespace {

CUdeviceptr address(const void* pointer) { return reinterpret_cast<CUdeviceptr>(pointer); }

void copy_box(const CUDA_MEMCPY3D& copy) {
    if (copy.WidthInBytes && copy.Height && copy.Depth) check(CUDART_PTDS(cuMemcpy3D_v2)(&copy));
}

void copy_box(const CUDA_MEMCPY3D& copy, cudaStream_t stream) {
    if (copy.WidthInBytes && copy.Height && copy.Depth) check(cuMemcpy3DAsync_v2(&copy, effective(stream)));
}

bool is_empty(const cudaExtent& extent) { return !extent.width || !extent.height || !extent.depth; }

void require_to_device(cudaMemcpyKind kind) {
    require(kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice || kind == cudaMemcpyDefault,
            cudaErrorInvalidMemcpyDirection);
}

void require_from_device(cudaMemcpyKind kind) {
    require(kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice || kind == cudaMemcpyDefault,
            cudaErrorInvalidMemcpyDirection);
}

/// Calls `copy(place, box in bytes, bytes before it)` for the boxes that `count` bytes in a row make of an array: the
/// rest of the first row, whole rows, the start of the last.
template <class Copy> void for_rows(cudaArray_t array, size_t x, size_t y, size_t count, Copy copy) {
    CUDA_ARRAY3D_DESCRIPTOR descriptor{};
    check(cuArray3DGetDescriptor_v2(&descriptor, array));
    const size_t width = descriptor.Width * element_bytes(array), height = std::max<size_t>(descriptor.Height, 1);
    require(x < width && y < height && count <= (height - y) * width - x, cudaErrorInvalidValue);
    for (size_t done = 0; done < count;) {
        const size_t bytes = std::min(width - x, count - done);
        const size_t rows = bytes == width ? (count - done) / width : 1;
        copy(Place{nullptr, 0, 0, array, x, y}, cudaExtent{bytes, rows, 1}, done);
        done += bytes * rows;
        y += rows;
        x = 0;
    }
}

CUDA_MEMCPY3D_PEER peer_box(const cudaMemcpy3DPeerParms& from) {
    cudaMemcpy3DParms plain{from.srcArray, from.srcPos, from.srcPtr, from.dstArray,
                            from.dstPos,   from.dstPtr, from.extent, cudaMemcpyDeviceToDevice};
    const CUDA_MEMCPY3D copy = box(plain);
    // The two differ by the contexts only, where the plain one has reserved words.
    static_assert(sizeof(CUDA_MEMCPY3D_PEER) == sizeof(CUDA_MEMCPY3D));
    auto peer = __builtin_bit_cast(CUDA_MEMCPY3D_PEER, copy);
    peer.srcContext = primary_context(from.srcDevice);
    peer.dstContext = primary_context(from.dstDevice);
    return peer;
}

} // namespace

void cudaMemcpy(void* dst, const void* src, size_t count, cudaMemcpyKind kind) {
    if (!count) return;
    const Ends ends = ends_of(kind);
    if (kind == cudaMemcpyHostToDevice) {
        check(CUDART_PTDS(cuMemcpyHtoD_v2)(address(dst), src, count));
    } else if (kind == cudaMemcpyDeviceToHost) {
        check(CUDART_PTDS(cuMemcpyDtoH_v2)(dst, address(src), count));
    } else if (ends.source == CU_MEMORYTYPE_DEVICE) {
        check(CUDART_PTDS(cuMemcpyDtoD_v2)(address(dst), address(src), count));
    } else {
        check(CUDART_PTDS(cuMemcpy)(address(dst), address(src), count));
    }
}

void cudaMemcpyAsync(void* dst, const void* src, size_t count, cudaMemcpyKind kind, cudaStream_t stream) {
    if (!count) return;
    const Ends ends = ends_of(kind);
    const cudaStream_t on = effective(stream);
    if (kind == cudaMemcpyHostToDevice) {
        check(cuMemcpyHtoDAsync_v2(address(dst), src, count, on));
    } else if (kind == cudaMemcpyDeviceToHost) {
        check(cuMemcpyDtoHAsync_v2(dst, address(src), count, on));
    } else if (ends.source == CU_MEMORYTYPE_DEVICE) {
        check(cuMemcpyDtoDAsync_v2(address(dst), address(src), count, on));
    } else {
        check(cuMemcpyAsync(address(dst), address(src), count, on));
    }
}

void cudaMemcpyToSymbol(const void* symbol, const void* src, size_t count, size_t offset, cudaMemcpyKind kind) {
    require_to_device(kind);
    cudaMemcpy(in_symbol(symbol, count, offset), src, count, kind);
}

void cudaMemcpyFromSymbol(void* dst, const void* symbol, size_t count, size_t offset, cudaMemcpyKind kind) {
    require_from_device(kind);
    cudaMemcpy(dst, in_symbol(symbol, count, offset), count, kind);
}

void cudaMemcpyToSymbolAsync(const void* symbol, const void* src, size_t count, size_t offset, cudaMemcpyKind kind,
                             cudaStream_t stream) {
    require_to_device(kind);
    cudaMemcpyAsync(in_symbol(symbol, count, offset), src, count, kind, stream);
}

void cudaMemcpyFromSymbolAsync(void* dst, const void* symbol, size_t count, size_t offset, cudaMemcpyKind kind,
                               cudaStream_t stream) {
    require_from_device(kind);
    cudaMemcpyAsync(dst, in_symbol(symbol, count, offset), count, kind, stream);
}

void cudaMemcpyPeer(void* dst, int dstDevice, const void* src, int srcDevice, size_t count) {
    if (count)
        check(cuMemcpyPeer(address(dst), primary_context(dstDevice), address(src), primary_context(srcDevice), count));
}

void cudaMemcpyPeerAsync(void* dst, int dstDevice, const void* src, int srcDevice, size_t count, cudaStream_t stream) {
    if (count)
        check(cuMemcpyPeerAsync(address(dst), primary_context(dstDevice), address(src), primary_context(srcDevice),
                                count, effective(stream)));
}

void cudaMemcpy2D(void* dst, size_t dpitch, const void* src, size_t spitch, size_t width, size_t height,
                  cudaMemcpyKind kind) {
    copy_box(box({src, spitch, height}, {dst, dpitch, height}, {width, height, 1}, kind));
}

void cudaMemcpy2DAsync(void* dst, size_t dpitch, const void* src, size_t spitch, size_t width, size_t height,
                       cudaMemcpyKind kind, cudaStream_t stream) {
    copy_box(box({src, spitch, height}, {dst, dpitch, height}, {width, height, 1}, kind), stream);
}

void cudaMemcpy2DToArray(cudaArray_t dst, size_t wOffset, size_t hOffset, const void* src, size_t spitch, size_t width,
                         size_t height, cudaMemcpyKind kind) {
    copy_box(box({src, spitch, height}, {nullptr, 0, 0, dst, wOffset, hOffset}, {width, height, 1}, kind));
}

void cudaMemcpy2DToArrayAsync(cudaArray_t dst, size_t wOffset, size_t hOffset, const void* src, size_t spitch,
                              size_t width, size_t height, cudaMemcpyKind kind, cudaStream_t stream) {
    copy_box(box({src, spitch, height}, {nullptr, 0, 0, dst, wOffset, hOffset}, {width, height, 1}, kind), stream);
}

void cudaMemcpy2DFromArray(void* dst, size_t dpitch, cudaArray_const_t src, size_t wOffset, size_t hOffset,
                           size_t width, size_t height, cudaMemcpyKind kind) {
    copy_box(box({nullptr, 0, 0, src, wOffset, hOffset}, {dst, dpitch, height}, {width, height, 1}, kind));
}

void cudaMemcpy2DFromArrayAsync(void* dst, size_t dpitch, cudaArray_const_t src, size_t wOffset, size_t hOffset,
                                size_t width, size_t height, cudaMemcpyKind kind, cudaStream_t stream) {
    copy_box(box({nullptr, 0, 0, src, wOffset, hOffset}, {dst, dpitch, height}, {width, height, 1}, kind), stream);
}

void cudaMemcpy2DArrayToArray(cudaArray_t dst, size_t wOffsetDst, size_t hOffsetDst, cudaArray_const_t src,
                              size_t wOffsetSrc, size_t hOffsetSrc, size_t width, size_t height, cudaMemcpyKind kind) {
    copy_box(box({nullptr, 0, 0, src, wOffsetSrc, hOffsetSrc}, {nullptr, 0, 0, dst, wOffsetDst, hOffsetDst},
                 {width, height, 1}, kind));
}

void cudaMemcpyToArray(cudaArray_t dst, size_t wOffset, size_t hOffset, const void* src, size_t count,
                       cudaMemcpyKind kind) {
    for_rows(dst, wOffset, hOffset, count, [&](const Place& place, cudaExtent bytes, size_t done) {
        copy_box(box({static_cast<const char*>(src) + done, bytes.width, bytes.height}, place, bytes, kind));
    });
}

void cudaMemcpyToArrayAsync(cudaArray_t dst, size_t wOffset, size_t hOffset, const void* src, size_t count,
                            cudaMemcpyKind kind, cudaStream_t stream) {
    for_rows(dst, wOffset, hOffset, count, [&](const Place& place, cudaExtent bytes, size_t done) {
        copy_box(box({static_cast<const char*>(src) + done, bytes.width, bytes.height}, place, bytes, kind), stream);
    });
}

void cudaMemcpyArrayToArray(cudaArray_t dst, size_t wOffsetDst, size_t hOffsetDst, cudaArray_const_t src,
                            size_t wOffsetSrc, size_t hOffsetSrc, size_t count, cudaMemcpyKind kind) {
    require(kind == cudaMemcpyDeviceToDevice || kind == cudaMemcpyDefault, cudaErrorInvalidMemcpyDirection);
    // Rows of the two may end at different places.
    std::vector<char> between(count);
    cudaMemcpyFromArray(between.data(), src, wOffsetSrc, hOffsetSrc, count, cudaMemcpyDeviceToHost);
    cudaMemcpyToArray(dst, wOffsetDst, hOffsetDst, between.data(), count, cudaMemcpyHostToDevice);
}

void cudaMemcpyFromArray(void* dst, cudaArray_const_t src, size_t wOffset, size_t hOffset, size_t count,
                         cudaMemcpyKind kind) {
    for_rows(src, wOffset, hOffset, count, [&](const Place& place, cudaExtent bytes, size_t done) {
        copy_box(box(place, {static_cast<char*>(dst) + done, bytes.width, bytes.height}, bytes, kind));
    });
}

void cudaMemcpyFromArrayAsync(void* dst, cudaArray_const_t src, size_t wOffset, size_t hOffset, size_t count,
                              cudaMemcpyKind kind, cudaStream_t stream) {
    for_rows(src, wOffset, hOffset, count, [&](const Place& place, cudaExtent bytes, size_t done) {
        copy_box(box(place, {static_cast<char*>(dst) + done, bytes.width, bytes.height}, bytes, kind), stream);
    });
}

void cudaMemcpy3D(const cudaMemcpy3DParms* p) {
    require(p, cudaErrorInvalidValue);
    if (!is_empty(p->extent)) copy_box(box(*p));
}

void cudaMemcpy3DAsync(const cudaMemcpy3DParms* p, cudaStream_t stream) {
    require(p, cudaErrorInvalidValue);
    if (!is_empty(p->extent)) copy_box(box(*p), stream);
}

void cudaMemcpy3DPeer(const cudaMemcpy3DPeerParms* p) {
    require(p, cudaErrorInvalidValue);
    const CUDA_MEMCPY3D_PEER copy = peer_box(*p);
    check(CUDART_PTDS(cuMemcpy3DPeer)(&copy));
}

void cudaMemcpy3DPeerAsync(const cudaMemcpy3DPeerParms* p, cudaStream_t stream) {
    require(p, cudaErrorInvalidValue);
    const CUDA_MEMCPY3D_PEER copy = peer_box(*p);
    check(cuMemcpy3DPeerAsync(&copy, effective(stream)));
}

} // namespace body
} // namespace cudart

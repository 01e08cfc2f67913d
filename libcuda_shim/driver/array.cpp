#include "driver/array.h"

#include "api/bodies.h"
#include "api/constants.h"
#include "driver/copies.h"
#include "driver/handles.h"

#include <algorithm>

namespace shim {
namespace {

rt::ArrayShape shape_of(const CUDA_ARRAY3D_DESCRIPTOR& d) {
    return {d.Width, d.Height, d.Depth, d.Format, d.NumChannels, d.Flags};
}

const void* null_host(const void* host) {
    require_value(host, "null host address");
    return host;
}

/// Bytes of an array from an offset on, as if its rows followed one another: what the linear array copies see.
struct Linear {
    CUarray array;
    size_t offset;
};

/// The bytes of a row, after a look whether the array has so many.
size_t linear_row(const Linear& side, size_t bytes) {
    const rt::ArrayShape& shape = array_of(side.array).shape();
    const size_t row = shape.width * shape.texel_bytes();
    require_value(side.offset <= row * shape.rows() && bytes <= row * shape.rows() - side.offset,
                  "copy beyond the end of the array");
    return row;
}

/// Copies `bytes` between an array and memory in up to three boxes: the end of a row, whole rows, the start of one.
template <class Send> void linear_copy(const Linear& side, size_t bytes, Send send) {
    const size_t row = linear_row(side, bytes);
    for (size_t done = 0; done < bytes;) {
        const size_t at = side.offset + done, x = at % row;
        const size_t left = bytes - done;
        const size_t rows = x == 0 && left >= row ? left / row : 1;
        const size_t width = rows > 1 ? row : std::min(row - x, left);
        send(x, at / row, done, width, rows);
        done += width * rows;
    }
}

template <class Copy> Status to_array(const Linear& to, size_t bytes, Copy fill, CUstream stream, bool wait) {
    linear_copy(to, bytes, [&](size_t x, size_t y, size_t done, size_t width, size_t rows) {
        CUDA_MEMCPY2D box = {};
        fill(box, done, width);
        box.dstMemoryType = CU_MEMORYTYPE_ARRAY;
        box.dstArray = to.array;
        box.dstXInBytes = x;
        box.dstY = y;
        box.WidthInBytes = width;
        box.Height = rows;
        wait ? copy_now(box_of(box), stream_of(stream)) : copy_later(box_of(box), stream_of(stream));
    });
    return Status::success;
}

template <class Copy> Status from_array(const Linear& from, size_t bytes, Copy fill, CUstream stream, bool wait) {
    linear_copy(from, bytes, [&](size_t x, size_t y, size_t done, size_t width, size_t rows) {
        CUDA_MEMCPY2D box = {};
        fill(box, done, width);
        box.srcMemoryType = CU_MEMORYTYPE_ARRAY;
        box.srcArray = from.array;
        box.srcXInBytes = x;
        box.srcY = y;
        box.WidthInBytes = width;
        box.Height = rows;
        wait ? copy_now(box_of(box), stream_of(stream)) : copy_later(box_of(box), stream_of(stream));
    });
    return Status::success;
}

auto from_host(const void* host) {
    null_host(host);
    return [host](CUDA_MEMCPY2D& box, size_t done, size_t width) {
        box.srcMemoryType = CU_MEMORYTYPE_HOST;
        box.srcHost = static_cast<const char*>(host) + done;
        box.srcPitch = width;
    };
}

auto to_host(void* host) {
    null_host(host);
    return [host](CUDA_MEMCPY2D& box, size_t done, size_t width) {
        box.dstMemoryType = CU_MEMORYTYPE_HOST;
        box.dstHost = static_cast<char*>(host) + done;
        box.dstPitch = width;
    };
}

} // namespace

rt::Array& array_of(CUarray array) {
    if (auto* object = rt::handle_cast<rt::Array>(array)) return *object;
    throw Error(Status::invalid_handle, "no such array");
}

rt::MipmappedArray& mipmap_of(CUmipmappedArray array) {
    if (auto* object = rt::handle_cast<rt::MipmappedArray>(array)) return *object;
    throw Error(Status::invalid_handle, "no such mipmapped array");
}

Status driver::cuArray3DCreate_v2(CUarray* array, const CUDA_ARRAY3D_DESCRIPTOR* descriptor) {
    require_value(array && descriptor, "null pointer");
    *array = handle<CUarray>(*new rt::Array(rt::Context::current(), shape_of(*descriptor)));
    return Status::success;
}

Status driver::cuArrayCreate_v2(CUarray* array, const CUDA_ARRAY_DESCRIPTOR* d) {
    require_value(array && d, "null pointer");
    const rt::ArrayShape shape{d->Width, d->Height, 0, d->Format, d->NumChannels, 0};
    *array = handle<CUarray>(*new rt::Array(rt::Context::current(), shape));
    return Status::success;
}

Status driver::cuArrayDestroy(CUarray array) {
    rt::Array& object = array_of(array);
    if (!object.of_mipmap()) delete &object; // a level goes with its mipmapped array
    return Status::success;
}

Status driver::cuArray3DGetDescriptor_v2(CUDA_ARRAY3D_DESCRIPTOR* descriptor, CUarray array) {
    const rt::ArrayShape& s = array_of(array).shape();
    out(descriptor, "pArrayDescriptor") = {s.width, s.height, s.depth, s.format, s.channels, s.flags};
    return Status::success;
}

Status driver::cuArrayGetDescriptor_v2(CUDA_ARRAY_DESCRIPTOR* descriptor, CUarray array) {
    const rt::ArrayShape& s = array_of(array).shape();
    out(descriptor, "pArrayDescriptor") = {s.width, s.height, s.format, s.channels};
    return Status::success;
}

Status driver::cuMipmappedArrayCreate(CUmipmappedArray* array, const CUDA_ARRAY3D_DESCRIPTOR* descriptor,
                                      unsigned levels) {
    require_value(array && descriptor, "null pointer");
    *array = handle<CUmipmappedArray>(*new rt::MipmappedArray(rt::Context::current(), shape_of(*descriptor), levels));
    return Status::success;
}

Status driver::cuMipmappedArrayGetLevel(CUarray* level, CUmipmappedArray array, unsigned number) {
    auto& levels = mipmap_of(array).levels();
    require_value(number < levels.size(), "no such level");
    out(level, "pLevelArray") = handle<CUarray>(*levels[number]);
    return Status::success;
}

Status driver::cuMipmappedArrayDestroy(CUmipmappedArray array) {
    delete &mipmap_of(array);
    return Status::success;
}

Status driver::cuMemcpyHtoA_v2(CUarray to, size_t offset, const void* from, size_t bytes) {
    return to_array({to, offset}, bytes, from_host(from), nullptr, true);
}

Status driver::cuMemcpyHtoAAsync_v2(CUarray to, size_t offset, const void* from, size_t bytes, CUstream stream) {
    return to_array({to, offset}, bytes, from_host(from), stream, false);
}

Status driver::cuMemcpyAtoH_v2(void* to, CUarray from, size_t offset, size_t bytes) {
    return from_array({from, offset}, bytes, to_host(to), nullptr, true);
}

Status driver::cuMemcpyAtoHAsync_v2(void* to, CUarray from, size_t offset, size_t bytes, CUstream stream) {
    return from_array({from, offset}, bytes, to_host(to), stream, false);
}

Status driver::cuMemcpyDtoA_v2(CUarray to, size_t offset, CUdeviceptr from, size_t bytes) {
    const auto fill = [from](CUDA_MEMCPY2D& box, size_t done, size_t width) {
        box.srcMemoryType = CU_MEMORYTYPE_DEVICE;
        box.srcDevice = from + done;
        box.srcPitch = width;
    };
    return to_array({to, offset}, bytes, fill, nullptr, false);
}

Status driver::cuMemcpyAtoD_v2(CUdeviceptr to, CUarray from, size_t offset, size_t bytes) {
    const auto fill = [to](CUDA_MEMCPY2D& box, size_t done, size_t width) {
        box.dstMemoryType = CU_MEMORYTYPE_DEVICE;
        box.dstDevice = to + done;
        box.dstPitch = width;
    };
    return from_array({from, offset}, bytes, fill, nullptr, false);
}

Status driver::cuMemcpyAtoA_v2(CUarray to, size_t to_offset, CUarray from, size_t from_offset, size_t bytes) {
    const size_t to_row = linear_row({to, to_offset}, bytes), from_row = linear_row({from, from_offset}, bytes);
    for (size_t done = 0; done < bytes;) {
        const size_t to_x = (to_offset + done) % to_row, from_x = (from_offset + done) % from_row;
        CUDA_MEMCPY2D box = {};
        box.srcMemoryType = box.dstMemoryType = CU_MEMORYTYPE_ARRAY;
        box.srcArray = from;
        box.srcXInBytes = from_x;
        box.srcY = (from_offset + done) / from_row;
        box.dstArray = to;
        box.dstXInBytes = to_x;
        box.dstY = (to_offset + done) / to_row;
        box.WidthInBytes = std::min({bytes - done, to_row - to_x, from_row - from_x});
        box.Height = 1;
        copy_later(box_of(box), stream_of(nullptr));
        done += box.WidthInBytes;
    }
    return Status::success;
}

// ---- What no array here has: planes, sparse tiles, memory mapped later. An H100 answers so of arrays without them.

Status driver::cuArrayGetPlane(CUarray* plane, CUarray array, unsigned int) {
    (void)array_of(array);
    require_value(plane, "null pointer");
    throw Error(Status::invalid_value, "the array has no planes");
}

Status driver::cuArrayGetSparseProperties(CUDA_ARRAY_SPARSE_PROPERTIES* properties, CUarray array) {
    (void)array_of(array);
    require_value(properties, "null pointer");
    throw Error(Status::invalid_value, "the array is not sparse");
}

Status driver::cuMipmappedArrayGetSparseProperties(CUDA_ARRAY_SPARSE_PROPERTIES* properties, CUmipmappedArray array) {
    (void)mipmap_of(array);
    require_value(properties, "null pointer");
    throw Error(Status::invalid_value, "the mipmapped array is not sparse");
}

Status driver::cuArrayGetMemoryRequirements(CUDA_ARRAY_MEMORY_REQUIREMENTS* requirements, CUarray array, CUdevice) {
    (void)array_of(array);
    require_value(requirements, "null pointer");
    throw Error(Status::invalid_value, "the array's memory is not mapped later");
}

Status driver::cuMipmappedArrayGetMemoryRequirements(CUDA_ARRAY_MEMORY_REQUIREMENTS* requirements,
                                                     CUmipmappedArray array, CUdevice) {
    (void)mipmap_of(array);
    require_value(requirements, "null pointer");
    throw Error(Status::invalid_value, "the mipmapped array's memory is not mapped later");
}

} // namespace shim

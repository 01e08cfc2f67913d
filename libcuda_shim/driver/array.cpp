#include "driver/array.h"

#include "api/bodies.h"
#include "api/constants.h"
#include "driver/copies.h"
#include "driver/handles.h"

#include <algorithm>

namespace shim {
namespace {

const void* null_host(const void* host) {
    require_value(host, "null host address");
    return host;
}

/// Bytes of an array from an offset on. An H100 takes no more than the first row.
struct Linear {
    CUarray array;
    size_t offset;
};

void require_row(const Linear& side, size_t bytes) {
    require_value(side.array, "no array");
    if (!bytes) return;
    const rt::ArrayShape& shape = array_of(side.array).shape();
    const size_t row = shape.width * shape.texel_bytes();
    require_value(side.offset <= row && bytes <= row - side.offset, "copy beyond the end of the array's row");
}

/// A box one row high.
CUDA_MEMCPY2D row_box(size_t bytes) {
    CUDA_MEMCPY2D box = {};
    box.WidthInBytes = bytes;
    box.Height = 1;
    return box;
}

Status copy_row(const CUDA_MEMCPY2D& box, CUstream stream, bool wait) {
    if (box.WidthInBytes != 0)
        wait ? copy_now(box_of(box), stream_of(stream)) : copy_later(box_of(box), stream_of(stream));
    return Status::success;
}

template <class Fill> Status to_array(const Linear& to, size_t bytes, Fill fill, CUstream stream, bool wait) {
    require_row(to, bytes);
    CUDA_MEMCPY2D box = row_box(bytes);
    fill(box, bytes);
    box.dstMemoryType = CU_MEMORYTYPE_ARRAY;
    box.dstArray = to.array;
    box.dstXInBytes = to.offset;
    return copy_row(box, stream, wait);
}

template <class Fill> Status from_array(const Linear& from, size_t bytes, Fill fill, CUstream stream, bool wait) {
    require_row(from, bytes);
    CUDA_MEMCPY2D box = row_box(bytes);
    fill(box, bytes);
    box.srcMemoryType = CU_MEMORYTYPE_ARRAY;
    box.srcArray = from.array;
    box.srcXInBytes = from.offset;
    return copy_row(box, stream, wait);
}

auto from_host(const void* host) {
    null_host(host);
    return [host](CUDA_MEMCPY2D& box, size_t width) {
        box.srcMemoryType = CU_MEMORYTYPE_HOST;
        box.srcHost = host;
        box.srcPitch = width;
    };
}

auto to_host(void* host) {
    null_host(host);
    return [host](CUDA_MEMCPY2D& box, size_t width) {
        box.dstMemoryType = CU_MEMORYTYPE_HOST;
        box.dstHost = host;
        box.dstPitch = width;
    };
}

} // namespace

rt::ArrayShape shape_of(const CUDA_ARRAY3D_DESCRIPTOR& d) {
    return {d.Width, d.Height, d.Depth, d.Format, d.NumChannels, d.Flags};
}

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
    const auto fill = [from](CUDA_MEMCPY2D& box, size_t width) {
        box.srcMemoryType = CU_MEMORYTYPE_DEVICE;
        box.srcDevice = from;
        box.srcPitch = width;
    };
    return to_array({to, offset}, bytes, fill, nullptr, false);
}

Status driver::cuMemcpyAtoD_v2(CUdeviceptr to, CUarray from, size_t offset, size_t bytes) {
    const auto fill = [to](CUDA_MEMCPY2D& box, size_t width) {
        box.dstMemoryType = CU_MEMORYTYPE_DEVICE;
        box.dstDevice = to;
        box.dstPitch = width;
    };
    return from_array({from, offset}, bytes, fill, nullptr, false);
}

Status driver::cuMemcpyAtoA_v2(CUarray to, size_t to_offset, CUarray from, size_t from_offset, size_t bytes) {
    require_row({to, to_offset}, bytes);
    const auto fill = [to, to_offset](CUDA_MEMCPY2D& box, size_t) {
        box.dstMemoryType = CU_MEMORYTYPE_ARRAY;
        box.dstArray = to;
        box.dstXInBytes = to_offset;
    };
    return from_array({from, from_offset}, bytes, fill, nullptr, false);
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

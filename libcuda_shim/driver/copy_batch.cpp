#include "api/bodies.h"
#include "api/constants.h"
#include "driver/copies.h"
#include "driver/handles.h"
#include "rt/graph.h"

// Copies with attributes, one or many at once. CUDA driver API, cuMemcpyBatchAsync and cuMemcpy3DBatchAsync; what is
// refused, and with what, follows an H100.
namespace shim {
namespace {

/// 1 keeps stream order, 2 reads the source before the call returns, 3 allows either.
void copy_ordered(CUmemcpySrcAccessOrder order, const rt::backend::Copy& copy, rt::Stream& stream) {
    require_value(order >= 1 && order <= 3, "unknown access order");
    if (order == 2) return copy_now(copy, stream);
    copy_later(copy, stream);
}

rt::Stream& batch_stream_of(CUstream handle) {
    rt::Stream& stream = stream_of(handle);
    require_value(stream.role() != rt::Stream::Role::legacy, "the legacy stream takes no batches");
    return stream;
}

/// Copies one after another; `failed` gets the number of the first that is wrong, which ends the batch.
template <class One> Status for_each(size_t count, size_t* failed, One&& copy_one) {
    for (size_t i = 0; i < count; ++i) {
        try {
            copy_one(i);
        } catch (...) {
            if (failed) *failed = i;
            throw;
        }
    }
    return Status::success;
}

Status batch(CUdeviceptr* to, CUdeviceptr* from, size_t* sizes, size_t count, CUmemcpyAttributes* attributes,
             size_t* starts, size_t attribute_count, size_t* failed, CUstream handle) {
    if (failed) *failed = SIZE_MAX;
    require_value(to && from && sizes && count, "no list of copies");
    require_value(attributes && starts && attribute_count && attribute_count <= count && starts[0] == 0,
                  "no list of attributes");
    rt::Stream& stream = batch_stream_of(handle);
    size_t which = 0;
    return for_each(count, failed, [&](size_t i) {
        while (which + 1 < attribute_count && starts[which + 1] <= i) ++which;
        copy_ordered(attributes[which].srcAccessOrder, unified(to[i], from[i], sizes[i]), stream);
    });
}

Status batch_of_boxes(size_t count, const CUDA_MEMCPY3D_BATCH_OP* list, size_t* failed, unsigned long long flags,
                      CUstream handle) {
    if (failed) *failed = SIZE_MAX;
    rt::Stream& stream = batch_stream_of(handle);
    require_value(list && count, "no list of copies");
    require_value(flags == 0, "flags must be 0");
    // Such a batch is refused, and the capture goes on.
    if (rt::capture::info(stream).status != rt::CaptureStatus::none)
        throw Error(Status::stream_capture_unsupported, "batches of boxes cannot be captured");
    return for_each(count, failed, [&](size_t i) {
        require_value((list[i].flags & ~unsigned(CU_MEMCPY_FLAG_PREFER_OVERLAP_WITH_COMPUTE)) == 0, "unknown flags");
        copy_ordered(list[i].srcAccessOrder, box_of(list[i]), stream);
    });
}

} // namespace

Status driver::cuMemcpyBatchAsync(CUdeviceptr* to, CUdeviceptr* from, size_t* sizes, size_t count,
                                  CUmemcpyAttributes* attributes, size_t* starts, size_t attribute_count,
                                  size_t* failed, CUstream stream) {
    return batch(to, from, sizes, count, attributes, starts, attribute_count, failed, stream);
}

Status driver::cuMemcpyBatchAsync_v2(CUdeviceptr* to, CUdeviceptr* from, size_t* sizes, size_t count,
                                     CUmemcpyAttributes* attributes, size_t* starts, size_t attribute_count,
                                     CUstream stream) {
    return batch(to, from, sizes, count, attributes, starts, attribute_count, nullptr, stream);
}

Status driver::cuMemcpyWithAttributesAsync(CUdeviceptr to, CUdeviceptr from, size_t bytes,
                                           CUmemcpyAttributes* attributes, CUstream stream) {
    const CUmemcpySrcAccessOrder order = out(attributes, "attr").srcAccessOrder;
    copy_ordered(order, unified(to, from, bytes), stream_of(stream));
    return Status::success;
}

Status driver::cuMemcpy3DBatchAsync(size_t count, CUDA_MEMCPY3D_BATCH_OP* list, size_t* failed,
                                    unsigned long long flags, CUstream stream) {
    return batch_of_boxes(count, list, failed, flags, stream);
}

Status driver::cuMemcpy3DBatchAsync_v2(size_t count, CUDA_MEMCPY3D_BATCH_OP* list, unsigned long long flags,
                                       CUstream stream) {
    return batch_of_boxes(count, list, nullptr, flags, stream);
}

Status driver::cuMemcpy3DWithAttributesAsync(CUDA_MEMCPY3D_BATCH_OP* op, unsigned long long flags, CUstream stream) {
    require_value(op && flags == 0, "no copy, or unknown flags");
    copy_ordered(op->srcAccessOrder, box_of(*op), stream_of(stream));
    return Status::success;
}

} // namespace shim

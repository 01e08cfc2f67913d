// CUDA driver API, "Tensor Map Object Management".
#include "rt/tensor_map.h"
#include "api/bodies.h"
#include "driver/handles.h"

namespace shim {
namespace {

/// The arguments that the encoders have in common.
rt::TensorDescription describe(CUtensorMapDataType element, cuuint32_t rank, void* address, const cuuint64_t* extents,
                               const cuuint64_t* strides, const cuuint32_t* element_strides) {
    require_value(rank >= 1 && rank <= 5, "a tensor map has 1 to 5 dimensions");
    require_value(extents && strides && element_strides, "a tensor map lacks a list");
    rt::TensorDescription out;
    out.element = element;
    out.rank = rank;
    out.address = uint64_t(address);
    out.extents = {extents, rank};
    out.strides = {strides, rank - 1u};
    out.element_strides = {element_strides, rank};
    return out;
}

} // namespace

Status driver::cuTensorMapEncodeTiled(CUtensorMap* map, CUtensorMapDataType element, cuuint32_t rank, void* address,
                                      const cuuint64_t* extents, const cuuint64_t* strides, const cuuint32_t* box,
                                      const cuuint32_t* element_strides, CUtensorMapInterleave interleave,
                                      CUtensorMapSwizzle swizzle, CUtensorMapL2promotion l2_promotion,
                                      CUtensorMapFloatOOBfill fill) {
    require_value(map && box, "no tensor map, or no box");
    auto tensor = describe(element, rank, address, extents, strides, element_strides);
    tensor.interleave = interleave;
    tensor.swizzle = swizzle;
    tensor.l2_promotion = l2_promotion;
    tensor.fill = fill;
    rt::encode_tiled(map, tensor, {box, rank});
    return Status::success;
}

Status driver::cuTensorMapEncodeIm2col(CUtensorMap* map, CUtensorMapDataType element, cuuint32_t rank, void* address,
                                       const cuuint64_t* extents, const cuuint64_t* strides, const int* lower,
                                       const int* upper, cuuint32_t channels, cuuint32_t pixels,
                                       const cuuint32_t* element_strides, CUtensorMapInterleave interleave,
                                       CUtensorMapSwizzle swizzle, CUtensorMapL2promotion l2_promotion,
                                       CUtensorMapFloatOOBfill fill) {
    require_value(map && lower && upper && rank >= 3, "no tensor map, no corners, or less than 3 dimensions");
    auto tensor = describe(element, rank, address, extents, strides, element_strides);
    tensor.interleave = interleave;
    tensor.swizzle = swizzle;
    tensor.l2_promotion = l2_promotion;
    tensor.fill = fill;
    rt::encode_im2col(map, tensor, {{lower, rank - 2u}, {upper, rank - 2u}, channels, pixels});
    return Status::success;
}

Status driver::cuTensorMapEncodeIm2colWide(CUtensorMap* map, CUtensorMapDataType element, cuuint32_t rank,
                                           void* address, const cuuint64_t* extents, const cuuint64_t* strides,
                                           int lower, int upper, cuuint32_t channels, cuuint32_t pixels,
                                           const cuuint32_t* element_strides, CUtensorMapInterleave interleave,
                                           CUtensorMapIm2ColWideMode mode, CUtensorMapSwizzle swizzle,
                                           CUtensorMapL2promotion l2_promotion, CUtensorMapFloatOOBfill fill) {
    require_value(map, "no tensor map");
    auto tensor = describe(element, rank, address, extents, strides, element_strides);
    tensor.interleave = interleave;
    tensor.swizzle = swizzle;
    tensor.l2_promotion = l2_promotion;
    tensor.fill = fill;
    rt::encode_im2col_wide(map, tensor, lower, upper, channels, pixels, mode);
    return Status::success;
}

Status driver::cuTensorMapReplaceAddress(CUtensorMap* map, void* address) {
    require_value(map, "no tensor map");
    rt::replace_address(map, uint64_t(address));
    return Status::success;
}

} // namespace shim

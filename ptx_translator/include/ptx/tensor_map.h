#pragma once

#include <stdint.h> // <cstdint> is not there for every device

/// What the 128 opaque bytes of a CUtensorMap hold here: the runtime writes them, cp.async.bulk.tensor reads them, and
/// tensormap.replace changes them in place. PTX ISA 5.5.
namespace ptx {

/// Numbers of CUtensorMapDataType, and of .elemtype.
enum class TensorElement : uint8_t {
    u8,
    u16,
    u32,
    s32,
    u64,
    s64,
    f16,
    f32,
    f64,
    bf16,
    f32_ftz,
    tf32,
    tf32_ftz,
    b4x16,
    b4x16_p64,
    b6x16_p32,
};
enum class TensorInterleave : uint8_t { none, slices_16b, slices_32b };
/// Numbers of CUtensorMapSwizzle. The last three swap whole atoms of 32 or 64 bytes, or flip halves.
enum class TensorSwizzle : uint8_t {
    none,
    span_32b,
    span_64b,
    span_128b,
    span_128b_atom_32b,
    span_128b_atom_32b_flip_8b,
    span_128b_atom_64b
};
enum class TensorTraversal : uint8_t { tiled, im2col, im2col_w, im2col_w_128 };

struct alignas(64) TensorMap {
    static constexpr uint32_t valid = 0x544d4143;

    uint64_t address;
    uint32_t mark; ///< `valid` in every map
    uint8_t rank;  ///< 1 to 5
    TensorElement element;
    TensorInterleave interleave;
    TensorSwizzle swizzle;
    uint8_t nan_fill; ///< elements outside of the tensor read as NaN, else as zero
    TensorTraversal traversal;
    uint8_t l2_promotion; ///< a hint
    uint8_t element_strides[5];
    uint64_t strides[4];        ///< bytes, from dimension 1 on
    uint32_t last[5];           ///< extent of each dimension - 1
    uint16_t box[5];            ///< tiled: elements; im2col: channels and pixels of a column in [0] and [1]
    int16_t lower[3], upper[3]; ///< im2col: corners of the pixels' bounding box, from W on
};
static_assert(sizeof(TensorMap) == 128);

/// Bytes of an element; 0 for the packed sub-byte ones.
constexpr uint32_t size_of(TensorElement element) {
    constexpr uint8_t sizes[] = {1, 2, 4, 4, 8, 8, 2, 4, 8, 2, 4, 4, 4, 0, 0, 0};
    return uint32_t(element) < sizeof sizes ? sizes[uint32_t(element)] : 0;
}

constexpr bool is_floating(TensorElement element) {
    return element >= TensorElement::f16 && element <= TensorElement::tf32_ftz;
}

} // namespace ptx

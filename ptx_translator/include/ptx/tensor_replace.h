#pragma once

#include "ptx/host_abi.h"
#include "ptx/tensor_map.h"

namespace ptx {

/// tensormap.replace, PTX ISA 9.7.9.26. False for a field, an index or a value that there is not; the map is then of no
/// use. Values are as the instruction takes them: some are one less than what they stand for.
constexpr bool replace(TensorMap& map, host::TensorField field, uint32_t index, uint64_t value) {
    using host::TensorField;
    switch (field) {
    case TensorField::global_address:
        map.address = value;
        return true;
    case TensorField::rank:
        map.rank = uint8_t(value + 1);
        return value < 5;
    case TensorField::box_dim:
        if (index >= 5) return false;
        map.box[index] = uint16_t(value);
        return true;
    case TensorField::global_dim:
        if (index >= 5) return false;
        map.last[index] = uint32_t(value - 1);
        return true;
    case TensorField::global_stride:
        if (index >= 4) return false;
        map.strides[index] = value;
        return true;
    case TensorField::element_stride:
        if (index >= 5) return false;
        map.element_strides[index] = uint8_t(value);
        return value >= 1;
    case TensorField::elemtype:
        map.element = TensorElement(value);
        return value <= uint64_t(TensorElement::b6x16_p32);
    case TensorField::interleave_layout:
        map.interleave = TensorInterleave(value);
        return value <= 2;
    case TensorField::swizzle_mode:
        map.swizzle = TensorSwizzle(value);
        return value <= uint64_t(TensorSwizzle::span_128b);
    case TensorField::fill_mode:
        map.nan_fill = uint8_t(value);
        return value <= 1;
    case TensorField::swizzle_atomicity:
        // 0: 16 bytes, 1: 32 bytes. The others have no lowering here.
        if (map.swizzle == TensorSwizzle::span_128b && value == 1) map.swizzle = TensorSwizzle::span_128b_atom_32b;
        return value <= 1;
    }
    return false;
}

} // namespace ptx

// PTX ISA 9.7.9.26: tensormap.replace.
#include "backend/cpu/async_services.h"
#include "ptx/tensor_map.h"

#include <cstring>
#include <fmt/format.h>

namespace rt::backend::cpu {

namespace {

using ptx::TensorMap;
using ptx::host::TensorField;

/// False for a field or an index that there is not. Values are as the instruction takes them: some are one less than
/// what they stand for.
bool replace(TensorMap& map, TensorField field, uint32_t index, uint64_t value) {
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
        map.element = ptx::TensorElement(value);
        return value <= uint64_t(ptx::TensorElement::b6x16_p32);
    case TensorField::interleave_layout:
        map.interleave = ptx::TensorInterleave(value);
        return value <= 2;
    case TensorField::swizzle_mode:
        map.swizzle = ptx::TensorSwizzle(value);
        return value <= uint64_t(ptx::TensorSwizzle::span_128b);
    case TensorField::fill_mode:
        map.nan_fill = uint8_t(value);
        return value <= 1;
    case TensorField::swizzle_atomicity:
        // 0: 16 bytes, 1: 32 bytes. The others have no lowering here.
        if (map.swizzle == ptx::TensorSwizzle::span_128b && value == 1)
            map.swizzle = ptx::TensorSwizzle::span_128b_atom_32b;
        return value <= 1;
    }
    return false;
}

} // namespace

void tensor_replace(ptx::host::Lane* lane, uint64_t address, uint32_t field, uint32_t index, uint64_t value) {
    TensorMap map;
    std::memcpy(&map, reinterpret_cast<const void*>(address), sizeof map);
    if (!replace(map, TensorField(field), index, value))
        refuse(lane, fmt::format("tensormap.replace of field {} [{}] by {:#x} is not supported", field, index, value));
    std::memcpy(reinterpret_cast<void*>(address), &map, sizeof map);
}

} // namespace rt::backend::cpu

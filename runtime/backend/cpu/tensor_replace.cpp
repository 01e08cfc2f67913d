// PTX ISA 9.7.9.26: tensormap.replace.
#include "ptx/tensor_replace.h"
#include "backend/cpu/async_services.h"

#include <cstring>
#include <fmt/format.h>

namespace rt::backend::cpu {

void tensor_replace(ptx::host::Lane* lane, uint64_t address, uint32_t field, uint32_t index, uint64_t value) {
    ptx::TensorMap map;
    std::memcpy(&map, reinterpret_cast<const void*>(address), sizeof map);
    if (!replace(map, ptx::host::TensorField(field), index, value))
        refuse(lane, fmt::format("tensormap.replace of field {} [{}] by {:#x} is not supported", field, index, value));
    std::memcpy(reinterpret_cast<void*>(address), &map, sizeof map);
}

} // namespace rt::backend::cpu

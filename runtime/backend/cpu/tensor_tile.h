#pragma once

#include "ptx/host_abi.h"
#include "ptx/tensor_map.h"

#include <string>
#include <vector>

namespace rt::backend::cpu {

/// What an instruction asks of a tensor map.
struct TileRequest {
    ptx::host::TensorMode mode;
    int32_t at[5];      ///< element coordinates, innermost first
    int32_t offsets[3]; ///< im2col: from W on; im2col::w: wHalo, wOffset
};

/// Consecutive elements (of interleaved tensors: slices) of a tile along the innermost dimension.
struct TileRow {
    uint64_t global;     ///< where its first byte would lie in the tensor
    uint64_t shared;     ///< offset in the tile, a multiple of 16, before swizzling
    uint32_t bytes;      ///< a multiple of 16
    uint32_t begin, end; ///< which of them are inside of the tensor; nothing when equal
};

constexpr uint32_t max_row_bytes = 256 * 8; ///< longer ones, of slices, come in parts

/// The rows of a tile in the order in which they lie in shared memory. What the hardware would not do is said in
/// *error. PTX ISA 5.5.2 - 5.5.6; what an H100 makes of interleaved tensors: tests/async/README.md.
std::vector<TileRow> rows_of(const ptx::TensorMap& map, const TileRequest& request, std::string* error);

/// Where a byte of the tile goes: address bits count from the start of the CTA's shared memory. PTX ISA 5.5.6.
uint64_t swizzled(ptx::TensorSwizzle swizzle, uint64_t address);

} // namespace rt::backend::cpu

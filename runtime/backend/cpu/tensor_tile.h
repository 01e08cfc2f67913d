#pragma once

#include "ptx/tensor_tile.h"

#include <string>
#include <vector>

namespace rt::backend::cpu {

using ptx::TileRequest;
using ptx::TileRow;

/// The rows of a tile in the order in which they lie in shared memory. What the hardware would not do is said in
/// *error.
std::vector<TileRow> rows_of(const ptx::TensorMap& map, const TileRequest& request, std::string* error);

} // namespace rt::backend::cpu

#include "backend/cpu/tensor_tile.h"

#include <fmt/format.h>

namespace rt::backend::cpu {

namespace {

std::string text_of(ptx::TileProblem problem, const TileRequest& request) {
    using ptx::TileProblem;
    switch (problem.kind) {
    case TileProblem::other_mode:
        return "the map is made for another mode";
    case TileProblem::interleaved_shape:
        return "interleaved tensors have three to five dimensions, and no im2col::w";
    case TileProblem::coordinate:
        return fmt::format("the innermost coordinate, {}, is no multiple of 16 bytes", request.at[0]);
    case TileProblem::outside_box:
        return fmt::format("the first pixel, at {} in dimension {}, is not in the bounding box",
                           request.at[problem.dimension], problem.dimension);
    case TileProblem::none:
        break;
    }
    return {};
}

} // namespace

std::vector<TileRow> rows_of(const ptx::TensorMap& map, const TileRequest& request, std::string* error) {
    std::vector<TileRow> rows;
    *error = text_of(problem_of(map, request), request);
    if (error->empty()) for_each_row(map, request, [&](const TileRow& row) { rows.push_back(row); });
    return rows;
}

} // namespace rt::backend::cpu

#include "backend/cpu/tensor_tile.h"

#include <algorithm>
#include <fmt/format.h>

namespace rt::backend::cpu {

namespace {

using ptx::TensorMap;
using ptx::host::TensorMode;

/// Bytes from row to row, even of shorter rows.
uint32_t span_of(ptx::TensorSwizzle swizzle) {
    switch (swizzle) {
    case ptx::TensorSwizzle::none:
        return 0;
    case ptx::TensorSwizzle::span_32b:
        return 32;
    case ptx::TensorSwizzle::span_64b:
        return 64;
    default:
        return 128;
    }
}

class Tile {
  public:
    Tile(const TensorMap& map, const TileRequest& request)
        : map_(map), request_(request), size_(size_of(map.element)), pitch_(span_of(map.swizzle)) {}

    std::vector<TileRow> tiled() {
        uint32_t count[5] = {1, 1, 1, 1, 1};
        for (unsigned d = 1; d < map_.rank; d++)
            count[d] = (map_.box[d] + map_.element_strides[d] - 1u) / map_.element_strides[d];
        int64_t at[5] = {request_.at[0]};
        uint32_t index[5] = {};
        for (;;) {
            for (unsigned d = 1; d < map_.rank; d++)
                at[d] = int64_t{request_.at[d]} + int64_t{index[d]} * map_.element_strides[d];
            add(at, map_.box[0]);
            unsigned d = 1;
            while (d < map_.rank && ++index[d] == count[d]) index[d++] = 0;
            if (d >= map_.rank) return std::move(rows_);
        }
    }

    /// A column of pixels, which go through the bounding box of W, H and D, then on to the next image.
    std::vector<TileRow> im2col() {
        const unsigned pixel_dimensions = map_.rank - 2u, images = map_.rank - 1u;
        int64_t pixel[5] = {};
        for (unsigned d = 1; d < map_.rank; d++) pixel[d] = request_.at[d];
        for (uint32_t i = 0; i < map_.box[1]; i++) {
            int64_t at[5] = {request_.at[0]};
            for (unsigned d = 1; d < map_.rank; d++)
                at[d] = pixel[d] + (d <= pixel_dimensions ? request_.offsets[d - 1] : 0);
            add(at, map_.box[0]);
            unsigned d = 1;
            for (; d <= pixel_dimensions; d++) {
                pixel[d] += map_.element_strides[d];
                if (pixel[d] <= int64_t{map_.last[d]} + map_.upper[d - 1]) break;
                pixel[d] = map_.lower[d - 1];
            }
            if (d > pixel_dimensions) pixel[images]++;
        }
        return std::move(rows_);
    }

    /// Four rows of two dimensions, each by its own coordinate.
    std::vector<TileRow> four_rows() {
        for (unsigned i = 0; i < 4; i++) {
            const int64_t at[5] = {request_.at[0], request_.at[i + 1]};
            add(at, map_.box[0]);
        }
        return std::move(rows_);
    }

  private:
    void add(const int64_t (&at)[5], uint32_t elements) {
        TileRow row{map_.address + uint64_t(at[0] * size_), shared_, elements * size_, 0, 0};
        bool inside = true;
        for (unsigned d = 1; d < map_.rank; d++) {
            inside &= at[d] >= 0 && at[d] <= int64_t{map_.last[d]};
            row.global += uint64_t(at[d]) * map_.strides[d - 1];
        }
        if (inside) {
            const int64_t begin = std::clamp<int64_t>(-at[0], 0, elements);
            const int64_t end = std::clamp<int64_t>(int64_t{map_.last[0]} + 1 - at[0], begin, elements);
            row.begin = uint32_t(begin) * size_;
            row.end = uint32_t(end) * size_;
        }
        shared_ += std::max(row.bytes, pitch_);
        rows_.push_back(row);
    }

    const TensorMap& map_;
    const TileRequest& request_;
    const uint32_t size_, pitch_;
    uint64_t shared_ = 0;
    std::vector<TileRow> rows_;
};

} // namespace

std::vector<TileRow> rows_of(const TensorMap& map, const TileRequest& request, std::string* error) {
    Tile tile(map, request);
    const bool of_pixels = request.mode == TensorMode::im2col;
    if (of_pixels != (map.traversal == ptx::TensorTraversal::im2col)) {
        *error = "the map is made for the other mode";
        return {};
    }
    if (map.interleave != ptx::TensorInterleave::none) {
        *error = "interleaved tensors are not supported";
        return {};
    }
    // As an H100, which takes such a coordinate for an illegal instruction.
    if (request.at[0] * int64_t(size_of(map.element)) % 16) {
        *error = fmt::format("the innermost coordinate, {}, is no multiple of 16 bytes", request.at[0]);
        return {};
    }
    switch (request.mode) {
    case TensorMode::tile:
        return tile.tiled();
    case TensorMode::im2col:
        return tile.im2col();
    case TensorMode::gather4:
    case TensorMode::scatter4:
        return tile.four_rows();
    case TensorMode::im2col_w:
    case TensorMode::im2col_w_128:
        *error = "im2col::w is not supported";
        break;
    }
    return {};
}

uint64_t swizzled(ptx::TensorSwizzle swizzle, uint64_t address) {
    // Which 16 bytes of a row of 128 hold what, depends on the number of the row.
    const uint64_t row = address >> 7;
    switch (swizzle) {
    case ptx::TensorSwizzle::span_32b:
        return address ^ (row & 1) << 4;
    case ptx::TensorSwizzle::span_64b:
        return address ^ (row & 3) << 4;
    case ptx::TensorSwizzle::span_128b:
        return address ^ (row & 7) << 4;
    case ptx::TensorSwizzle::span_128b_atom_32b:
        return address ^ (row & 3) << 5;
    default:
        return address;
    }
}

} // namespace rt::backend::cpu

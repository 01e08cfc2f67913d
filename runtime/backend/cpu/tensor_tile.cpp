#include "backend/cpu/tensor_tile.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

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

/// Bytes of the channels that lie together in an interleaved tensor: what its innermost dimension counts.
uint32_t slice_of(ptx::TensorInterleave interleave) {
    return interleave == ptx::TensorInterleave::slices_32b ? 32 : 16;
}

ptx::TensorTraversal traversal_of(TensorMode mode) {
    switch (mode) {
    case TensorMode::im2col:
        return ptx::TensorTraversal::im2col;
    case TensorMode::im2col_w:
        return ptx::TensorTraversal::im2col_w;
    case TensorMode::im2col_w_128:
        return ptx::TensorTraversal::im2col_w_128;
    default:
        return ptx::TensorTraversal::tiled;
    }
}

class Tile {
  public:
    Tile(const TensorMap& map, const TileRequest& request)
        : map_(map), request_(request), interleaved_(map.interleave != ptx::TensorInterleave::none),
          size_(interleaved_ ? slice_of(map.interleave) : size_of(map.element)),
          pitch_(interleaved_ ? 0 : span_of(map.swizzle)) {}

    std::vector<TileRow> tiled() {
        uint32_t count[5] = {1, 1, 1, 1, 1};
        for (unsigned d = 1; d < map_.rank; d++)
            count[d] = (map_.box[d] + map_.element_strides[d] - 1u) / map_.element_strides[d];
        if (interleaved_) count[map_.rank - 2] = 1;
        // Only slices are taken at a step along the innermost dimension.
        const uint32_t step = interleaved_ ? map_.element_strides[0] : 1;
        int64_t at[5] = {request_.at[0]};
        uint32_t index[5] = {};
        for (;;) {
            for (unsigned d = 1; d < map_.rank; d++)
                at[d] = int64_t{request_.at[d]} + int64_t{index[d]} * map_.element_strides[d];
            for (uint32_t i = 0; step > 1 && i < map_.box[0]; i += step) {
                at[0] = int64_t{request_.at[0]} + i;
                add(at, 1);
            }
            if (step == 1) add(at, map_.box[0]);
            unsigned d = 1;
            while (d < map_.rank && ++index[d] == count[d]) index[d++] = 0;
            if (d >= map_.rank) return std::move(rows_);
        }
    }

    /// A column of pixels, which go through the bounding box of W, H and D, then on to the next image. Of an interleaved
    /// tensor W is the innermost dimension, each pixel has one slice, and which one is said in the last but one.
    std::vector<TileRow> im2col() {
        const unsigned pixel_dimensions = map_.rank - 2u, images = map_.rank - 1u, w = interleaved_ ? 0 : 1;
        int64_t pixel[5] = {};
        for (unsigned d = 0; d < map_.rank; d++) pixel[d] = request_.at[d];
        for (uint32_t i = 0; i < map_.box[1]; i++) {
            int64_t at[5];
            std::copy(std::begin(pixel), std::end(pixel), at);
            for (unsigned k = 0; k < pixel_dimensions; k++) at[w + k] += request_.offsets[k];
            add(at, interleaved_ ? 1 : map_.box[0]);
            unsigned k = 0;
            for (; k < pixel_dimensions; k++) {
                const unsigned d = w + k;
                pixel[d] += map_.element_strides[d];
                if (pixel[d] <= int64_t{map_.last[d]} + map_.upper[k]) break;
                pixel[d] = map_.lower[k];
            }
            if (k == pixel_dimensions) pixel[images] += map_.element_strides[images];
        }
        return std::move(rows_);
    }

    /// Pixels along W only, from the last one of an image on to the next image; `halo` more behind every `group` of them:
    /// what comes next, as if there were no end. PTX ISA 5.5.5.
    std::vector<TileRow> im2col_w(uint32_t pixels, uint32_t group) {
        const uint32_t halo = uint32_t(request_.offsets[0]);
        const int64_t offset = request_.offsets[1], lower = map_.lower[0] + offset;
        const int64_t upper = int64_t{map_.last[1]} + map_.upper[0] + offset;
        const unsigned images = map_.rank - 1u;
        for (uint32_t begin = 0; begin < pixels; begin += group) {
            // The pixel at `begin`, as counted from the first one, which may lie before the bounding box.
            int64_t at[5] = {};
            for (unsigned d = 0; d < map_.rank; d++) at[d] = request_.at[d];
            at[1] += offset;
            const uint32_t end = std::min(begin + group, pixels) + halo;
            for (uint32_t i = 0; i < end; i++) {
                if (i >= begin) add(at, map_.box[0]);
                at[1] += map_.element_strides[1];
                if (at[1] <= upper) continue;
                at[1] = lower;
                at[images]++;
            }
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
        if (const uint32_t most = max_row_bytes / size_; elements > most) {
            int64_t rest[5];
            std::copy(std::begin(at), std::end(at), rest);
            for (; elements > most; elements -= most, rest[0] += most) add(rest, most);
            return add(rest, elements);
        }
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
    const bool interleaved_;
    const uint32_t size_, pitch_; ///< bytes of what the innermost dimension counts; from row to row, at least
    uint64_t shared_ = 0;
    std::vector<TileRow> rows_;
};

} // namespace

std::vector<TileRow> rows_of(const TensorMap& map, const TileRequest& request, std::string* error) {
    Tile tile(map, request);
    if (traversal_of(request.mode) != map.traversal) {
        *error = "the map is made for another mode";
        return {};
    }
    const bool interleaved = map.interleave != ptx::TensorInterleave::none;
    // PTX ISA 5.5.6
    const bool known = request.mode == TensorMode::tile || request.mode == TensorMode::im2col;
    if (interleaved && (map.rank < 3 || !known)) {
        *error = "interleaved tensors have three to five dimensions, and no im2col::w";
        return {};
    }
    // As an H100, which takes such a coordinate for an illegal instruction.
    if (!interleaved && request.at[0] * int64_t(size_of(map.element)) % 16) {
        *error = fmt::format("the innermost coordinate, {}, is no multiple of 16 bytes", request.at[0]);
        return {};
    }
    for (unsigned k = 0; request.mode == TensorMode::im2col && k + 2u < map.rank; k++) {
        const unsigned d = k + (interleaved ? 0 : 1);
        if (request.at[d] >= map.lower[k] && request.at[d] <= int64_t{map.last[d]} + map.upper[k]) continue;
        *error = fmt::format("the first pixel, at {} in dimension {}, is not in the bounding box", request.at[d], d);
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
        return tile.im2col_w(map.box[1], map.box[1]);
    case TensorMode::im2col_w_128:
        return tile.im2col_w(128, 32);
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

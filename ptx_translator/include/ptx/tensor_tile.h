#pragma once

#include "ptx/host_abi.h"
#include "ptx/tensor_map.h"

/// The walk through a tile of a tensor, the same for every target. PTX ISA 5.5.2 - 5.5.6; what an H100 makes of
/// interleaved tensors: tests/async/README.md. For devices, too: no library, no exceptions.
namespace ptx {

/// What an instruction asks of a tensor map.
struct TileRequest {
    host::TensorMode mode;
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

/// Why the hardware would not copy.
struct TileProblem {
    enum Kind : uint8_t { none, other_mode, interleaved_shape, coordinate, outside_box };
    Kind kind = none;
    uint32_t dimension = 0; ///< of outside_box
};

namespace tile {

/// Bytes from row to row, even of shorter rows.
constexpr uint32_t span_of(TensorSwizzle swizzle) {
    switch (swizzle) {
    case TensorSwizzle::none:
        return 0;
    case TensorSwizzle::span_32b:
        return 32;
    case TensorSwizzle::span_64b:
        return 64;
    default:
        return 128;
    }
}

/// Bytes of the channels that lie together in an interleaved tensor: what its innermost dimension counts.
constexpr uint32_t slice_of(TensorInterleave interleave) {
    return interleave == TensorInterleave::slices_32b ? 32 : 16;
}

constexpr TensorTraversal traversal_of(host::TensorMode mode) {
    switch (mode) {
    case host::TensorMode::im2col:
        return TensorTraversal::im2col;
    case host::TensorMode::im2col_w:
        return TensorTraversal::im2col_w;
    case host::TensorMode::im2col_w_128:
        return TensorTraversal::im2col_w_128;
    default:
        return TensorTraversal::tiled;
    }
}

/// Calls `row` for each row.
template <class Row> class Walk {
  public:
    Walk(const TensorMap& map, const TileRequest& request, Row& row)
        : map_(map), request_(request), row_(row), interleaved_(map.interleave != TensorInterleave::none),
          size_(interleaved_ ? slice_of(map.interleave) : size_of(map.element)),
          pitch_(interleaved_ ? 0 : span_of(map.swizzle)) {}

    void tiled() {
        uint32_t count[5] = {1, 1, 1, 1, 1};
        for (unsigned d = 1; d < map_.rank; d++)
            count[d] = (map_.box[d] + map_.element_strides[d] - 1u) / map_.element_strides[d];
        for (unsigned d = 1; d < map_.rank; d++)
            if (count[d] == 0) return; // made so by tensormap.replace
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
            if (d >= map_.rank) return;
        }
    }

    /// A column of pixels, which go through the bounding box of W, H and D, then on to the next image. Of an
    /// interleaved tensor W is the innermost dimension, each pixel has one slice, and which one is said in the last but
    /// one.
    void im2col() {
        const unsigned pixel_dimensions = map_.rank - 2u, images = map_.rank - 1u, w = interleaved_ ? 0 : 1;
        int64_t pixel[5] = {};
        for (unsigned d = 0; d < map_.rank; d++) pixel[d] = request_.at[d];
        for (uint32_t i = 0; i < map_.box[1]; i++) {
            int64_t at[5] = {pixel[0], pixel[1], pixel[2], pixel[3], pixel[4]};
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
    }

    /// Pixels along W only, from the last one of an image on to the next image; `halo` more behind every `group` of
    /// them: what comes next, as if there were no end. PTX ISA 5.5.5.
    void im2col_w(uint32_t pixels, uint32_t group) {
        const uint32_t halo = uint32_t(request_.offsets[0]);
        const int64_t offset = request_.offsets[1], lower = map_.lower[0] + offset;
        const int64_t upper = int64_t{map_.last[1]} + map_.upper[0] + offset;
        const unsigned images = map_.rank - 1u;
        for (uint32_t begin = 0; begin < pixels; begin += group) {
            // The pixel at `begin`, as counted from the first one, which may lie before the bounding box.
            int64_t at[5] = {};
            for (unsigned d = 0; d < map_.rank; d++) at[d] = request_.at[d];
            at[1] += offset;
            const uint32_t end = (begin + group < pixels ? begin + group : pixels) + halo;
            for (uint32_t i = 0; i < end; i++) {
                if (i >= begin) add(at, map_.box[0]);
                at[1] += map_.element_strides[1];
                if (at[1] <= upper) continue;
                at[1] = lower;
                at[images]++;
            }
        }
    }

    /// Four rows of two dimensions, each by its own coordinate.
    void four_rows() {
        for (unsigned i = 0; i < 4; i++) {
            const int64_t at[5] = {request_.at[0], request_.at[i + 1], 0, 0, 0};
            add(at, map_.box[0]);
        }
    }

  private:
    /// Not inlined: a target's code of it need be there once only.
    [[gnu::noinline]] void add(const int64_t (&at)[5], uint32_t elements) {
        const uint32_t most = max_row_bytes / size_;
        int64_t first = at[0];
        for (; elements > most; elements -= most, first += most) add_part(at, first, most);
        add_part(at, first, elements);
    }

    void add_part(const int64_t (&at)[5], int64_t first, uint32_t elements) {
        TileRow row{map_.address + uint64_t(first * size_), shared_, elements * size_, 0, 0};
        bool inside = true;
        for (unsigned d = 1; d < map_.rank; d++) {
            inside &= at[d] >= 0 && at[d] <= int64_t{map_.last[d]};
            row.global += uint64_t(at[d]) * map_.strides[d - 1];
        }
        if (inside) {
            const int64_t before = -first, all = int64_t{map_.last[0]} + 1 - first;
            const int64_t begin = before < 0 ? 0 : before < elements ? before : elements;
            const int64_t end = all < begin ? begin : all < elements ? all : elements;
            row.begin = uint32_t(begin) * size_;
            row.end = uint32_t(end) * size_;
        }
        shared_ += row.bytes > pitch_ ? row.bytes : pitch_;
        row_(row);
    }

    const TensorMap& map_;
    const TileRequest& request_;
    Row& row_;
    const bool interleaved_;
    const uint32_t size_, pitch_; ///< bytes of what the innermost dimension counts; from row to row, at least
    uint64_t shared_ = 0;
};

} // namespace tile

/// What the hardware would not do, whatever lies in memory.
inline TileProblem problem_of(const TensorMap& map, const TileRequest& request) {
    if (tile::traversal_of(request.mode) != map.traversal) return {TileProblem::other_mode};
    const bool interleaved = map.interleave != TensorInterleave::none;
    // PTX ISA 5.5.6
    const bool known = request.mode == host::TensorMode::tile || request.mode == host::TensorMode::im2col;
    if (interleaved && (map.rank < 3 || !known)) return {TileProblem::interleaved_shape};
    // As an H100, which takes such a coordinate for an illegal instruction.
    if (!interleaved && request.at[0] * int64_t(size_of(map.element)) % 16) return {TileProblem::coordinate};
    for (unsigned k = 0; request.mode == host::TensorMode::im2col && k + 2u < map.rank; k++) {
        const unsigned d = k + (interleaved ? 0 : 1);
        if (request.at[d] < map.lower[k] || request.at[d] > int64_t{map.last[d]} + map.upper[k])
            return {TileProblem::outside_box, d};
    }
    return {};
}

/// Calls `row(const TileRow&)` for the rows of a tile in the order in which they lie in shared memory. There must be no
/// problem with the request.
template <class Row> void for_each_row(const TensorMap& map, const TileRequest& request, Row&& row) {
    tile::Walk<Row> walk(map, request, row);
    switch (request.mode) {
    case host::TensorMode::tile:
        return walk.tiled();
    case host::TensorMode::im2col:
        return walk.im2col();
    case host::TensorMode::gather4:
    case host::TensorMode::scatter4:
        return walk.four_rows();
    case host::TensorMode::im2col_w:
        return walk.im2col_w(map.box[1], map.box[1]);
    case host::TensorMode::im2col_w_128:
        return walk.im2col_w(128, 32);
    }
}

/// Where a byte of the tile goes: address bits count from the start of the CTA's shared memory. PTX ISA 5.5.6.
inline uint64_t swizzled(TensorSwizzle swizzle, uint64_t address) {
    // Which 16 bytes of a row of 128 hold what, depends on the number of the row.
    const uint64_t row = address >> 7;
    switch (swizzle) {
    case TensorSwizzle::span_32b:
        return address ^ (row & 1) << 4;
    case TensorSwizzle::span_64b:
        return address ^ (row & 3) << 4;
    case TensorSwizzle::span_128b:
        return address ^ (row & 7) << 4;
    case TensorSwizzle::span_128b_atom_32b:
        return address ^ (row & 3) << 5;
    default:
        return address;
    }
}

/// What lies outside of a tensor reads as this in every 16 bits: what an H100 writes, whatever the type, a NaN in each.
constexpr uint16_t fill_pattern(const TensorMap& map) { return map.nan_fill ? 0x7ff7 : 0; }

/// To the 10 bits of mantissa that .tf32 has, halves to even.
constexpr uint32_t rounded_to_tf32(uint32_t bits) {
    const uint32_t magnitude = bits & 0x7fffffff;
    constexpr uint32_t infinity = 0x7f800000, nan = 0x7fffe000; // as an H100's
    const uint32_t odd = bits >> 13 & 1;
    return magnitude > infinity ? nan : magnitude == infinity ? bits : (bits + 0xfff + odd) & ~0x1fffu;
}

/// Whether a map is one, of elements that copies are written for.
constexpr bool is_sound(const TensorMap& map) {
    return map.mark == TensorMap::valid && map.rank >= 1 && map.rank <= 5 && size_of(map.element);
}

/// How cp.reduce.async.bulk.tensor takes the elements; false for those that it does not take.
constexpr bool bulk_type_of(TensorElement element, host::BulkType& type) {
    using host::BulkType;
    constexpr BulkType types[] = {BulkType::u32, BulkType::s32, BulkType::u64, BulkType::s64,
                                  BulkType::f16, BulkType::f32, BulkType::f64, BulkType::bf16,
                                  BulkType::f32, BulkType::f32, BulkType::f32};
    if (element < TensorElement::u32 || element > TensorElement::tf32_ftz) return false;
    type = types[uint32_t(element) - uint32_t(TensorElement::u32)];
    return true;
}

} // namespace ptx

#include "rt/tensor_map.h"

#include "ptx/tensor_map.h"
#include "rt/error.h"

#include <cstring>
#include <fmt/format.h>

namespace rt {
namespace {

using ptx::TensorElement;
using ptx::TensorMap;

constexpr uint64_t largest_extent = uint64_t{1} << 32, stride_limit = uint64_t{1} << 40;
constexpr uint64_t largest_tile = 228 << 10; ///< bytes of a multiprocessor's shared memory
constexpr uint32_t largest_box = 256, largest_step = 8, most_pixels = 1024;

template <class... A> void require(bool true_, fmt::format_string<A...> text, A&&... arguments) {
    if (!true_) throw Error(Status::invalid_value, "tensor map: " + fmt::format(text, std::forward<A>(arguments)...));
}

uint32_t span_of(ptx::TensorSwizzle swizzle) {
    switch (swizzle) {
    case ptx::TensorSwizzle::none:
        return ~0u;
    case ptx::TensorSwizzle::span_32b:
        return 32;
    case ptx::TensorSwizzle::span_64b:
        return 64;
    default:
        return 128;
    }
}

/// What all kinds of maps have.
TensorMap describe(const TensorDescription& d, uint32_t least_rank) {
    require(d.element >= 0 && d.element <= int(TensorElement::tf32_ftz), "element type {} is not one of an H100's",
            d.element);
    require(d.interleave >= 0 && d.interleave <= 2, "no interleaving {}", d.interleave);
    require(d.swizzle >= 0 && d.swizzle <= 3, "swizzling {} is not one of an H100's", d.swizzle);
    require(d.l2_promotion >= 0 && d.l2_promotion <= 3, "no L2 promotion {}", d.l2_promotion);
    TensorMap map{};
    map.mark = TensorMap::valid;
    map.element = TensorElement(d.element);
    map.interleave = ptx::TensorInterleave(d.interleave);
    map.swizzle = ptx::TensorSwizzle(d.swizzle);
    require(d.fill == 0 || (d.fill == 1 && is_floating(map.element)), "no filling {} for elements of type {}", d.fill,
            d.element);
    if (d.interleave) least_rank = std::max(least_rank, 3u);
    require(d.rank >= least_rank && d.rank <= 5, "rank {}, allowed are {} to 5", d.rank, least_rank);
    const uint64_t alignment = map.interleave == ptx::TensorInterleave::slices_32b ? 32 : 16;
    require(d.address % alignment == 0, "address {:#x} is no multiple of {}", d.address, alignment);
    for (uint32_t i = 0; i < d.rank; i++) {
        require(d.extents[i] >= 1 && d.extents[i] <= largest_extent, "extent {} of dimension {}", d.extents[i], i);
        require(d.element_strides[i] >= 1 && d.element_strides[i] <= largest_step, "element stride {} of dimension {}",
                d.element_strides[i], i);
        map.last[i] = uint32_t(d.extents[i] - 1);
        map.element_strides[i] = uint8_t(d.element_strides[i]);
    }
    for (uint32_t i = 0; i + 1 < d.rank; i++) {
        require(d.strides[i] % alignment == 0 && d.strides[i] < stride_limit,
                "stride {} of dimension {} is no multiple of {} below 2^40", d.strides[i], i + 1, alignment);
        map.strides[i] = d.strides[i];
    }
    map.address = d.address;
    map.rank = uint8_t(d.rank);
    map.nan_fill = uint8_t(d.fill);
    map.l2_promotion = uint8_t(d.l2_promotion);
    return map;
}

/// Consecutive elements that lie together in shared memory.
void require_row(const TensorMap& map, uint32_t elements) {
    const uint32_t bytes = elements * size_of(map.element);
    require(bytes % 16 == 0, "rows of {} bytes, no multiple of 16", bytes);
    if (map.interleave == ptx::TensorInterleave::none)
        require(bytes <= span_of(map.swizzle), "rows of {} bytes, more than the swizzling spans", bytes);
}

void write(void* to, const TensorMap& map) { std::memcpy(to, &map, sizeof map); }

} // namespace

void encode_tiled(void* to, const TensorDescription& d, std::span<const uint32_t> box) {
    TensorMap map = describe(d, 1);
    uint64_t bytes = size_of(map.element);
    for (uint32_t i = 0; i < d.rank; i++) {
        require(box[i] >= 1 && box[i] <= largest_box, "a box of {} in dimension {}, allowed are 1 to {}", box[i], i,
                largest_box);
        map.box[i] = uint16_t(box[i]);
        bytes *= box[i];
    }
    require(bytes <= largest_tile, "a box of {} bytes", bytes);
    require_row(map, box[0]);
    write(to, map);
}

void encode_im2col(void* to, const TensorDescription& d, const Im2colBox& box) {
    TensorMap map = describe(d, 3);
    map.traversal = ptx::TensorTraversal::im2col;
    // The fewer dimensions, the more bits for each corner.
    const int limit = d.rank == 3 ? 32768 : d.rank == 4 ? 128 : 16;
    const uint32_t w = d.interleave ? 0 : 1; // where W is
    for (uint32_t i = 0; i + 2 < d.rank; i++) {
        const int64_t lower = box.lower[i], upper = box.upper[i], last = int64_t(d.extents[w + i]) - 1 + upper;
        require(lower >= -limit && lower < limit && upper >= -limit && upper < limit,
                "corners {} and {} of dimension {}", lower, upper, w + i);
        require(lower <= last, "pixels from {} to {} in dimension {}", lower, last, w + i);
        map.lower[i] = int16_t(lower);
        map.upper[i] = int16_t(upper);
    }
    require(box.channels >= 1 && box.channels <= largest_box, "{} channels", box.channels);
    require(box.pixels >= 1 && box.pixels <= most_pixels, "{} pixels", box.pixels);
    map.box[0] = uint16_t(box.channels);
    map.box[1] = uint16_t(box.pixels);
    require_row(map, box.channels);
    write(to, map);
}

void encode_im2col_wide(void* to, const TensorDescription& d, int lower, int upper, uint32_t channels, uint32_t pixels,
                        int mode) {
    TensorMap map = describe(d, 3);
    require(mode == 0 || mode == 1, "no mode {}", mode);
    require(d.swizzle == 0 || d.swizzle == 3, "swizzling {} with im2col::w", d.swizzle);
    map.traversal = mode ? ptx::TensorTraversal::im2col_w_128 : ptx::TensorTraversal::im2col_w;
    map.lower[0] = int16_t(lower);
    map.upper[0] = int16_t(upper);
    require(channels >= 1 && channels <= largest_box && pixels >= 1 && pixels <= most_pixels,
            "{} channels of {} pixels", channels, pixels);
    map.box[0] = uint16_t(channels);
    map.box[1] = uint16_t(pixels);
    require_row(map, channels);
    write(to, map);
}

void replace_address(void* to, uint64_t address) {
    TensorMap map;
    std::memcpy(&map, to, sizeof map);
    require(address && address % 16 == 0, "address {:#x} is no multiple of 16", address);
    map.address = address;
    write(to, map);
}

} // namespace rt

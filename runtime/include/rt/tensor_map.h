#pragma once

#include <cstdint>
#include <span>

/// Tensor maps: cuTensorMapEncode*. CUDA driver API, "Tensor Map Object Management". What is refused, with
/// invalid_value, is what an H100's driver refuses; the reason is in the message.
namespace rt {

struct TensorDescription {
    int element = 0; ///< CUtensorMapDataType
    uint32_t rank = 0;
    uint64_t address = 0;
    std::span<const uint64_t> extents;         ///< elements, `rank` of them
    std::span<const uint64_t> strides;         ///< bytes, rank - 1 of them
    std::span<const uint32_t> element_strides; ///< `rank` of them
    int interleave = 0, swizzle = 0, l2_promotion = 0, fill = 0;
};

struct Im2colBox {
    std::span<const int> lower, upper; ///< rank - 2 corners each
    uint32_t channels = 0, pixels = 0;
};

/// Each writes 128 bytes.
void encode_tiled(void* map, const TensorDescription&, std::span<const uint32_t> box);
void encode_im2col(void* map, const TensorDescription&, const Im2colBox&);
/// `mode`: CUtensorMapIm2ColWideMode. The map is made, as it is for an H100; no kernel here can use it.
void encode_im2col_wide(void* map, const TensorDescription&, int lower, int upper, uint32_t channels, uint32_t pixels,
                        int mode);
void replace_address(void* map, uint64_t address);

} // namespace rt

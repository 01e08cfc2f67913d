#pragma once

#include <stdint.h> // <cstdint> is not there for every device

/// What a texture or surface handle points to: written by the runtime in memory that the device reads, read by
/// device_library/texture_library.cpp. docs/neutral_ir.md.
namespace ptx::texture {

enum class Format : uint8_t { u8, u16, u32, s8, s16, s32, f16, f32 };
enum class Address : uint8_t { wrap, clamp, mirror, border }; ///< CUaddress_mode

/// Geometry of an instruction; bits 0 to 7 of `shape`. Bits 8 and 9: 1 when a level of detail is given.
enum class Geometry : uint8_t { d1, d2, d3, a1d, a2d, cube, acube };

/// What cuttle.texture.query asks.
enum class Query : uint8_t {
    width,
    height,
    depth,
    array_size,
    levels,
    samples,
    normalized,
    force_unnormalized,
    channel_type,
    channel_order,
    filter,
    address_0,
    address_1,
    address_2,
    memory_layout
};

/// What cuttle.texture.is asks.
enum class Kind : uint8_t { none, texture, sampler, surface };

/// What a surface access does outside: PTX ISA 9.7.11.
enum class Outside : uint8_t { trap, clamp, zero };

/// A .samplerref's value where it is no address: bit 0 a linear filter, bits 1 to 6 three address modes.
constexpr uint64_t literal_sampler = 1ull << 63, literal_unnormalized = 1ull << 62;

constexpr unsigned max_levels = 18;
constexpr uint32_t alive = 0x7e875e1f;

/// One level: rows of `width` texels, `pitch` bytes apart; slices or layers, `slice` bytes apart.
struct Level {
    uint64_t address = 0;
    uint32_t width = 0, height = 1, depth = 1, pitch = 0;
    uint64_t slice = 0;
};

struct Descriptor {
    uint32_t magic = 0; ///< `alive`, 0 once destroyed
    Format format = Format::f32;
    uint8_t channels = 1, texel_bytes = 4;
    bool integer = false; ///< texels are given as they are
    bool linear = false, linear_levels = false, normalized = false, srgb = false, seamless = false;
    Address address[3] = {Address::clamp, Address::clamp, Address::clamp};
    bool layered = false, cubemap = false, linear_memory = false;
    bool fixed_point = false;   ///< integers are fractions by the array's format: what is stored are floats
    uint8_t dimensions = 2;     ///< of one layer
    Kind kind = Kind::texture;
    uint8_t anisotropy = 1;     ///< samples along a footprint, at most: 1, 2, 4, 6, 8, 10, 12 or 16
    bool exact_levels = false;  ///< CU_TRSF_DISABLE_TRILINEAR_OPTIMIZATION
    uint32_t levels = 1;
    float bias = 0, least_level = 0, most_level = 0;
    float border[4] = {};
    uint8_t zeros[16] = {};   ///< what reads outside find
    uint8_t nowhere[16] = {}; ///< where writes outside go
    Level level[max_levels];
};

} // namespace ptx::texture

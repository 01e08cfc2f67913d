#pragma once

#include "ptx/texture_abi.h"
#include "texture/numbers.h"
#include "texture/srgb.h"

/// Texels as a filter takes them.
namespace texture {

using namespace ptx::texture;

/// Where a texel is: in a level, or in no place: the border.
struct Place {
    const Level* level;
    int x, y, z; ///< any negative: the border
};

inline bool on_border(const Place& p) { return p.x < 0 || p.y < 0 || p.z < 0; }

inline uint32_t raw(const Descriptor& t, const Place& p, int channel) {
    const int bytes = t.texel_bytes / t.channels;
    const uint64_t at = p.level->address + static_cast<uint64_t>(p.z) * p.level->slice +
                        static_cast<uint64_t>(p.y) * p.level->pitch + static_cast<uint64_t>(p.x) * t.texel_bytes +
                        static_cast<uint64_t>(channel * bytes);
    if (bytes == 1) return *reinterpret_cast<const uint8_t*>(at);
    if (bytes == 2) return *reinterpret_cast<const uint16_t*>(at);
    return *reinterpret_cast<const uint32_t*>(at);
}

/// A border colour's channel in the bits of a texel; where the texture gives integers the colour's bits are taken as they
/// are.
inline uint32_t border_bits(const Descriptor& t, int channel) {
    const float colour = t.border[channel];
    if (t.format == Format::f16) return half_of(bits_of(colour));
    if (t.integer) return bits_of(colour);
    switch (t.format) {
    case Format::u8: return static_cast<uint32_t>(unsigned_fraction(colour, 8));
    case Format::u16: return static_cast<uint32_t>(unsigned_fraction(colour, 16));
    case Format::s8: return static_cast<uint32_t>(signed_fraction(colour, 7));
    case Format::s16: return static_cast<uint32_t>(signed_fraction(colour, 15));
    default: return bits_of(colour);
    }
}

inline uint32_t texel(const Descriptor& t, const Place& p, int channel) {
    return on_border(p) ? border_bits(t, channel) : raw(t, p, channel);
}

inline bool gives_integers(const Descriptor& t) {
    return t.format == Format::u32 || t.format == Format::s32 ||
           (t.integer && t.format != Format::f16 && t.format != Format::f32);
}

/// An integer texel in a register.
inline uint32_t integer_of(const Descriptor& t, uint32_t bits) {
    switch (t.format) {
    case Format::u8: return bits & 0xff;
    case Format::u16: return bits & 0xffff;
    case Format::s8: return static_cast<uint32_t>(static_cast<int8_t>(bits));
    case Format::s16: return static_cast<uint32_t>(static_cast<int16_t>(bits));
    default: return bits;
    }
}

inline uint32_t ratio(int value, int of) { return bits_of(static_cast<float>(static_cast<double>(value) / of)); }

/// Alpha is linear.
inline bool is_srgb(const Descriptor& t, int channel) { return t.srgb && t.format == Format::u8 && channel < 3; }

inline float srgb_of(uint32_t bits) { return static_cast<float>(linear_of_srgb[bits & 0xff]) * 0x1p-15f; }

/// A lone texel, as a float where the texture gives floats.
inline uint32_t unfiltered(const Descriptor& t, uint32_t bits, int channel) {
    if (gives_integers(t)) return integer_of(t, bits);
    if (is_srgb(t, channel)) return bits_of(srgb_of(bits));
    switch (t.format) {
    case Format::u8: return ratio(static_cast<int>(bits & 0xff), 255);
    case Format::u16: return ratio(static_cast<int>(bits & 0xffff), 65535);
    case Format::s8: {
        const int value = static_cast<int8_t>(bits);
        return ratio(value < -127 ? -127 : value, 127);
    }
    case Format::s16: {
        const int value = static_cast<int16_t>(bits);
        return ratio(value < -32767 ? -32767 : value, 32767);
    }
    case Format::f16: return bits_of(half(static_cast<uint16_t>(bits)));
    default: return bits;
    }
}

} // namespace texture

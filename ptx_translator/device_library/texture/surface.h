#pragma once

#include "texture/texels.h"

/// Addresses in surfaces and texels made from words.
namespace texture {

/// An access: its place, how many bytes, and what is done outside.
struct Access {
    Geometry geometry;
    int32_t x, y, z, layer; ///< x in bytes
    uint32_t bytes;
    Outside outside;
    bool store;
};

constexpr uint64_t faulting = 1;

/// Outside: the nearest inside, zeros to read, a place to drop what is written, or an address that faults.
inline uint64_t address_of(const Descriptor& t, const Access& access) {
    const Level& level = t.level[0];
    const Geometry geometry = access.geometry;
    const bool flat = geometry == Geometry::d1 || geometry == Geometry::a1d;
    const long long row = static_cast<long long>(level.width) * t.texel_bytes;
    long long i = access.x, j = flat ? 0 : access.y, k = geometry == Geometry::d3 ? access.z : 0;
    if (geometry == Geometry::a1d || geometry == Geometry::a2d) k = access.layer & 0xffff; // as an H100 does
    const long long height = level.height, depth = level.depth, piece = access.bytes;
    if (access.x % static_cast<int>(access.bytes) != 0) return faulting; // misaligned, in any mode
    if (i < 0 || i + piece > row || j < 0 || j >= height || k < 0 || k >= depth) {
        if (access.outside == Outside::trap) return faulting;
        if (access.outside == Outside::zero) return reinterpret_cast<uint64_t>(access.store ? t.nowhere : t.zeros);
        i = i < 0 ? 0 : i + piece > row ? row - piece : i;
        j = j < 0 ? 0 : j >= height ? height - 1 : j;
        k = k < 0 ? 0 : k >= depth ? depth - 1 : k;
    }
    return level.address + static_cast<uint64_t>(k) * level.slice + static_cast<uint64_t>(j) * level.pitch +
           static_cast<uint64_t>(i);
}

inline int clamped(long long value, long long least, long long most) {
    return static_cast<int>(value < least ? least : value > most ? most : value);
}

/// A fraction in units of 1/`scale`, to the nearest, ties towards zero.
inline int fraction_of(float value, int scale, int least) {
    if (value != value) return 0;
    const double x = (value < least ? least : value > 1 ? 1 : static_cast<double>(value)) * scale;
    return static_cast<int>(x < 0 ? floor(x + 0.5) : -floor(0.5 - x));
}

/// Cut, and the largest number instead of an infinity.
inline uint32_t half_of(uint32_t bits) {
    const uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
    if (magnitude >= 0x7f800000) return sign | 0x7c00 | (magnitude >> 13 & 0x3ff);
    if (magnitude >= 0x47800000) return sign | 0x7bff;
    if (magnitude >= 0x38800000) return sign | (magnitude - 0x38000000) >> 13;
    return sign | static_cast<uint32_t>(float_of(magnitude) * 0x1p24f);
}

/// A word in the format of the texels: integers saturate, fractions and halves come from floats.
inline uint32_t formatted(const Descriptor& t, uint32_t word) {
    const auto whole = static_cast<int32_t>(word);
    const float value = float_of(word);
    switch (t.format) {
    case Format::u8:
        return static_cast<uint32_t>(t.fixed_point ? fraction_of(value, 255, 0) : clamped(word, 0, 255));
    case Format::u16:
        return static_cast<uint32_t>(t.fixed_point ? fraction_of(value, 65535, 0) : clamped(word, 0, 65535));
    case Format::s8:
        return static_cast<uint32_t>(t.fixed_point ? fraction_of(value, 127, -1) : clamped(whole, -128, 127));
    case Format::s16:
        return static_cast<uint32_t>(t.fixed_point ? fraction_of(value, 32767, -1) : clamped(whole, -32768, 32767));
    case Format::f16:
        return half_of(word);
    default:
        return word;
    }
}

/// A word as a channel.
inline void put(const Descriptor& t, uint64_t texel, int channel, uint32_t word) {
    word = formatted(t, word);
    const int bytes = t.texel_bytes / t.channels;
    __builtin_memcpy(reinterpret_cast<void*>(texel + static_cast<uint64_t>(channel * bytes)), &word,
                     static_cast<unsigned>(bytes));
}

} // namespace texture

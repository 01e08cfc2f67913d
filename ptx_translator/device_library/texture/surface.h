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

/// A word in the format of the texels: integers saturate, fractions and halves come from floats.
inline uint32_t formatted(const Descriptor& t, uint32_t word) {
    const auto whole = static_cast<int32_t>(word);
    const float value = float_of(word);
    int result = 0;
    switch (t.format) {
    case Format::u8: result = t.fixed_point ? unsigned_fraction(value, 8) : clamped(word, 0, 255); break;
    case Format::u16: result = t.fixed_point ? unsigned_fraction(value, 16) : clamped(word, 0, 65535); break;
    case Format::s8: result = t.fixed_point ? signed_fraction(value, 7) : clamped(whole, -128, 127); break;
    case Format::s16: result = t.fixed_point ? signed_fraction(value, 15) : clamped(whole, -32768, 32767); break;
    case Format::f16: return half_of(word);
    default: return word;
    }
    return static_cast<uint32_t>(result);
}

/// A word as a channel.
inline void put(const Descriptor& t, uint64_t texel, int channel, uint32_t word) {
    word = formatted(t, word);
    const int bytes = t.texel_bytes / t.channels;
    __builtin_memcpy(reinterpret_cast<void*>(texel + static_cast<uint64_t>(channel * bytes)), &word,
                     static_cast<unsigned>(bytes));
}

} // namespace texture

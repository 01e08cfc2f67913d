#pragma once

#include "texture/sampling.h"

/// The commonest fetches, from one level of two dimensions that holds floats or 8-bit fractions: the arithmetic of `sampled`
/// without its lists of texels. What is rare (borders, infinities, other formats) is left to it.
namespace texture {

inline bool is_simple(const Descriptor& t, const Request& r) {
    return r.geometry == Geometry::d2 && t.levels == 1 && !t.integer && !t.srgb &&
           (t.format == Format::f32 || t.format == Format::u8);
}

inline const uint8_t* texel_at(const Descriptor& t, int x, int y, int slice) {
    const Level& l = t.level[0];
    return reinterpret_cast<const uint8_t*>(l.address + static_cast<uint64_t>(slice) * l.slice +
                                            static_cast<uint64_t>(y) * l.pitch + static_cast<uint64_t>(x) * t.texel_bytes);
}

inline uint32_t word_at(const uint8_t* texel, int channel) {
    uint32_t word;
    __builtin_memcpy(&word, texel + 4 * channel, 4);
    return word;
}

/// filtered_floats of four texels of a plane. False: one is not finite.
inline bool filtered_plane(const uint32_t (&bits)[4], const Weights& w, uint32_t& result) {
    uint32_t exponents[4], most = 0;
    for (int k = 0; k < 4; ++k) {
        exponents[k] = bits[k] >> 23 & 255;
        if (exponents[k] == 255) return false;
        const uint32_t counted = w.of[k] ? exponents[k] : 0;
        most = counted > most ? counted : most;
    }
    long long sum = 0;
    for (int k = 0; k < 4; ++k) {
        const uint32_t shift = most - exponents[k];
        const uint32_t mantissa = exponents[k] == 0 || w.of[k] == 0 || shift > 28
                                      ? 0
                                      : ((bits[k] & 0x7fffff) | 0x800000) << 4 >> shift;
        const long long part = static_cast<long long>(mantissa) * w.of[k];
        sum += bits[k] >> 31 ? -part : part;
    }
    const uint32_t rounded_bits = bits_of(rounded(sum, static_cast<int>(most) - 127 - 23 - 4 - 8, 24, -149));
    result = (rounded_bits & 0x7f800000) == 0 ? 0 : rounded_bits;
    return true;
}

inline bool sampled_simply(const Descriptor& t, const Request& r, Words& result) {
    const Axes axes = axes_of(t, r, t.level[0], t.linear ? Take::filter : Take::nearest);
    const Axis &x = axes.x, &y = axes.y;
    const int slice = axes.z.first;
    if (x.first < 0 || y.first < 0) return false;
    const uint8_t* near = texel_at(t, x.first, y.first, slice);
    Words words = {0, 0, 0, 0};
    if (!t.linear) {
        for (int c = 0; c < t.channels; ++c)
            words[c] = t.format == Format::f32 ? word_at(near, c) : bits_of(static_cast<float>(near[c]) / 255.0f);
        result = words;
        return true;
    }
    if (x.second < 0 || y.second < 0) return false;
    const Weights w = split(256, x.weight, y.weight);
    // A texel that the filter does not reach is not read either.
    const uint8_t* right = x.weight ? texel_at(t, x.second, y.first, slice) : near;
    const uint8_t* below = y.weight ? texel_at(t, x.first, y.second, slice) : near;
    const uint8_t* far = x.weight && y.weight ? texel_at(t, x.second, y.second, slice) : near;
    for (int c = 0; c < t.channels; ++c) {
        if (t.format == Format::u8) {
            const int sum = 257 * (near[c] * w.of[0] + right[c] * w.of[1] + below[c] * w.of[2] + far[c] * w.of[3]);
            // As good as the division of doubles for all sixteen bits.
            words[c] = bits_of(static_cast<float>((sum + 128) >> 8) / 65535.0f);
        } else {
            uint32_t value = 0;
            const uint32_t bits[4] = {word_at(near, c), word_at(right, c), word_at(below, c), word_at(far, c)};
            if (!filtered_plane(bits, w, value)) return false;
            words[c] = value;
        }
    }
    result = words;
    return true;
}

} // namespace texture

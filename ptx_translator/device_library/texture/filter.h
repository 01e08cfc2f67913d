#pragma once

#include "texture/texels.h"

/// Weighted sums of texels, with an H100's roundings.
namespace texture {

constexpr int most_samples = 16, most_planes = 2 * most_samples, most_corners = 4 * most_planes;

/// The texels that a filter reads and their weights, which add up to two to the power of `bits`, in fours: the cells of a
/// plane.
struct Corners {
    Place place[most_corners];
    int weight[most_corners];
    int plane[most_corners];
    int count = 0, planes = 0, bits = 8;

    /// A texel whose weight was rounded to zero counts if it is NaN or infinite.
    void add(const Place& p, int w, bool within) {
        if (!within) return;
        place[count] = p;
        weight[count] = w;
        plane[count++] = planes;
    }
};

/// How a filter adds floats.
struct Sum {
    int kept;      ///< bits of the result
    int least;     ///< exponent of the smallest bit that a result may have
    unsigned mask; ///< bits of an aligned mantissa that count; bit 27 is the first one of the largest
    int dropped;   ///< bits of a plane of several samples that do not count, in units of the mantissas' and weights' last
};

constexpr Sum sum_of_floats{24, -149, ~0u, 1}, sum_of_halves{11, -24, ~0u << 13, 0},
    sum_of_srgb{11, -24, ~0u << 20, 19};

/// In each plane, mantissas are cut to four bits behind the last one of the largest (sRGB: to none) and added exactly;
/// the planes' sums are added and rounded once.
/// `raised`: exponents are one more in the alignment.
inline uint32_t filtered_floats(const float* values, const bool* raised, const Corners& corners, const Sum& how) {
    int largest[most_planes], all = 0;
    for (int k = 0; k < corners.planes; ++k) largest[k] = 0;
    bool nan = false, plus = false, minus = false;
    for (int k = 0; k < corners.count; ++k) {
        const uint32_t bits = bits_of(values[k]);
        const int exponent = static_cast<int>(bits >> 23 & 255);
        if (exponent == 255) {
            nan |= (bits & 0x7fffff) != 0;
            (bits >> 31 ? minus : plus) = true;
        }
        if (corners.weight[k] == 0) continue;
        const int aligned = exponent + raised[k];
        int& most = largest[corners.plane[k]];
        most = aligned > most ? aligned : most;
        all = aligned > all ? aligned : all;
    }
    if (nan || (plus && minus)) return canonical_nan;
    if (plus || minus) return minus ? 0xff800000u : 0x7f800000u;
    constexpr int room = 20; // bits behind the last one, for planes of smaller numbers
    // Of several samples, the last bits of a plane's sum are dropped, downwards.
    const int below = corners.bits > 8 ? room + how.dropped : 0;
    long long sum = 0, of_plane = 0;
    for (int k = 0; k < corners.count; ++k) {
        if (k && corners.plane[k] != corners.plane[k - 1]) {
            sum += of_plane >> below << below;
            of_plane = 0;
        }
        const uint32_t bits = bits_of(values[k]);
        const int exponent = static_cast<int>(bits >> 23 & 255), most = largest[corners.plane[k]], shift = most - exponent;
        if (exponent == 0 || corners.weight[k] == 0 || shift > 28 || all - most > 60) continue;
        const unsigned mantissa = ((bits & 0x7fffff) | 0x800000) << 4 >> shift & how.mask;
        const long long part = (static_cast<long long>(mantissa) * corners.weight[k] << room) >> (all - most);
        of_plane += bits >> 31 ? -part : part;
    }
    sum += of_plane >> below << below;
    return bits_of(rounded(sum, all - 127 - 23 - 4 - corners.bits - room, how.kept, how.least));
}

/// Signed 8-bit texels become 16-bit ones behind the sum, by a series that an H100 cuts after its third term.
inline int snorm16_of_snorm8(int sum) {
    const int value = (sum * 129 + (sum >> 12) * 16 + 64) >> 7;
    return value < -32767 ? -32767 : value;
}

/// `lone`: of the first corner alone, as it is. Where this is inlined, it is long: texels are read, and floats added, at one
/// place for all formats.
inline uint32_t filtered(const Descriptor& t, const Corners& corners, int channel, bool lone) {
    const bool srgb = is_srgb(t, channel), integers = gives_integers(t);
    const bool floats = t.format == Format::f32 || t.format == Format::f16 || srgb;
    const int count = lone || integers ? 1 : corners.count;
    uint32_t bits[most_corners];
    for (int k = 0; k < count; ++k) bits[k] = texel(t, corners.place[k], channel);
    if (lone || integers) return unfiltered(t, bits[0], channel);
    if (floats) {
        float values[most_corners];
        bool raised[most_corners];
        for (int k = 0; k < count; ++k) {
            values[k] = srgb                      ? srgb_of(bits[k])
                        : t.format == Format::f16 ? half(static_cast<uint16_t>(bits[k]))
                                                  : float_of(bits[k]);
            raised[k] = srgb && is_aligned_upwards(bits[k] & 0xff);
        }
        const Sum how = srgb ? sum_of_srgb : t.format == Format::f16 ? sum_of_halves : sum_of_floats;
        const uint32_t result = filtered_floats(values, raised, corners, how);
        // Denormal floats are zero.
        return t.format == Format::f32 && (result & 0x7f800000) == 0 ? 0 : result;
    }
    const int half = 1 << (corners.bits - 1), extra = corners.bits - 8;
    int sum = 0;
    for (int k = 0; k < count; ++k) {
        int value = 0;
        switch (t.format) {
        case Format::u8: value = static_cast<int>(bits[k] & 0xff) * 257; break;
        case Format::u16: value = static_cast<int>(bits[k] & 0xffff); break;
        case Format::s8: value = static_cast<int8_t>(bits[k]); break;
        default: value = static_cast<int16_t>(bits[k]); break;
        }
        sum += value * corners.weight[k];
    }
    if (t.format == Format::u8 || t.format == Format::u16) return ratio((sum + half) >> corners.bits, 65535);
    if (t.format == Format::s8) return ratio(snorm16_of_snorm8((sum + (half >> 8)) >> extra), 32767);
    const int value = (sum + half) >> corners.bits;
    return ratio(value < -32767 ? -32767 : value, 32767);
}

} // namespace texture

#pragma once

#include "texture/gradient.h"

/// Footprints that are longer than wide, as an H100 samples them: several samples along the longer axis, each as large as
/// the shorter one. tests/texture/README.md
namespace texture {

struct Footprint {
    double x, y; ///< the longer axis, in texels
    int length;  ///< its level, in 1/256
    int level;   ///< of the shorter axis
    int ratio;   ///< log2 of how much longer the longer one is
};

/// 256 * log2 of a number of samples, cut to 1/16.
inline int level_of_samples(int samples) {
    switch (samples) {
    case 2: return 256;
    case 4: return 512;
    case 6: return 656;
    case 8: return 768;
    case 10: return 848;
    case 12: return 912;
    default: return samples < 2 ? 0 : 1024;
    }
}

/// A product of two cut numbers, of ten bits: the smaller powers of two of the partial products are dropped.
inline double product_of(double x, double y) {
    if (x == 0 || y == 0) return 0;
    const uint32_t m = mantissa(x) << 3, n = mantissa(y);
    uint32_t sum = 7;
    for (int k = 0; k <= fraction; ++k)
        if (n >> (fraction - k) & 1) sum += m >> k;
    const double size = cut((sum >> 3) * exact_power_of_two(exponent_of(x) + exponent_of(y) - fraction));
    return (x < 0) != (y < 0) ? -size : size;
}

/// The shorter axis is the area over the longer one; the number of samples is limited.
inline Footprint footprint_of(const Gradients& g, int samples) {
    const Vector sum = sum_of(g.x, g.y), difference = sum_of(g.x, minus(g.y));
    const Vector axes[4] = {g.x, g.y, sum, difference};
    int longest = 0;
    double length = length_of(g.x, false);
    for (int k = 1; k < 4; ++k) {
        const double other = length_of(axes[k], k > 1);
        if (other > length) length = other, longest = k;
    }
    const double area = __builtin_fabs(sum_of(product_of(g.x.x, g.y.y), -product_of(g.x.y, g.y.x)));
    const int major = level_of_length(length);
    int minor = area == 0 ? -60 * 256 : level_of_length(area) - major;
    if (minor > major) minor = major;
    const int least = major - level_of_samples(samples);
    const int level = minor < least ? least : minor;
    const auto part = [&](double along) {
        const double size = __builtin_fabs(along), shorter = longest > 1 ? cut(scaled(size, 11, 3)) / 2 : size;
        return along < 0 ? -shorter : shorter;
    };
    return {part(axes[longest].x), part(axes[longest].y), major, level, major - (level < 0 ? 0 : level)};
}

/// What is called the trilinear optimization: more of the texture lies in one level only.
inline int optimized_level(int level, int samples) {
    const int part = level & 255;
    const int steeper = samples < 4 ? (6 * part - 252) >> 2 : samples < 8 ? (7 * part - 378) >> 2 : 2 * part - 128;
    return (level & ~255) + (steeper < 0 ? 0 : steeper > 256 ? 256 : steeper);
}

/// 2^(-part / 256), by the exponential series; `part` is less than 256.
inline double inverse_power(int part) {
    const double x = part * (0.6931471805599453 / 256);
    double term = 1, sum = 1;
    for (int k = 1; k < 16; ++k) {
        term *= -x / k;
        sum += term;
    }
    return sum;
}

inline int rounded_inverse_power(int part, int one) { return static_cast<int>(__builtin_floor(one * inverse_power(part) + 0.5)); }

/// Samples at a level: their number, how much those within and the two at the ends weigh, and where the first one is.
struct Samples {
    int count, within, outer; ///< in units of 1 / 2^bits
    int bits;
    int ends;                 ///< of two: how far from the middle, in 1/128 steps
};

inline Samples samples_of(int ratio) {
    if (ratio <= 0) return {1, 0, 256, 8, 0};
    const int octave = ratio >> 8, inverse = rounded_inverse_power(ratio & 255, 256);
    if (octave == 0) return {2, 0, 256, 9, 128 - rounded_inverse_power(ratio, 128)};
    const int bits = octave == 1 ? 9 : 10, all = 1 << bits;
    const int within = octave == 1 ? inverse : octave == 2 ? inverse : octave == 3 ? inverse >> 1 : inverse >> 2;
    int count = 2;
    while (count < most_samples && count * within < all) count += 2;
    return {count, within, (all - (count - 2) * within) / 2, bits, 64};
}

/// How far sample `i` lies from the middle along one axis, in texels of the level. `length`: log2 of what a step is in parts
/// of the axis.
inline double place_of(const Samples& samples, int i, double axis, int length) {
    if (samples.count == 1 || axis == 0) return 0;
    const double size = __builtin_fabs(axis);
    const double step = size * inverse_power(length & 255) * exact_power_of_two(-(length >> 8));
    // Of two, the distance is rounded to 1/128; else the step to 1/64.
    const double far = samples.count == 2 ? __builtin_floor(step * samples.ends + 0.5) / 128
                                          : __builtin_floor(step * 64 + 0.5) / 128 * (2 * i + 1 - samples.count);
    const double place = samples.count == 2 && i == 0 ? -far : far;
    return axis < 0 ? -place : place;
}

} // namespace texture

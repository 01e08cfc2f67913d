#pragma once

#include "texture/gradient.h"

/// Footprints that are longer than wide, as an H100 samples them: several samples along the longer axis, each as large as
/// the shorter one. tests/texture/README.md
namespace texture {

struct Footprint {
    double x, y; ///< the longer axis, in texels
    int level;   ///< of the shorter axis, in 1/256
    int ratio;   ///< log2 of how much longer the longer one is, in 1/256
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
    // The difference is the longer gradient less the other one.
    const Vector sum = sum_of(g.x, g.y);
    const bool swapped = length_of(g.y, false) > length_of(g.x, false);
    const Vector difference = swapped ? sum_of(g.y, minus(g.x)) : sum_of(g.x, minus(g.y));
    const Vector axes[4] = {g.x, sum, g.y, difference};
    int longest = 0;
    double length = cut(length_of(g.x, false));
    for (int k = 1; k < 4; ++k) {
        const double other = cut(length_of(axes[k], k & 1));
        if (other > length) length = other, longest = k;
    }
    const double area = __builtin_fabs(sum_of(product_of(g.x.x, g.y.y), -product_of(g.x.y, g.y.x)));
    const int major = level_of_length(length);
    int minor = area == 0 ? -60 * 256 : level_of_length(area) - major;
    if (minor > major) minor = major;
    const int least = major - level_of_samples(samples);
    const int level = minor < least ? least : minor;
    const auto part = [&](double along) {
        const double size = __builtin_fabs(along), shorter = longest & 1 ? cut(scaled(size, 11, 3)) / 2 : size;
        return along < 0 ? -shorter : shorter;
    };
    return {part(axes[longest].x), part(axes[longest].y), level, major - (level < 0 ? 0 : level)};
}

/// What is called the trilinear optimization: more of the texture lies in one level only.
inline int optimized_level(int level, int samples) {
    const int part = level & 255;
    const int steeper = samples < 4 ? (6 * part - 252) >> 2 : samples < 8 ? (7 * part - 378) >> 2 : 2 * part - 128;
    return (level & ~255) + (steeper < 0 ? 0 : steeper > 256 ? 256 : steeper);
}

/// 2^(part / 256) by the exponential series, for parts within an octave up or down.
constexpr double power_of_part(int part) {
    const double x = part * (0.6931471805599453 / 256);
    double term = 1, sum = 1;
    for (int k = 1; k < 20; ++k) {
        term *= x / k;
        sum += term;
    }
    return sum;
}

/// Powers of two of an octave's parts: 64 times those upwards, where three quarters round up, and 256 times those downwards,
/// to the nearest.
struct Octave {
    uint8_t up[256] = {};
    uint16_t down[256] = {};
    constexpr Octave() {
        for (int k = 0; k < 256; ++k) {
            up[k] = static_cast<uint8_t>(64 * power_of_part(k) + 0.25);
            down[k] = static_cast<uint16_t>(256 * power_of_part(-k) + 0.5);
        }
    }
};
constexpr Octave powers;

/// 64 times `along` of a vector's length, to the nearest.
constexpr uint8_t part_of_unit(int along, int across) {
    int part = 0;
    for (int odd = 1; odd * odd * (along * along + across * across) <= 128 * 128 * along * along; odd += 2) ++part;
    return static_cast<uint8_t>(part);
}

/// Vectors of length one, in 1/64. The longer component counts in eighths of its octave, the middle of one standing for it,
/// the shorter in the same unit; half a unit and less is none.
struct UnitVectors {
    uint8_t longer[8][17] = {}, shorter[8][17] = {};
    constexpr UnitVectors() {
        for (int i = 0; i < 8; ++i)
            for (int j = 0; j < 17; ++j) {
                const int a = 2 * (8 + i) + 1, b = j ? 2 * j - 1 : 0;
                longer[i][j] = part_of_unit(a, b);
                shorter[i][j] = part_of_unit(b, a);
            }
    }
};
constexpr UnitVectors unit_vectors;

/// Along an axis of the texture, in 1/64 texels.
struct Step {
    int x, y;
};

inline Step unit_step(double x, double y) {
    const double a = __builtin_fabs(x), b = __builtin_fabs(y);
    const double longer = a < b ? b : a, shorter = a < b ? a : b;
    if (longer == 0) return {0, 0};
    const double scale = exact_power_of_two(3 - exponent_of(longer));
    const int i = static_cast<int>(longer * scale) - 8;
    const int j = shorter * scale * 2 < 0.5 ? 0 : static_cast<int>(shorter * scale) + 1;
    const int along = unit_vectors.longer[i][j], across = unit_vectors.shorter[i][j];
    const int along_x = a < b ? across : along, along_y = a < b ? along : across;
    return {x < 0 ? -along_x : along_x, y < 0 ? -along_y : along_y};
}

/// Samples at a level: their number, and how much those within and the two at the ends weigh.
struct Samples {
    int count, within, outer; ///< in units of 1 / 2^bits
    int bits;
    int apart;                ///< of two, how far from the middle, in 1/128 of a step's half
};

inline Samples samples_of(int ratio) {
    if (ratio <= 0) return {1, 0, 256, 8, 0};
    if (ratio < 256) return {2, 0, 256, 9, 256 - powers.down[ratio]};
    const bool whole = powers.down[ratio & 255] == 128; // rounded up to the next octave
    const int octaves = (ratio >> 8) + whole, inverse = whole ? 256 : powers.down[ratio & 255];
    const int bits = octaves == 1 ? 9 : 10, all = 1 << bits;
    const int within = octaves < 3 ? inverse : inverse >> (octaves - 2);
    int count = 2;
    while (count < most_samples && count * within < all) count += 2;
    return {count, within, (all - (count - 2) * within) / 2, bits, 128};
}

/// How far sample `i` lies from the middle along one axis, in texels of a level that is `finer` / 256 finer than the
/// footprint's, less than one. Negative steps are rounded downwards too, which makes them longer.
inline double place_of(const Samples& samples, int i, int unit, int finer) {
    if (samples.count == 1) return 0;
    const auto longer = [&](int step) { return step * powers.up[finer] >> 6; };
    if (samples.count > 2) return longer(unit) * (2 * i + 1 - samples.count) * 0x1p-7;
    // Of two, the distance is first rounded to 1/128, halves up.
    const int far = longer((unit * samples.apart + 64) >> 7);
    return (i == 0 ? -far : far) * 0x1p-7;
}

} // namespace texture

#pragma once

#include "texture/cube.h"

/// Levels of detail from gradients, as an H100 has them: numbers of ten bits, lengths without a root, and a table for the
/// logarithm. tests/texture/README.md
namespace texture {

// clang-format off
/// 256 * log2(1 + (i + 0.5) / 256), as an H100 has it.
constexpr uint8_t fraction_of_log2[256] = {
    0, 2, 4, 5, 6, 8, 9, 11, 12, 13, 15, 16, 18, 19, 20, 22, 23, 24, 26, 27, 28, 30, 31, 32, 34, 35, 36, 38, 39, 40,
    42, 43, 44, 45, 47, 48, 49, 50, 52, 53, 54, 55, 57, 58, 59, 60, 62, 63, 64, 65, 66, 68, 69, 70, 71, 72, 74, 75,
    76, 77, 78, 79, 81, 82, 83, 84, 85, 86, 88, 89, 90, 91, 92, 93, 94, 95, 97, 98, 99, 100, 101, 102, 103, 104, 105,
    106, 107, 109, 110, 111, 112, 113, 114, 115, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129,
    130, 131, 132, 133, 135, 136, 137, 137, 138, 139, 140, 141, 142, 143, 144, 145, 146, 147, 148, 149, 150, 151, 152,
    153, 154, 155, 156, 157, 158, 159, 160, 161, 162, 162, 163, 164, 165, 166, 167, 168, 169, 170, 171, 172, 173, 173,
    174, 175, 176, 177, 178, 179, 180, 181, 181, 182, 183, 184, 185, 186, 187, 188, 188, 189, 190, 191, 192, 193, 194,
    195, 195, 196, 197, 198, 199, 200, 200, 201, 202, 203, 204, 205, 205, 206, 207, 208, 209, 210, 210, 211, 212, 213,
    214, 214, 215, 216, 217, 218, 218, 219, 220, 221, 222, 222, 223, 224, 225, 226, 226, 227, 228, 229, 229, 230, 231,
    232, 233, 233, 234, 235, 236, 236, 237, 238, 239, 239, 240, 241, 242, 242, 243, 244, 245, 245, 246, 247, 248, 248,
    249, 250, 251, 251, 252, 253, 253, 254, 255, 255,
};
// clang-format on

/// Three numbers of ten bits each, or of what floats have before they are cut.
struct Vector {
    double x, y, z;
};

inline uint64_t double_bits(double x) { return __builtin_bit_cast(uint64_t, x); }
inline double double_of(uint64_t bits) { return __builtin_bit_cast(double, bits); }
inline double exact_power_of_two(int exponent) { return double_of(static_cast<uint64_t>(exponent + 1023) << 52); }
inline int exponent_of(double value) { return static_cast<int>(double_bits(value) >> 52 & 2047) - 1023; }

constexpr int fraction = 9; ///< bits behind the first one

/// Towards zero to ten bits.
inline double cut(double x) { return double_of(double_bits(x) & ~((1ull << (52 - fraction)) - 1)); }

/// As large a number as gradients go, which stands for NaN too; what is too small to matter is zero.
inline double limited(double x) {
    const double size = __builtin_fabs(x);
    if (size <= 0x1p-60) return 0;
    return size < 0x1p60 ? x : x < 0 ? -0x1p60 : 0x1p60;
}

/// The ten bits of a cut number that is not zero, as an integer.
inline uint32_t mantissa(double x) {
    return static_cast<uint32_t>(double_bits(x) >> (52 - fraction) & ((1u << fraction) - 1)) | 1u << fraction;
}

/// x * factor / 2^shift, one to two times x, rounded to nine bits behind the first one of x, halves up.
inline double scaled(double x, uint32_t factor, int shift) {
    if (x == 0) return 0;
    const uint32_t product = (mantissa(x) * factor + (1u << (shift - 1))) >> shift;
    return product * exact_power_of_two(exponent_of(x) - fraction);
}

/// x * size: the sum of x's multiples by powers of two, each cut to twelve bits behind its first one.
inline double in_texels(double x, uint32_t size) {
    x = cut(limited(x));
    if (x == 0) return 0;
    const uint32_t m = mantissa(x) << 3;
    const int top = 31 - __builtin_clz(size);
    uint32_t sum = 7;
    for (int k = 0; k <= top && k < 13; ++k)
        if (size >> (top - k) & 1) sum += m >> k;
    const double product = (sum >> 3) * exact_power_of_two(exponent_of(x) + top - fraction);
    return cut(x < 0 ? -product : product);
}

/// The smaller is cut to ten bits behind the larger one's first one.
inline double sum_of(double x, double y) {
    const double most = __builtin_fabs(x) > __builtin_fabs(y) ? __builtin_fabs(x) : __builtin_fabs(y);
    if (most == 0) return 0;
    const double unit = exact_power_of_two(exponent_of(most) - fraction - 1);
    return cut((__builtin_trunc(x / unit) + __builtin_trunc(y / unit)) * unit);
}

inline Vector sum_of(const Vector& a, const Vector& b) { return {sum_of(a.x, b.x), sum_of(a.y, b.y), sum_of(a.z, b.z)}; }
inline Vector minus(const Vector& a) { return {-a.x, -a.y, -a.z}; }

/// Adds to a second component's part what the third one gives.
inline double with_third(double part, double third) {
    if (part == 0 || third == 0) return part; // the third is the shortest
    const double unit = exact_power_of_two(exponent_of(part) - fraction);
    return cut(part + __builtin_floor(third / unit) * unit);
}

/// The longest component, 11/32 of the next, 1/4 of the shortest; of a diagonal, 11/16 of that.
inline double length_of(const Vector& v, bool diagonal) {
    double a = __builtin_fabs(v.x), b = __builtin_fabs(v.y), c = __builtin_fabs(v.z);
    const auto order = [](double& more, double& less) {
        if (less > more) {
            const double kept = more;
            more = less;
            less = kept;
        }
    };
    order(a, b), order(b, c), order(a, b);
    if (diagonal) return cut(scaled(a, 11, 3)) / 2 + with_third(scaled(b, 121, 6) / 8, cut(scaled(c, 11, 3)) / 8);
    return a + with_third(scaled(b, 11, 3) / 4, c / 4);
}

/// 256 * log2 of a length.
inline int level_of_length(double length) {
    if (length == 0) return -60 * 256;
    return exponent_of(length) * 256 + fraction_of_log2[double_bits(length) >> 44 & 255];
}

/// The gradients of a footprint, in texels, cut. One that crosses an edge of a cube has no diagonals.
struct Gradients {
    Vector x, y;
    bool diagonals = true;
};

/// log2 of the larger axis of a pixel's footprint, in 1/256. The axes are the gradients, or lie between them.
inline int level_of_gradients(const Gradients& g) {
    double length = length_of(g.x, false);
    const auto consider = [&](double other) { length = other > length ? other : length; };
    consider(length_of(g.y, false));
    if (g.diagonals) {
        consider(length_of(sum_of(g.x, g.y), true));
        consider(length_of(sum_of(g.x, minus(g.y)), true));
    }
    return level_of_length(length);
}

/// From a direction to another on the cube's surface, in texels along the first one's face. Beyond an edge the next face is
/// unfolded; on the opposite one all is far.
inline Vector along_faces(const Direction& from, const Direction& to, uint32_t size, bool& crosses) {
    const int here = face_number(from), there = face_number(to);
    const int normal = here / 2, s = axis_s[here], t = axis_t[here];
    // Half the size is what a length of one of the cube, whose edge is two, has.
    const auto texels = [&](double along) { return in_texels(along * 0.5, size); };
    double change[3];
    for (int k = 0; k < 3; ++k) {
        const double along = static_cast<double>(to.at[k]) - static_cast<double>(from.at[k]);
        change[k] = along == along ? texels(along) : 0;
    }
    if (here != there) {
        crosses = true;
        if (here / 2 == there / 2) return {0x1p60, 0, 0};
        const int across = there / 2;
        const double sign = there & 1 ? -1 : 1;
        const double near = 1 - sign * static_cast<double>(from.at[across]);
        const double far = 1 - (here & 1 ? -1.0 : 1.0) * static_cast<double>(to.at[normal]);
        change[across] = sum_of(texels(near), texels(far));
    }
    return {change[s] * sign_s[here], change[t] * sign_t[here], 0};
}

} // namespace texture

#pragma once

#include "texture/cube.h"

/// Levels of detail from gradients. Lengths are estimated as an H100 does it: no root, and a table for the logarithm.
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

struct Vector {
    double x, y, z;
};

inline Vector operator+(const Vector& a, const Vector& b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
inline Vector operator-(const Vector& a, const Vector& b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }

/// Cut to a multiple of a power of two.
inline double cut(double value, int exponent) {
    const double unit = power_of_two(exponent);
    return floor(value / unit) * unit;
}

inline int exponent_of(double value) {
    return static_cast<int>(__builtin_bit_cast(uint64_t, value) >> 52 & 2047) - 1023;
}

/// The longest component, 11/32 of the next, 1/4 of the shortest.
inline double length_of(const Vector& v) {
    double a = __builtin_fabs(v.x), b = __builtin_fabs(v.y), c = __builtin_fabs(v.z);
    const auto order = [](double& more, double& less) {
        if (less > more) {
            const double kept = more;
            more = less;
            less = kept;
        }
    };
    order(a, b), order(b, c), order(a, b);
    if (!(a > 0x1p-60)) return a > 0 ? a : 0;
    if (a > 0x1p60) return a;
    const int unit = exponent_of(a) - 9;
    return cut(a, unit) + cut(b * 0.34375, unit) + cut(c * 0.25, unit);
}

/// log2 of the larger axis of a pixel's footprint, in 1/256. The axes are the gradients, or lie between them.
inline int level_of_gradients(const Vector& dx, const Vector& dy) {
    double length = length_of(dx);
    const auto consider = [&](double other) { length = other > length ? other : length; };
    consider(length_of(dy));
    consider(length_of(dx + dy) * 0.6875);
    consider(length_of(dx - dy) * 0.6875);
    if (!(length > 0x1p-60)) return -60 * 256;
    if (length > 0x1p60) return 60 * 256;
    const auto fraction = static_cast<unsigned>(__builtin_bit_cast(uint64_t, length) >> 44 & 255);
    return exponent_of(length) * 256 + fraction_of_log2[fraction];
}

/// A direction's gradient as one along its face, in texels: the derivative of part / longest.
inline Vector along_faces(float x, float y, float z, const Vector& d, uint32_t size) {
    const Face face = face_of(x, y, z, size);
    const double at[3] = {x, y, z}, by[3] = {d.x, d.y, d.z};
    const int normal = face.number / 2, s = normal == 0 ? 2 : 0, t = normal == 1 ? 2 : 1;
    const double longest = __builtin_fabs(at[normal]), half = size * 0.5;
    const double away = at[normal] < 0 ? -by[normal] : by[normal];
    const auto along = [&](int axis) { return (by[axis] * longest - at[axis] * away) / (longest * longest) * half; };
    return {along(s), along(t), 0};
}

} // namespace texture

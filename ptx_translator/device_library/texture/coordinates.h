#pragma once

#include "texture/filter.h"

/// From coordinates to texels and weights.
namespace texture {

/// One axis of a filter: two texels, -1 for the border, and the weight of the second in 1/256.
struct Axis {
    int first, second, weight;
};

inline int addressed(long long i, int size, Address mode) {
    if (i >= 0 && i < size) return static_cast<int>(i);
    if (mode == Address::border) return -1;
    if (mode == Address::clamp) return i < 0 ? 0 : size - 1;
    // Where everything is inlined, a division is long: one for both.
    const long long period = mode == Address::mirror ? 2LL * size : size;
    long long rest = i % period;
    if (rest < 0) rest += period;
    return static_cast<int>(rest < size ? rest : 2LL * size - 1 - rest);
}

/// Wrapping needs normalised coordinates; without, it is a clamp. CUDA C++ Programming Guide, texture memory.
inline Address mode_of(const Descriptor& t, int axis) {
    const Address mode = t.address[axis];
    if (!t.normalized && (mode == Address::wrap || mode == Address::mirror)) return Address::clamp;
    return mode;
}

/// In texels. A normalised coordinate counts to 21 bits behind the point, and denormal ones are zero.
inline double in_texels(const Descriptor& t, float coordinate, uint32_t size) {
    const double x = bounded(__builtin_fabsf(coordinate) < 0x1p-126f ? 0 : coordinate);
    return t.normalized ? floor(x * 0x1p21) * 0x1p-21 * size : x;
}

/// What an axis is asked for: one texel, a filter's two, or these two as they are.
enum class Take : uint8_t { nearest, filter, gather };

inline Axis axis_of(double x, int size, Address mode, int offset, Take take) {
    const bool lone = take == Take::nearest;
    const auto place = static_cast<long long>(floor(lone ? x : (x - 0.5) * 256 + 0.5)); // in texels, or in 1/256
    long long fixed = place + offset * 256LL;
    if (mode == Address::clamp && take == Take::filter) { // the coordinate is clamped, not the texels: no weight beyond the edge
        const long long last = (size - 1) * 256LL;
        fixed = fixed < 0 ? 0 : fixed > last ? last : fixed;
    }
    const long long i = lone ? place + offset : fixed >> 8;
    int texels[2] = {0, 0};
    for (int k = 0; k < (lone ? 1 : 2); ++k) texels[k] = addressed(i + k, size, mode);
    return {texels[0], texels[1], lone ? 0 : static_cast<int>(fixed & 255)};
}

inline int product(int a, int b) { return (a * b + 128) >> 8; }

/// The weights of a cell's four corners: near, far in x, far in y, far in both.
struct Weights {
    int of[4];
};

/// Splits by x, then by y; what is rounded is the far part at the far x and the near part at the near x.
inline Weights split(int weight, int x, int y) {
    const int far = product(weight, x), near = weight - far;
    const int near_near = product(near, 256 - y), far_far = product(far, y);
    return {{near_near, far - far_far, near - near_near, far_far}};
}

/// Splits a weight over the texels of a cell: by z, then as above. Its unit is two to the power of `shift` of the corners'.
inline void add_cell(Corners& corners, const Level& level, const Axis& x, const Axis& y, const Axis& z, int weight,
                     int shift = 0) {
    const int near_z = product(weight, 256 - z.weight);
    for (int k = 0; k < (z.weight ? 2 : 1); ++k) {
        const Weights w = split(k ? weight - near_z : near_z, x.weight, y.weight);
        const int slice = k ? z.second : z.first;
        corners.add({&level, x.first, y.first, slice}, w.of[0] << shift, true);
        corners.add({&level, x.second, y.first, slice}, w.of[1] << shift, x.weight);
        corners.add({&level, x.first, y.second, slice}, w.of[2] << shift, y.weight);
        corners.add({&level, x.second, y.second, slice}, w.of[3] << shift, x.weight && y.weight);
        ++corners.planes;
    }
}

} // namespace texture

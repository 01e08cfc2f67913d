#pragma once

#include "texture/coordinates.h"

/// Cube maps: from a direction to a face and its coordinates. CUDA C++ Programming Guide, cubemap textures.
namespace texture {

struct Face {
    int number;    ///< as face_number has it
    double s, t;   ///< in texels
};

/// (part + 1) / 2 of a face's edge, cut to the bits of a normalised coordinate.
inline double along_face(float part, uint32_t size) { return (floor(bounded(part) * 0x1p20) * 0x1p-21 + 0.5) * size; }

inline float magnitude(float x) { return x == x ? __builtin_fabsf(x) : -1; } // NaN is below all

/// A direction on the surface of the cube.
struct Direction {
    float at[3];
};

/// A direction is first scaled, which makes NaN of infinities and of no direction.
inline Direction direction_of(float x, float y, float z) {
    float longest = magnitude(x);
    longest = magnitude(y) > longest ? magnitude(y) : longest;
    longest = magnitude(z) > longest ? magnitude(z) : longest;
    const float scale = 1 / longest;
    return {{x * scale, y * scale, z * scale}};
}

/// +x, -x, +y, -y, +z, -z
inline int face_number(const Direction& d) {
    const float ax = magnitude(d.at[0]), ay = magnitude(d.at[1]), az = magnitude(d.at[2]);
    if (az >= ax && az >= ay) return d.at[2] < 0 ? 5 : 4;
    if (ay >= ax) return d.at[1] < 0 ? 3 : 2;
    return d.at[0] < 0 ? 1 : 0;
}

/// Along the axes x, y and z: where a face's s and t grow.
constexpr int axis_s[6] = {2, 2, 0, 0, 0, 0}, sign_s[6] = {-1, 1, 1, 1, 1, -1};
constexpr int axis_t[6] = {1, 1, 2, 2, 1, 1}, sign_t[6] = {-1, -1, 1, -1, -1, -1};

inline Face face_of(float x, float y, float z, uint32_t size) {
    const Direction d = direction_of(x, y, z);
    const int number = face_number(d);
    const float s[6] = {-d.at[2], d.at[2], d.at[0], d.at[0], d.at[0], -d.at[0]};
    const float t[6] = {-d.at[1], -d.at[1], d.at[2], -d.at[2], -d.at[1], -d.at[1]};
    return {number, along_face(s[number], size), along_face(t[number], size)};
}

/// A texel of a cube, by its face and place there, where one of the coordinates may be beyond an edge: what lies there on
/// the neighbouring face. Computed on the cube's surface, in half texels from its centre.
inline void across_edge(int& number, int& i, int& j, int size) {
    const int s = 2 * i + 1 - size, t = 2 * j + 1 - size;
    int at[3];
    at[number / 2] = number & 1 ? -size : size;
    at[axis_s[number]] = s * sign_s[number];
    at[axis_t[number]] = t * sign_t[number];
    const bool over_s = s < -size || s > size, over_t = t < -size || t > size;
    if (!over_s && !over_t) return;
    const int to = over_s ? axis_s[number] : axis_t[number], from = number / 2;
    const int beyond = over_s ? (s < 0 ? -s : s) : (t < 0 ? -t : t);
    at[from] = at[from] < 0 ? beyond - 2 * size : 2 * size - beyond;
    number = 2 * to + (at[to] < 0);
    // No farther than that face.
    const auto index = [&](int along) { return along <= -size ? 0 : along >= size ? size - 1 : (along + size - 1) / 2; };
    i = index(at[axis_s[number]] * sign_s[number]);
    j = index(at[axis_t[number]] * sign_t[number]);
}

/// A cell that may lie across the edges of a face.
inline void add_seamless_cell(Corners& corners, const Level& level, const Face& face, int first_slice, int weight,
                              int shift = 0) {
    const auto along_s = static_cast<int>(floor((face.s - 0.5) * 256 + 0.5));
    const auto along_t = static_cast<int>(floor((face.t - 0.5) * 256 + 0.5));
    Weights w = split(weight, along_s & 255, along_t & 255);
    const int size = static_cast<int>(level.width);
    Place place[4];
    int missing = -1;
    for (int k = 0; k < 4; ++k) {
        int number = face.number, i = (along_s >> 8) + (k & 1), j = (along_t >> 8) + (k >> 1);
        if ((i < 0 || i >= size) && (j < 0 || j >= size)) missing = k;
        across_edge(number, i, j, size);
        place[k] = {&level, i, j, first_slice + number};
    }
    if (missing >= 0) { // three faces meet: the fourth texel is not there, and the others share its weight
        const int share = (w.of[missing] + 1) / 3;
        w.of[missing ^ 1] += share;
        w.of[missing ^ 2] += share;
        w.of[missing ^ 3] += w.of[missing] - 2 * share;
    }
    for (int k = 0; k < 4; ++k) corners.add(place[k], w.of[k] << shift, k != missing && w.of[k]);
    ++corners.planes;
}

} // namespace texture

#pragma once

#include "texture/anisotropy.h"

/// From a request to results.
namespace texture {

using Words = uint32_t __attribute__((vector_size(16)));

/// What an instruction asks for.
struct Request {
    Geometry geometry;
    float x, y, z;
    uint32_t layer;
    int offset[3];
};

inline bool is_cube(Geometry g) { return g == Geometry::cube || g == Geometry::acube; }

inline int slice_of(const Request& r, const Level& level, int face) {
    const uint32_t each = is_cube(r.geometry) ? 6 : 1, count = level.depth / each;
    const bool layers = r.geometry == Geometry::a1d || r.geometry == Geometry::a2d || r.geometry == Geometry::acube;
    const uint32_t layer = !layers ? 0 : r.layer < count ? r.layer : count - 1;
    return static_cast<int>(layer * each) + face;
}

struct Axes {
    Axis x, y, z;
};

/// `aside`: texels to add.
inline Axes axes_of(const Descriptor& t, const Request& r, const Level& level, Take take, double aside_x = 0,
                    double aside_y = 0) {
    const bool cube = is_cube(r.geometry);
    const Face face = cube ? face_of(r.x, r.y, r.z, level.width) : Face{0, 0, 0};
    const int slice = slice_of(r, level, face.number);
    // One dimension is two, at row 0's upper edge; layers of rows are not.
    const int count = r.geometry == Geometry::d3 ? 3 : r.geometry == Geometry::a1d ? 1 : 2;
    const float coordinate[3] = {r.x, r.geometry == Geometry::d1 ? 0 : r.y, r.z};
    const uint32_t size[3] = {level.width, level.height, level.depth};
    const double of_face[3] = {face.s, face.t, 0}, aside[3] = {aside_x, aside_y, 0};
    Axis axis[3] = {{0, 0, 0}, {0, 0, 0}, {slice, slice, 0}};
    for (int k = 0; k < count; ++k) {
        const double at = cube ? of_face[k] : in_texels(t, coordinate[k], size[k]);
        const Address mode = cube && t.seamless ? Address::clamp : mode_of(t, k);
        axis[k] = axis_of(at + aside[k], static_cast<int>(size[k]), mode, r.offset[k], take);
    }
    return {axis[0], axis[1], axis[2]};
}

/// A level of detail in 1/256, cut towards zero.
inline int fixed_level(float level) {
    const double x = bounded(level) * 256;
    return static_cast<int>(x > 0x1p30 ? 0x1p30 : x < -0x1p30 ? -0x1p30 : x);
}

/// The level between the sampler's limits, and between those that are there.
inline int level_of(const Descriptor& t, int asked) {
    const int least = fixed_level(t.least_level), most = fixed_level(t.most_level);
    const int last = (static_cast<int>(t.levels) - 1) * 256;
    const int level = asked < least ? least : asked > most ? most : asked;
    return level < 0 ? 0 : level > last ? last : level;
}

inline Words filtered_words(const Descriptor& t, const Corners& corners, bool lone) {
    Words result = {0, 0, 0, 0};
    for (int channel = 0; channel < t.channels; ++channel)
        result[channel] = filtered(t, corners, channel, lone);
    return result;
}

/// A level and the part of it in 1/256; the rest is the next one's.
struct LevelPart {
    int number, part;
};

inline LevelPart part_of_level(const Descriptor& t, int level) {
    const bool blends = t.linear_levels && t.levels > 1;
    const int fixed = level + (blends ? 0 : 128);
    return {fixed >> 8, blends ? fixed & 255 : 0};
}

inline Words sampled(const Descriptor& t, const Request& r, int level) {
    const LevelPart from = part_of_level(t, level);
    Corners corners;
    for (int k = 0; k < 2; ++k) {
        const int weight = k ? from.part : 256 - from.part;
        if (!weight) continue;
        const Level& l = t.level[from.number + k];
        if (is_cube(r.geometry) && t.seamless && t.linear) {
            add_seamless_cell(corners, l, face_of(r.x, r.y, r.z, l.width), slice_of(r, l, 0), weight);
            continue;
        }
        const Axes axes = axes_of(t, r, l, t.linear ? Take::filter : Take::nearest);
        add_cell(corners, l, axes.x, axes.y, axes.z, weight);
    }
    return filtered_words(t, corners, !t.linear && !(t.linear_levels && t.levels > 1));
}

/// The level that is sampled; anisotropic textures like whole ones.
inline int level_for(const Descriptor& t, int asked) {
    if (t.levels < 2) return 0;
    const int level = level_of(t, asked);
    return t.anisotropy > 1 && t.linear_levels && !t.exact_levels ? optimized_level(level, t.anisotropy) : level;
}

/// Several samples along a footprint. At a level that is finer than the footprint's width they lie further apart, at a
/// coarser one the footprint is shorter. A level's part of their weights is rounded as it adds up from the first to the last.
inline Words sampled_along(const Descriptor& t, const Request& r, const Footprint& footprint, int level) {
    const LevelPart from = part_of_level(t, level);
    const Step unit = unit_step(footprint.x, footprint.y);
    Corners corners;
    corners.bits = 10;
    for (int k = 0; k < 2; ++k) {
        const int weight = k ? from.part : 256 - from.part;
        if (!weight) continue;
        const Level& l = t.level[from.number + k];
        const int beyond = t.linear_levels ? level - 256 * (from.number + k) : 0;
        const Samples samples = samples_of(footprint.ratio + (beyond < 0 ? beyond : 0));
        const int finer = beyond > 0 ? beyond : 0;
        int sum = 0, given = 0; // weights of the samples so far: of all, and their rounded part at this level
        for (int i = 0; i < samples.count; ++i) {
            sum += i == 0 || i == samples.count - 1 ? samples.outer : samples.within;
            const int part = ((sum * weight + 128) >> 8) - given, shift = corners.bits - samples.bits;
            given += part;
            const double aside_x = place_of(samples, i, unit.x, finer), aside_y = place_of(samples, i, unit.y, finer);
            if (is_cube(r.geometry) && t.seamless && t.linear) {
                const Face face = face_of(r.x, r.y, r.z, l.width);
                const Face moved{face.number, face.s + aside_x, face.t + aside_y};
                add_seamless_cell(corners, l, moved, slice_of(r, l, 0), part, shift);
                continue;
            }
            const Axes axes = axes_of(t, r, l, t.linear ? Take::filter : Take::nearest, aside_x, aside_y);
            add_cell(corners, l, axes.x, axes.y, axes.z, part, shift);
        }
    }
    return filtered_words(t, corners, gives_integers(t));
}

/// What the gradients of coordinates are in texels. NVIDIA's compiler has no instruction for three dimensions and for cubes:
/// there the gradients are differences between coordinates that were rounded to floats, of cubes on their surface.
inline Gradients gradients_of(const Descriptor& t, const Request& r, const float (&dx)[3], const float (&dy)[3]) {
    const Level& level = t.level[0];
    Gradients g{{0, 0, 0}, {0, 0, 0}};
    if (is_cube(r.geometry)) {
        const Direction from = direction_of(r.x, r.y, r.z);
        bool crosses = false;
        g.x = along_faces(from, direction_of(r.x + dx[0], r.y + dx[1], r.z + dx[2]), level.width, crosses);
        g.y = along_faces(from, direction_of(r.x + dy[0], r.y + dy[1], r.z + dy[2]), level.width, crosses);
        g.diagonals = !crosses;
        return g;
    }
    const bool flat = r.geometry == Geometry::d1 || r.geometry == Geometry::a1d, volume = r.geometry == Geometry::d3;
    const float at[3] = {r.x, r.y, r.z};
    const uint32_t size[3] = {level.width, level.height, level.depth};
    const auto texels = [&](const float (&d)[3], int axis) {
        if (volume && __builtin_fabsf(at[axis]) > 0x1p97f) return 0x1p60; // 2^96.2 is not far, 2^97.1 is
        const float change = volume ? (at[axis] + d[axis]) - at[axis] : d[axis];
        if (volume && t.anisotropy > 1 && change != change) return 0.0; // else NaN is far
        return in_texels(static_cast<double>(change), t.normalized ? size[axis] : 1);
    };
    g.x.x = texels(dx, 0), g.y.x = texels(dy, 0);
    if (!flat) g.x.y = texels(dx, 1), g.y.y = texels(dy, 1);
    if (volume) g.x.z = texels(dx, 2), g.y.z = texels(dy, 2);
    return g;
}

/// OpenCL's numbers, of which PTX ISA 5.3 has a table.
inline uint32_t channel_type(const Descriptor& t) {
    constexpr uint32_t fractions[] = {0x10d2, 0x10d3, 0, 0x10d0, 0x10d1, 0}, // unorm_int8 ...
        integers[] = {0x10da, 0x10db, 0x10dc, 0x10d7, 0x10d8, 0x10d9};        // unsigned_int8 ...
    if (t.format == Format::f16) return 0x10dd;
    if (t.format == Format::f32) return 0x10de;
    return t.fixed_point ? fractions[static_cast<int>(t.format)] : integers[static_cast<int>(t.format)];
}

inline uint32_t channel_order(const Descriptor& t) { return t.channels == 1 ? 0x10b0 : t.channels == 2 ? 0x10b2 : 0x10b5; }

/// wrap, mirror, clamp_ogl, clamp_to_edge, clamp_to_border: PTX ISA 9.7.10.5.
inline uint32_t address_number(Address mode) {
    constexpr uint8_t numbers[] = {0, 3, 1, 4};
    return numbers[static_cast<int>(mode)];
}

inline uint32_t property(const Descriptor& t, Query what, const Level& level) {
    switch (what) {
    case Query::width: return level.width;
    case Query::height:
        if (t.dimensions == 1) return t.layered ? level.depth : !t.linear_memory && t.kind == Kind::texture;
        return level.height;
    case Query::depth:
        if (t.dimensions == 3) return level.depth;
        return t.dimensions == 2 && t.layered ? level.depth / (t.cubemap ? 6 : 1) : 0;
    case Query::array_size: return t.layered ? level.depth : 0;
    case Query::levels: return t.levels;
    case Query::samples: return 1;
    case Query::normalized: return t.normalized;
    case Query::force_unnormalized: return !t.normalized;
    case Query::channel_type: return channel_type(t);
    case Query::channel_order: return channel_order(t);
    case Query::filter: return t.linear;
    case Query::address_0: return address_number(t.address[0]);
    case Query::address_1: return address_number(t.address[1]);
    case Query::address_2: return address_number(t.address[2]);
    case Query::memory_layout: return 0;
    }
    return 0;
}

} // namespace texture

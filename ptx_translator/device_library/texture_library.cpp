// Texture fetches and surface addresses, on a descriptor in memory (ptx/texture_abi.h). Linked as bitcode into modules
// that call them. The arithmetic is what an H100's bits show; tests/texture/README.md.
#include "texture/coordinates.h"
#include "texture/cube.h"

namespace {

using namespace texture;
using Words = uint32_t __attribute__((vector_size(16)));

/// What an instruction asks for.
struct Request {
    Geometry geometry;
    float x, y, z;
    uint32_t layer;
    int offset[3];
};

void unpack(int (&offset)[3], uint32_t packed) {
    for (int k = 0; k < 3; ++k) offset[k] = static_cast<int8_t>(packed >> 8 * k);
}

const Descriptor* descriptor(uint64_t handle) { return reinterpret_cast<const Descriptor*>(handle); }

bool is_cube(Geometry g) { return g == Geometry::cube || g == Geometry::acube; }

int slice_of(const Request& r, const Level& level, int face) {
    const uint32_t each = is_cube(r.geometry) ? 6 : 1, count = level.depth / each;
    const bool layers = r.geometry == Geometry::a1d || r.geometry == Geometry::a2d || r.geometry == Geometry::acube;
    const uint32_t layer = !layers ? 0 : r.layer < count ? r.layer : count - 1;
    return static_cast<int>(layer * each) + face;
}

struct Axes {
    Axis x, y, z;
};

Axes axes_of(const Descriptor& t, const Request& r, const Level& level, Take take) {
    const int width = static_cast<int>(level.width), height = static_cast<int>(level.height);
    if (is_cube(r.geometry)) {
        const Face face = face_of(r.x, r.y, r.z, level.width);
        const int slice = slice_of(r, level, face.number);
        const Address across = t.seamless ? Address::clamp : mode_of(t, 0);
        const Address down = t.seamless ? Address::clamp : mode_of(t, 1);
        return {axis_of(face.s, width, across, r.offset[0], take), axis_of(face.t, height, down, r.offset[1], take),
                {slice, slice, 0}};
    }
    const Axis x = axis_of(in_texels(t, r.x, level.width), width, mode_of(t, 0), r.offset[0], take);
    // One dimension is two, at row 0's upper edge; layers of rows are not.
    Axis y{0, 0, 0};
    if (r.geometry != Geometry::a1d) {
        const float row = r.geometry == Geometry::d1 ? 0 : r.y;
        y = axis_of(in_texels(t, row, level.height), height, mode_of(t, 1), r.offset[1], take);
    }
    if (r.geometry == Geometry::d3) {
        const int depth = static_cast<int>(level.depth);
        return {x, y, axis_of(in_texels(t, r.z, level.depth), depth, mode_of(t, 2), r.offset[2], take)};
    }
    const int slice = slice_of(r, level, 0);
    return {x, y, {slice, slice, 0}};
}

/// A level of detail in 1/256, cut towards zero.
int fixed_level(float level) {
    const double x = bounded(level) * 256;
    return static_cast<int>(x > 0x1p30 ? 0x1p30 : x < -0x1p30 ? -0x1p30 : x);
}

/// The level between the sampler's limits, and between those that are there.
int level_of(const Descriptor& t, int asked) {
    const int least = fixed_level(t.least_level), most = fixed_level(t.most_level);
    const int last = (static_cast<int>(t.levels) - 1) * 256;
    const int level = asked < least ? least : asked > most ? most : asked;
    return level < 0 ? 0 : level > last ? last : level;
}

Words sampled(const Descriptor& t, const Request& r, int level) {
    const bool blends = t.linear_levels && t.levels > 1;
    const int fixed = level + (blends ? 0 : 128);
    const int number = fixed >> 8, part = blends ? fixed & 255 : 0;
    Corners corners;
    for (int k = 0; k < 2; ++k) {
        const int weight = k ? part : 256 - part;
        if (!weight) continue;
        const Level& l = t.level[number + k];
        if (is_cube(r.geometry) && t.seamless && t.linear) {
            add_seamless_cell(corners, l, face_of(r.x, r.y, r.z, l.width), slice_of(r, l, 0), weight);
            continue;
        }
        const Axes axes = axes_of(t, r, l, t.linear ? Take::filter : Take::nearest);
        add_cell(corners, l, axes.x, axes.y, axes.z, weight);
    }
    Words result = {0, 0, 0, 0};
    for (int channel = 0; channel < t.channels; ++channel)
        result[channel] = t.linear || blends ? filtered(t, corners, channel)
                                             : unfiltered(t, texel(t, corners.place[0], channel), channel);
    return result;
}

} // namespace

extern "C" Words cuttle_texture_sample(uint32_t shape, uint64_t handle, float x, float y, float z, int32_t layer,
                                       float asked, uint32_t offsets) {
    if (!handle || descriptor(handle)->linear_memory) return Words{0, 0, 0, 0}; // as an H100 does
    const Descriptor& t = *descriptor(handle);
    Request r{static_cast<Geometry>(shape & 255), x, y, z, static_cast<uint32_t>(layer), {}};
    unpack(r.offset, offsets);
    const bool given = shape >> 8 & 1; // else level 0, to which no bias is added
    return sampled(t, r, t.levels > 1 ? level_of(t, given ? fixed_level(asked) + fixed_level(t.bias) : 0) : 0);
}

/// One channel of the four texels that a linear filter would take, from the lower left anticlockwise. PTX ISA, tld4.
extern "C" Words cuttle_texture_gather(uint32_t shape, uint64_t handle, float x, float y, float z, int32_t layer,
                                       uint32_t channel, uint32_t offsets) {
    Words result = {0, 0, 0, 0};
    if (!handle) return result;
    const Descriptor& t = *descriptor(handle);
    if (channel >= t.channels) return result;
    Request r{static_cast<Geometry>(shape & 255), x, y, z, static_cast<uint32_t>(layer), {}};
    unpack(r.offset, offsets);
    const Level& level = t.level[0];
    const Axes axes = axes_of(t, r, level, Take::gather);
    const int slice = axes.z.first, c = static_cast<int>(channel);
    const Place places[4] = {{&level, axes.x.first, axes.y.second, slice},
                             {&level, axes.x.second, axes.y.second, slice},
                             {&level, axes.x.second, axes.y.first, slice},
                             {&level, axes.x.first, axes.y.first, slice}};
    for (int k = 0; k < 4; ++k) result[k] = unfiltered(t, texel(t, places[k], c), c);
    return result;
}

extern "C" Words cuttle_texture_fetch(uint32_t shape, uint64_t handle, int32_t x, int32_t y, int32_t z, int32_t layer,
                                      int32_t number, uint32_t offsets) {
    Words result = {0, 0, 0, 0};
    if (!handle) return result;
    const Descriptor& t = *descriptor(handle);
    const auto geometry = static_cast<Geometry>(shape & 255);
    // One dimension is a linear buffer here: an array of one gives nothing.
    if (geometry == Geometry::d1 && !t.linear_memory) return result;
    int offset[3];
    unpack(offset, offsets);
    if (number < 0 || number >= static_cast<int32_t>(t.levels)) return result;
    const Level& level = t.level[number];
    const bool flat = geometry == Geometry::d1 || geometry == Geometry::a1d;
    // Outside of the texture is zero, whatever the address mode; with levels, the nearest texel.
    const Address outside = t.levels > 1 ? Address::clamp : Address::border;
    const auto index = [&](int32_t at, uint32_t size, int axis) {
        return addressed(static_cast<long long>(at) + offset[axis], static_cast<int>(size), outside);
    };
    Place place{&level, index(x, level.width, 0), flat ? 0 : index(y, level.height, 1), 0};
    if (geometry == Geometry::d3)
        place.z = index(z, level.depth, 2);
    else if (geometry == Geometry::a1d || geometry == Geometry::a2d)
        place.z = static_cast<uint32_t>(layer) < level.depth ? layer : -1;
    if (on_border(place)) return result;
    for (int channel = 0; channel < t.channels; ++channel) result[channel] = unfiltered(t, raw(t, place, channel), channel);
    return result;
}

extern "C" uint32_t cuttle_texture_query(uint32_t what, uint64_t handle, int32_t number) {
    if (!handle) return 0;
    const Descriptor& t = *descriptor(handle);
    if (number < 0 || number >= static_cast<int32_t>(t.levels)) return 0;
    const Level& level = t.level[number];
    switch (static_cast<Query>(what)) {
    case Query::width: return level.width;
    case Query::height: return level.height;
    case Query::depth: return level.depth;
    case Query::array_size: return t.layered ? level.depth : 0;
    case Query::levels: return t.levels;
    case Query::normalized: return t.normalized;
    }
    return 0;
}

/// The address of `bytes` bytes at byte x of a row. Outside: the nearest inside, zeros to read, a place to drop what is
/// written, or an address that faults.
extern "C" uint64_t cuttle_surface_address(uint32_t shape, uint64_t handle, int32_t x, int32_t y, int32_t z,
                                           int32_t layer, uint32_t bytes, uint32_t outside, uint32_t store) {
    if (!handle) return 1;
    const Descriptor& t = *descriptor(handle);
    const Level& level = t.level[0];
    const auto geometry = static_cast<Geometry>(shape & 255);
    const bool flat = geometry == Geometry::d1 || geometry == Geometry::a1d;
    const long long row = static_cast<long long>(level.width) * t.texel_bytes;
    long long i = x, j = flat ? 0 : y, k = geometry == Geometry::d3 ? z : 0;
    if (geometry == Geometry::a1d || geometry == Geometry::a2d) k = layer & 0xffff; // as an H100 does
    const long long height = level.height, depth = level.depth, piece = bytes;
    if (x % static_cast<int>(bytes) != 0) return 1; // misaligned: an address that faults
    if (i < 0 || i + piece > row || j < 0 || j >= height || k < 0 || k >= depth) {
        if (static_cast<Outside>(outside) == Outside::trap) return 1;
        if (static_cast<Outside>(outside) == Outside::zero)
            return reinterpret_cast<uint64_t>(store ? t.nowhere : t.zeros);
        i = i < 0 ? 0 : i + piece > row ? row - piece : i;
        j = j < 0 ? 0 : j >= height ? height - 1 : j;
        k = k < 0 ? 0 : k >= depth ? depth - 1 : k;
    }
    return level.address + static_cast<uint64_t>(k) * level.slice + static_cast<uint64_t>(j) * level.pitch +
           static_cast<uint64_t>(i);
}

#include "sweep_case.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace sweep {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float quiet = std::numeric_limits<float>::quiet_NaN();

constexpr float special_places[] = {quiet,    infinity,  -infinity,  0.0f,        -0.0f,       1e30f,
                                    -1e30f,   1e10f,     -1e10f,     16777216.0f, 16777217.5f, 0x1p31f,
                                    -0x1p31f, 0x1p-130f, -0x1p-130f, 8388607.5f,  65536.25f,   -65536.75f,
                                    0x1p-30f, -0x1p-30f, 0x1p23f,    1048576.3f,  -1048576.3f, 0x1p33f};

constexpr float nudges[] = {0,         0x1p-7f,     -0x1p-7f,     0x1p-8f,     -0x1p-8f,  0x1p-9f,
                            -0x1p-9f,  0x1p-10f,    -0x1p-10f,    0x1p-11f,    -0x1p-11f, 0x1p-14f,
                            -0x1p-14f, 3 * 0x1p-9f, -3 * 0x1p-9f, 5 * 0x1p-10f};

/// A place on an axis of `size` texels, in texels.
float place(Random& random, float size, unsigned kind) {
    const int whole = int(random.below(uint32_t(size) + 5)) - 2;
    const float nudge = nudges[random.below(std::size(nudges))];
    switch (kind) {
    case 0:
        return random.uniform(-1.5f * size, 2.5f * size);
    case 1:
        return float(whole) + nudge;
    case 2:
        return float(whole) + 0.5f + nudge;
    case 3:
        return random.uniform(0, size);
    default: {
        const float at = float(whole) + (random.below(2) ? 0.5f : 0.0f);
        return std::nextafter(at, random.below(2) ? infinity : -infinity);
    }
    }
}

struct Extent {
    float size[3];
    unsigned axes;
};

Extent extent_of(const Case& c) {
    const auto w = float(c.width), h = float(c.height), d = float(c.depth);
    switch (c.geometry) {
    case Geometry::d1:
    case Geometry::a1d:
    case Geometry::linear:
        return {{w, 1, 1}, 1};
    case Geometry::d3:
        return {{w, h, d}, 3};
    case Geometry::cube:
    case Geometry::acube:
        return {{1, 1, 1}, 3};
    default:
        return {{w, h, 1}, 2};
    }
}

float direction(Random& random, unsigned i, unsigned axis, const float* others) {
    constexpr float corners[] = {0, 1, -1, 0.5f, -0.0f, quiet, infinity, 2, -infinity, -0.5f, 1e-30f, 1e30f};
    if (i % 5 == 0) return corners[random.below(std::size(corners))];
    if (i % 5 == 1 && axis > 0) return random.below(2) ? others[0] : -others[0];
    if (i % 5 == 2) return float(int(random.below(33)) - 16) / 16;
    return random.uniform(-1, 1);
}

void put(Sample& s, const Case& c, unsigned axis, float value) {
    if (c.coordinate == "s32") {
        const float whole = std::floor(std::min(std::max(value, -2e9f), 2e9f));
        s.coordinate[axis] = std::isnan(value) ? 0x80000000u : uint32_t(int32_t(whole));
    } else {
        s.coordinate[axis] = std::bit_cast<uint32_t>(value);
    }
}

/// From a texel to 64 in both directions, mantissas at random; some components are zero.
void put_gradients(Sample& s, Random& random, unsigned i) {
    const auto component = [&] {
        return std::ldexp(random.uniform(1, 2), int(random.below(6))) / 64 * (random.below(2) ? 1.0f : -1.0f);
    };
    for (unsigned axis = 0; axis < 3; ++axis) {
        s.ddx[axis] = component() * (random.below(4) ? 1.0f : 0x1p-4f);
        s.ddy[axis] = component() * (random.below(4) ? 1.0f : 0x1p-4f);
        if (i % 4 < 2) s.ddy[axis] = 0;
        if (i % 8 == 0 && axis) s.ddx[axis] = 0;
    }
}

constexpr uint32_t stored[] = {0,          1,          0xffffffff, 127,        128,        129,        255,
                               256,        0xffffff80, 0xffffff7f, 32767,      32768,      65535,      65536,
                               0xffff8000, 0xffff7fff, 0x7fffffff, 0x80000000, 0x3f800000, 0xbf800000, 0x3f000000,
                               0xbf000000, 0x3f7fffff, 0x40000000, 0x7f800000, 0xff800000, 0x7fc00000, 0x00000001,
                               0x38800000, 0x33000000, 0x47800000, 0x3b808081};

/// A texel for each sample, so that no two write one place; every eleventh is beside the texture.
void put_texel(Sample& s, const Case& c, Random& random, unsigned i) {
    const bool flat = c.geometry == Geometry::d1 || c.geometry == Geometry::a1d;
    const unsigned rows = flat ? 1 : c.height;
    s.coordinate[0] = i % c.width;
    s.coordinate[1] = i / c.width % rows;
    s.coordinate[2] = i / c.width / rows;
    s.layer = int32_t(s.coordinate[2]);
    if (i % 11 == 10) s.coordinate[0] += c.width << random.below(3);
    uint32_t words[4];
    for (uint32_t& word : words) word = random.below(3) ? stored[random.below(std::size(stored))] : random.word();
    for (unsigned k = 0; k < 3; ++k) s.ddx[k] = std::bit_cast<float>(words[k]);
    s.ddy[0] = std::bit_cast<float>(words[3]);
}

} // namespace

uint64_t seed_of(const std::string& name) {
    uint64_t seed = 0xcbf29ce484222325ull;
    for (char ch : name) seed = (seed ^ uint8_t(ch)) * 0x100000001b3ull;
    return seed;
}

std::vector<Sample> samples_of(const Case& c) {
    Random random(seed_of(c.name));
    const Extent extent = extent_of(c);
    const bool normalized = c.flags & shim::CU_TRSF_NORMALIZED_COORDINATES;
    std::vector<Sample> samples(c.samples);
    for (unsigned i = 0; i < c.samples; ++i) {
        Sample& s = samples[i];
        s = {};
        if (c.places == Places::texels) {
            put_texel(s, c, random, i);
            continue;
        }
        const unsigned strange = i % 8 == 7 ? random.below(extent.axes) : 99;
        float directions[3] = {};
        for (unsigned axis = 0; axis < extent.axes; ++axis) {
            float at = 0;
            const float size = extent.size[axis];
            if (c.places == Places::directions || (c.places == Places::gradients && extent.size[0] == 1)) {
                at = directions[axis] = direction(random, i, axis, directions);
                if (c.opcode.starts_with("suld")) at *= float(c.width);
                put(s, c, axis, at);
                continue;
            }
            if (c.places == Places::fine)
                at = float(int(i) - 4096) / 4096;
            else if (c.places == Places::weights)
                at = 2.5f + float(axis == 0   ? random.below(65536)
                                  : axis == 1 ? random.below(65536)
                                              : random.below(65536)) /
                                65536;
            else if (axis == strange)
                at = special_places[random.below(std::size(special_places))];
            else
                at = place(random, size, i % 8 == 7 ? random.below(4) : i % 8 % 5);
            if (normalized) at = i % 16 == 3 ? at * (1 / size) : at / size;
            put(s, c, axis, at);
        }
        const int layers = int(c.depth);
        s.layer = i % 4 == 1 ? int(random.below(uint32_t(layers) + 4)) - 2 : int(random.below(uint32_t(layers)));
        if (i % 32 == 5) s.layer = random.below(2) ? INT32_MAX : INT32_MIN;
        s.level = c.places == Places::fine ? float(i) / 1024 - 1 : random.uniform(-2, float(c.levels) + 2);
        if (i % 8 == 2) s.level = float(int(random.below(c.levels + 3)) - 1);
        if (i % 64 == 9) s.level = special_places[random.below(std::size(special_places))];
        for (unsigned axis = 0; axis < 3; ++axis) {
            const float scale = c.gradient * (normalized ? 1 / extent.size[axis] : 1.0f);
            const float octave = std::exp2(float(random.below(8)) - 2);
            s.ddx[axis] = random.uniform(-1, 1) * scale * octave;
            s.ddy[axis] = i % 3 == 0 ? 0 : random.uniform(-1, 1) * scale * octave;
            if (i % 4 == 0 && axis > 0) s.ddx[axis] = 0;
            s.offset[axis] = int(random.below(16)) - 8;
        }
        if (c.places == Places::gradients) put_gradients(s, random, i);
    }
    return samples;
}

} // namespace sweep

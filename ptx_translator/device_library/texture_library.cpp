// Texture fetches and surface addresses, on a descriptor in memory (ptx/texture_abi.h). Linked as bitcode into modules
// that call them. The arithmetic is what an H100's bits show; tests/texture/README.md.
#include "../include/ptx/texture_abi.h"

namespace {

using namespace ptx::texture;
using Words = uint32_t __attribute__((vector_size(16)));

struct Axis {
    int first, second; ///< texels, -1: the border
    int weight;        ///< of the second, in 1/256
};

int wrap(long long i, int size, Address mode) {
    if (i >= 0 && i < size) return static_cast<int>(i);
    switch (mode) {
    case Address::border: return -1;
    case Address::clamp: return i < 0 ? 0 : size - 1;
    case Address::wrap: {
        const long long rest = i % size;
        return static_cast<int>(rest < 0 ? rest + size : rest);
    }
    case Address::mirror: {
        long long rest = i % (2LL * size);
        if (rest < 0) rest += 2LL * size;
        return static_cast<int>(rest < size ? rest : 2LL * size - 1 - rest);
    }
    }
    return 0;
}

/// Wrapping needs normalised coordinates; without, it is a clamp. CUDA C++ Programming Guide, texture memory.
Address mode_of(const Descriptor& t, int axis) {
    const Address mode = t.address[axis];
    if (!t.normalized && (mode == Address::wrap || mode == Address::mirror)) return Address::clamp;
    return mode;
}

/// In range of a long long; what is no number is 0.
double bounded(double x) {
    if (x != x) return 0;
    return x > 0x1p40 ? 0x1p40 : x < -0x1p40 ? -0x1p40 : x;
}

Axis axis_of(const Descriptor& t, float coordinate, uint32_t size, int axis, int offset) {
    double x = __builtin_fabsf(coordinate) < 0x1p-126f ? 0 : coordinate; // denormals are zero
    x = bounded(x);
    // A normalised coordinate counts to 21 bits behind the point.
    if (t.normalized) x = __builtin_floor(x * 0x1p21) * 0x1p-21 * size;
    const Address mode = mode_of(t, axis);
    const int texels = static_cast<int>(size);
    if (!t.linear) return {wrap(static_cast<long long>(__builtin_floor(x)) + offset, texels, mode), 0, 0};
    const auto fixed = static_cast<long long>(__builtin_floor((x - 0.5) * 256 + 0.5));
    const long long i = (fixed >> 8) + offset;
    return {wrap(i, texels, mode), wrap(i + 1, texels, mode), static_cast<int>(fixed & 255)};
}

float half(uint16_t bits) {
    const uint32_t sign = static_cast<uint32_t>(bits >> 15) << 31, exponent = bits >> 10 & 31, fraction = bits & 1023;
    if (exponent == 31) return __builtin_bit_cast(float, sign | 0x7f800000u | fraction << 13);
    if (exponent == 0) return (sign ? -1.0f : 1.0f) * static_cast<float>(fraction) * 0x1p-24f;
    return __builtin_bit_cast(float, sign | (exponent + 112) << 23 | fraction << 13);
}

float to_half(float value) {
    const float magnitude = __builtin_fabsf(value);
    if (!(magnitude < 65520.0f)) return magnitude == magnitude ? __builtin_copysignf(__builtin_inff(), value) : value;
    // Adding a number whose last bit is half's last bit rounds there.
    const uint32_t bits = __builtin_bit_cast(uint32_t, magnitude);
    uint32_t exponent = bits >> 23;
    if (exponent < 113) exponent = 113;
    const float big = __builtin_bit_cast(float, (exponent + 13) << 23);
    volatile float sum = magnitude + big;
    return __builtin_copysignf(sum - big, value);
}

uint32_t raw(const Descriptor& t, const Level& level, int x, int y, int z, int channel) {
    const uint64_t at = level.address + static_cast<uint64_t>(z) * level.slice + static_cast<uint64_t>(y) * level.pitch +
                        static_cast<uint64_t>(x) * t.texel_bytes;
    const int bytes = t.texel_bytes / t.channels;
    const uint64_t place = at + static_cast<uint64_t>(channel * bytes);
    if (bytes == 1) return *reinterpret_cast<const uint8_t*>(place);
    if (bytes == 2) return *reinterpret_cast<const uint16_t*>(place);
    return *reinterpret_cast<const uint32_t*>(place);
}

/// What the filter works on: numbers for floats, 16-bit fixed point for normalised integers.
double value_of(const Descriptor& t, const Level& level, int x, int y, int z, int channel) {
    if (x < 0 || y < 0 || z < 0) {
        const double border = t.border[channel];
        if (t.format == Format::u8 || t.format == Format::u16)
            return __builtin_floor((border < 0 ? 0 : border > 1 ? 1 : border) * 65535 + 0.5);
        if (t.format == Format::s8 || t.format == Format::s16)
            return __builtin_floor((border < -1 ? -1 : border > 1 ? 1 : border) * 32767 + 0.5);
        return t.format == Format::f16 ? to_half(t.border[channel]) : border;
    }
    const uint32_t bits = raw(t, level, x, y, z, channel);
    switch (t.format) {
    case Format::u8: return bits * 257.0;
    case Format::u16: return bits;
    case Format::s8: {
        const int value = static_cast<int8_t>(bits) < -127 ? -127 : static_cast<int8_t>(bits);
        return __builtin_floor(value * 32767 / 127.0 + 0.5);
    }
    case Format::s16: return static_cast<int16_t>(bits) < -32767 ? -32767 : static_cast<int16_t>(bits);
    case Format::f16: return half(static_cast<uint16_t>(bits));
    default: return __builtin_bit_cast(float, bits);
    }
}

uint32_t finish(const Descriptor& t, double value) {
    switch (t.format) {
    case Format::u8:
    case Format::u16: return __builtin_bit_cast(uint32_t, static_cast<float>(__builtin_floor(value + 0.5) / 65535));
    case Format::s8:
    case Format::s16: return __builtin_bit_cast(uint32_t, static_cast<float>(__builtin_floor(value + 0.5) / 32767));
    case Format::f16: return __builtin_bit_cast(uint32_t, to_half(static_cast<float>(value)));
    default: return __builtin_bit_cast(uint32_t, static_cast<float>(value));
    }
}

uint32_t whole_of(const Descriptor& t, const Level& level, int x, int y, int z, int channel) {
    if (x < 0 || y < 0 || z < 0) return static_cast<uint32_t>(static_cast<int>(t.border[channel]));
    const uint32_t bits = raw(t, level, x, y, z, channel);
    if (t.format == Format::s8) return static_cast<uint32_t>(static_cast<int8_t>(bits));
    if (t.format == Format::s16) return static_cast<uint32_t>(static_cast<int16_t>(bits));
    return bits;
}

bool as_integers(const Descriptor& t) { return t.integer && t.format != Format::f16 && t.format != Format::f32; }
bool wide(const Descriptor& t) { return t.format == Format::u32 || t.format == Format::s32; }

uint32_t channel_of(const Descriptor& t, const Level& level, const Axis& x, const Axis& y, const Axis& z, int channel) {
    if (as_integers(t) || wide(t)) return whole_of(t, level, x.first, y.first, z.first, channel);
    if (!t.linear) return finish(t, value_of(t, level, x.first, y.first, z.first, channel));
    double sum = 0;
    const int a = x.weight, b = y.weight, c = z.weight;
    const int both = (a * b + 128) >> 8;
    const int weights[4] = {256 - a - b + both, a - both, b - both, both};
    for (int k = 0; k < 8; ++k) {
        const int far = (weights[k & 3] * c + 128) >> 8;
        const int weight = k & 4 ? far : weights[k & 3] - far;
        if (weight == 0) continue;
        sum += value_of(t, level, k & 1 ? x.second : x.first, k & 2 ? y.second : y.first, k & 4 ? z.second : z.first,
                        channel) *
               weight;
    }
    return finish(t, sum / 256);
}

uint32_t missing(const Descriptor& t, int channel) {
    if (channel < 3) return 0;
    return as_integers(t) || wide(t) ? 1u : 0x3f800000u;
}

int layer_of(const Level& level, int32_t layer) {
    const int last = static_cast<int>(level.depth) - 1;
    return layer < 0 ? 0 : layer > last ? last : layer;
}

/// Face and coordinates of a direction, -1 to 1. CUDA C++ Programming Guide, cubemap textures.
void face_of(float& x, float& y, float& z, int& face) {
    const float ax = __builtin_fabsf(x), ay = __builtin_fabsf(y), az = __builtin_fabsf(z);
    float s, t, m;
    if (az >= ax && az >= ay) {
        face = z < 0 ? 5 : 4, m = az, s = z < 0 ? -x : x, t = -y;
    } else if (ay >= ax) {
        face = y < 0 ? 3 : 2, m = ay, s = x, t = y < 0 ? -z : z;
    } else {
        face = x < 0 ? 1 : 0, m = ax, s = x < 0 ? z : -z, t = -y;
    }
    x = (s / m + 1) / 2;
    y = (t / m + 1) / 2;
}

struct Place {
    Geometry geometry;
    float x, y, z;
    int32_t layer;
    int offset[3];
};

uint32_t at_level(const Descriptor& t, const Place& p, uint32_t number, int channel) {
    const Level& level = t.level[number];
    Place place = p;
    int slice = 0;
    const bool cube = p.geometry == Geometry::cube || p.geometry == Geometry::acube;
    if (cube) {
        face_of(place.x, place.y, place.z, slice);
        if (p.geometry == Geometry::acube) {
            const int cubes = static_cast<int>(level.depth) / 6;
            slice += 6 * (p.layer < 0 ? 0 : p.layer >= cubes ? cubes - 1 : p.layer);
        }
    }
    if (p.geometry == Geometry::a1d || p.geometry == Geometry::a2d) slice = layer_of(level, p.layer);
    const bool flat = p.geometry == Geometry::d1 || p.geometry == Geometry::a1d;
    const Axis x = axis_of(t, place.x, level.width, 0, p.offset[0]);
    const Axis y = flat ? Axis{0, 0, 0} : axis_of(t, place.y, level.height, 1, p.offset[1]);
    const Axis z = p.geometry == Geometry::d3 ? axis_of(t, place.z, level.depth, 2, p.offset[2]) : Axis{slice, slice, 0};
    return channel_of(t, level, x, y, z, channel);
}

float level_of(const Descriptor& t, float asked) {
    float level = asked + t.bias;
    const float most = t.most_level < static_cast<float>(t.levels - 1) ? t.most_level : static_cast<float>(t.levels - 1);
    if (!(level > t.least_level)) level = t.least_level;
    return level > most ? most : level < 0 ? 0 : level;
}

void unpack(int (&offset)[3], uint32_t packed) {
    for (int k = 0; k < 3; ++k) offset[k] = static_cast<int8_t>(packed >> 8 * k);
}

const Descriptor* descriptor(uint64_t handle) { return reinterpret_cast<const Descriptor*>(handle); }

} // namespace

extern "C" Words cuttle_texture_sample(uint32_t shape, uint64_t handle, float x, float y, float z, int32_t layer,
                                       float asked, uint32_t offsets) {
    Words result = {0, 0, 0, 0};
    if (!handle) return result; // as an H100 does
    const Descriptor& t = *descriptor(handle);
    Place place{static_cast<Geometry>(shape & 255), x, y, z, layer, {}};
    unpack(place.offset, offsets);
    const float level = t.levels > 1 ? level_of(t, asked) : 0;
    const auto nearest = static_cast<uint32_t>(level + 0.5f), lower = static_cast<uint32_t>(level);
    const int part = static_cast<int>((level - static_cast<float>(lower)) * 256);
    for (int channel = 0; channel < 4; ++channel) {
        if (channel >= t.channels) {
            result[channel] = missing(t, channel);
            continue;
        }
        if (!t.linear_levels || part == 0 || as_integers(t) || wide(t)) {
            result[channel] = at_level(t, place, t.linear_levels ? lower : nearest, channel);
            continue;
        }
        const float first = __builtin_bit_cast(float, at_level(t, place, lower, channel));
        const float second = __builtin_bit_cast(float, at_level(t, place, lower + 1, channel));
        const double mixed = (static_cast<double>(first) * (256 - part) + static_cast<double>(second) * part) / 256;
        result[channel] = __builtin_bit_cast(uint32_t, static_cast<float>(mixed));
    }
    return result;
}

extern "C" Words cuttle_texture_fetch(uint32_t shape, uint64_t handle, int32_t x, int32_t y, int32_t z, int32_t layer,
                                      int32_t number, uint32_t offsets) {
    Words result = {0, 0, 0, 0};
    if (!handle) return result;
    const Descriptor& t = *descriptor(handle);
    int offset[3];
    unpack(offset, offsets);
    const auto geometry = static_cast<Geometry>(shape & 255);
    const auto last = static_cast<int32_t>(t.levels) - 1;
    const Level& level = t.level[number < 0 ? 0 : number > last ? last : number];
    const bool flat = geometry == Geometry::d1 || geometry == Geometry::a1d;
    // Outside of the texture is zero, whatever the address mode.
    const auto index = [&](int32_t at, uint32_t size, int axis) {
        return wrap(static_cast<long long>(at) + offset[axis], static_cast<int>(size), Address::border);
    };
    const int i = index(x, level.width, 0), j = flat ? 0 : index(y, level.height, 1);
    int k = 0;
    if (geometry == Geometry::d3) k = index(z, level.depth, 2);
    if (geometry == Geometry::a1d || geometry == Geometry::a2d) k = layer_of(level, layer);
    if (i < 0 || j < 0 || k < 0) return result;
    for (int channel = 0; channel < 4; ++channel) {
        if (channel >= t.channels)
            result[channel] = missing(t, channel);
        else if (as_integers(t) || wide(t))
            result[channel] = whole_of(t, level, i, j, k, channel);
        else
            result[channel] = finish(t, value_of(t, level, i, j, k, channel));
    }
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
    if (geometry == Geometry::a1d || geometry == Geometry::a2d) k = layer;
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

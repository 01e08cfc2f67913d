#include "sweep_case.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace sweep {
namespace {

bool is_float(int format) { return format == shim::CU_AD_FORMAT_FLOAT || format == shim::CU_AD_FORMAT_HALF; }

constexpr uint32_t special_floats[] = {0x00000000, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000,
                                       0x7f7fffff, 0xff7fffff, 0x00000001, 0x80000001, 0x007fffff,
                                       0x00800000, 0x3f800000, 0x7f800001, 0xffffffff};
constexpr uint16_t special_halves[] = {0x0000, 0x8000, 0x7c00, 0xfc00, 0x7e00, 0x7bff, 0xfbff,
                                       0x0001, 0x8001, 0x03ff, 0x0400, 0x3c00, 0x7c01, 0xffff};

uint32_t random_channel(Random& random, int format) {
    const uint32_t bits = random.word();
    // Numbers around one, so that sums keep their low bits: exponents -3 to 2.
    if (format == shim::CU_AD_FORMAT_FLOAT) return (bits & 0x807fffff) | (124 + random.below(6)) << 23;
    if (format == shim::CU_AD_FORMAT_HALF) return (bits & 0x83ff) | (12 + random.below(6)) << 10;
    return bits;
}

uint32_t channel(const Case& c, Random& random, unsigned index, unsigned x, unsigned level) {
    const bool half = c.format == shim::CU_AD_FORMAT_HALF;
    switch (c.content) {
    case Content::random:
        break;
    case Content::zero:
        return 0;
    case Content::level:
        return std::bit_cast<uint32_t>(float(256 * level));
    case Content::ramp:
        if (c.format == shim::CU_AD_FORMAT_FLOAT) return std::bit_cast<uint32_t>(float(index));
        return index;
    case Content::impulse:
        if (c.format == shim::CU_AD_FORMAT_FLOAT) return x == 3 ? 0x3f800000 : 0;
        return x == 3 ? (half ? 0x3c00 : 0xffffffff) : 0;
    case Content::special:
        if (is_float(c.format) && random.below(3) == 0)
            return half ? special_halves[random.below(std::size(special_halves))]
                        : special_floats[random.below(std::size(special_floats))];
        if (!is_float(c.format) && random.below(2) == 0) {
            const uint32_t sign = 1u << (8 * channel_bytes(c.format) - 1);
            return random.below(2) ? sign : sign - 1;
        }
    }
    return random_channel(random, c.format);
}

} // namespace

unsigned channel_bytes(int format) {
    switch (format) {
    case shim::CU_AD_FORMAT_UNSIGNED_INT8:
    case shim::CU_AD_FORMAT_SIGNED_INT8:
        return 1;
    case shim::CU_AD_FORMAT_UNSIGNED_INT16:
    case shim::CU_AD_FORMAT_SIGNED_INT16:
    case shim::CU_AD_FORMAT_HALF:
        return 2;
    default:
        if (format >= 0xc0 && format <= 0xcb) return (format - 0xc0) / 3 % 2 ? 2 : 1;
        return 4;
    }
}

std::vector<uint8_t> texels_of(const Case& c, unsigned level) {
    const unsigned w = std::max(1u, c.width >> level), h = std::max(1u, c.height >> level);
    const bool volume = c.geometry == Geometry::d3;
    const bool flat = c.geometry == Geometry::d1 || c.geometry == Geometry::a1d || c.geometry == Geometry::linear;
    const bool deep = volume || c.geometry == Geometry::a1d || c.geometry == Geometry::a2d ||
                      c.geometry == Geometry::cube || c.geometry == Geometry::acube;
    const unsigned d = volume ? std::max(1u, c.depth >> level) : deep ? c.depth : 1, bytes = channel_bytes(c.format);
    const size_t count = size_t(w) * (flat ? 1 : h) * d * c.channels;
    std::vector<uint8_t> texels(count * bytes);
    Random random(seed_of(c.name) + level + 77);
    for (size_t i = 0; i < count; ++i) {
        const uint32_t value = channel(c, random, unsigned(i), unsigned(i / c.channels % w), level);
        std::memcpy(texels.data() + i * bytes, &value, bytes);
    }
    return texels;
}

} // namespace sweep

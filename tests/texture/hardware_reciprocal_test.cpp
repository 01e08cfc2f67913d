#include "texture/hardware_reciprocal.h"

#include <gtest/gtest.h>

#include <cstdint>

// MUFU.RCP against what an H100 answered (rcp.approx.ftz.f32, driver 580).
namespace {

using texture::bits_of;
using texture::float_of;
using texture::hardware_reciprocal;

/// FNV-1a of 64 bits.
class Digest {
  public:
    void add(uint32_t word) {
        for (int k = 0; k < 4; ++k) value_ = (value_ ^ (word >> 8 * k & 255)) * 0x100000001b3;
    }
    uint64_t value() const { return value_; }

  private:
    uint64_t value_ = 0xcbf29ce484222325;
};

TEST(HardwareReciprocal, IsAnH100sForAllFractions) {
    Digest digest;
    for (uint32_t fraction = 0; fraction < 1u << 23; ++fraction)
        digest.add(bits_of(hardware_reciprocal(float_of(0x3f800000 | fraction))));
    EXPECT_EQ(digest.value(), 0xf6c4479b058c7200u);
}

/// Spreads numbers over all floats: each argument once.
uint32_t scattered(uint32_t i) {
    i = (i ^ i >> 16) * 0x7feb352d;
    i = (i ^ i >> 15) * 0x846ca68b;
    return i ^ i >> 16;
}

TEST(HardwareReciprocal, IsAnH100sForAllExponents) {
    Digest digest;
    for (uint32_t i = 0; i < 65536; ++i) digest.add(bits_of(hardware_reciprocal(float_of(scattered(i)))));
    EXPECT_EQ(digest.value(), 0xfeb1a5efafca04eu);
}

TEST(HardwareReciprocal, TakesSubnormalsForZeros) {
    const struct {
        uint32_t argument, result;
    } cases[] = {
        {0x00000000, 0x7f800000}, {0x80000000, 0xff800000}, {0x007fffff, 0x7f800000}, {0x7f800000, 0x00000000},
        {0xff800000, 0x80000000}, {0x7f800001, 0x7fffffff}, {0x7f000000, 0x00000000}, {0x3f800000, 0x3f800000},
    };
    for (const auto& c : cases) EXPECT_EQ(bits_of(hardware_reciprocal(float_of(c.argument))), c.result) << c.argument;
}

} // namespace

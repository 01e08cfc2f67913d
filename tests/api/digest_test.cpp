#include "driver/md2.h"

#include <gtest/gtest.h>
#include <string>

namespace {

std::span<const uint8_t> bytes(const std::string& text) {
    return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string hex(const shim::Digest& digest) {
    std::string out;
    for (uint8_t byte : digest) {
        out += "0123456789abcdef"[byte >> 4];
        out += "0123456789abcdef"[byte & 15];
    }
    return out;
}

constexpr shim::Digest key{0x14, 0x6a, 0xdd, 0xae, 0x53, 0xa9, 0xa7, 0x52,
                           0xaa, 0x08, 0x41, 0x36, 0x0b, 0xf5, 0x5a, 0x9f};

} // namespace

// RFC 1319, appendix A.5.
TEST(Digest, Md2) {
    EXPECT_EQ(hex(shim::md2(bytes(""))), "8350e5a3e24c153df2275c9f80692773");
    EXPECT_EQ(hex(shim::md2(bytes("a"))), "32ec01ec4a6dac72c0ab96fb34c0b5d1");
    EXPECT_EQ(hex(shim::md2(bytes("message digest"))), "ab4f496bfb2a530b219ff33031fe06b0");
}

// Values that cudart 13.0 accepts.
TEST(Digest, Hmac) {
    std::string message;
    for (int i = 0; i < 0x4c; ++i) message += char(i);
    EXPECT_EQ(hex(shim::hmac_md2(key, bytes(""))), "f66b07aba4a875ea140c2cc013a41c6a");
    EXPECT_EQ(hex(shim::hmac_md2(key, bytes("x"))), "31aa36187b03c2c35fba8eb555aab797");
    EXPECT_EQ(hex(shim::hmac_md2(key, bytes(message))), "70179cf997c1374ec2d4e2c0c4fd2e23");
}

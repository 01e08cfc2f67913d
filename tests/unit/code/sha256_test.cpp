#include "code/sha256.h"

#include <gtest/gtest.h>

#include <vector>

namespace {

using namespace rt::code;

std::string digest_of(const std::string& text) {
    return hex(Sha256().add(std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size())).finish());
}

// FIPS 180-4's examples.
TEST(Sha256, KnownAnswers) {
    EXPECT_EQ(digest_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(digest_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(digest_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    EXPECT_EQ(digest_of(std::string(1000000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesDoNotMatter) {
    const std::vector<uint8_t> bytes(200, 0x5a);
    const Digest whole = Sha256().add(bytes).finish();
    for (size_t cut = 0; cut <= bytes.size(); ++cut)
        EXPECT_EQ(Sha256().add(std::span(bytes).first(cut)).add(std::span(bytes).subspan(cut)).finish(), whole);
}

TEST(Sha256, TextsHaveOneReading) {
    EXPECT_NE(Sha256().add(std::string_view("ab")).add(std::string_view("c")).finish(),
              Sha256().add(std::string_view("a")).add(std::string_view("bc")).finish());
}

} // namespace

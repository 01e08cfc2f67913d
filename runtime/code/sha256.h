#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace rt::code {

using Digest = std::array<uint8_t, 32>;

/// SHA-256 (FIPS 180-4).
class Sha256 {
  public:
    Sha256();
    Sha256& add(std::span<const uint8_t> bytes);
    /// The text's length and then the text, so that a sequence of texts has one reading only.
    Sha256& add(std::string_view text);
    Sha256& add(uint64_t number);
    Digest finish();

  private:
    void compress(const uint8_t* block);

    std::array<uint32_t, 8> state_;
    std::array<uint8_t, 64> block_;
    uint64_t length_ = 0;
};

std::string hex(const Digest&);

} // namespace rt::code

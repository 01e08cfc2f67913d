#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace shim {

using Digest = std::array<uint8_t, 16>;

/// RFC 1319.
Digest md2(std::span<const uint8_t> message);
/// RFC 2104 over MD2, whose block has 16 bytes; the key fills it.
Digest hmac_md2(const Digest& key, std::span<const uint8_t> message);

} // namespace shim

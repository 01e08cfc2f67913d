#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace rt::code {

/// Both give exactly `size` bytes, as the entry that holds them declares, and throw rt::Error{invalid_image} when the
/// data are damaged or give another number. Sizes past 1 GiB are refused.
std::string decompress_lz4(std::span<const uint8_t> block, uint64_t size);
std::string decompress_zstd(std::span<const uint8_t> frame, uint64_t size);

} // namespace rt::code

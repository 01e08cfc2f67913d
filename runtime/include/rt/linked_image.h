#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace rt {

/// What cuLinkComplete and the stand-ins of NVIDIA's compilers (tools/compilers) hand out where a cubin is expected: PTX
/// texts to be linked, as sections of an ELF file for NVIDIA's machine, so that programs that look at an image or ask for
/// its size by its headers find what they know. Only we can load it. `architecture`: 80 for sm_80; it stands in the
/// flags, as NVIDIA's tools write it, and means nothing to us.
std::vector<char> make_linked_image(std::span<const std::string> texts, unsigned architecture = 0);
/// Looks no further than the first byte that differs, so that `image` may be a short text.
bool is_linked_image(const void* image);
/// `limit`: bytes that may be read, where that is known. Throws invalid_image when the image is damaged.
std::vector<std::string> read_linked_image(const void* image, uint64_t limit = UINT64_MAX);

} // namespace rt

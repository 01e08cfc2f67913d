#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace shim {

/// What cuLinkComplete hands out: the linked texts, one after the other, in a form that only we read.
std::vector<char> make_linked_image(std::span<const std::string> texts);
bool is_linked_image(const void* image);
/// Throws invalid_image when it is damaged.
std::vector<std::string> read_linked_image(const void* image);

} // namespace shim

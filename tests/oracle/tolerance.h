#pragma once

#include <cstdint>
#include <string>

namespace oracle {

/// Whether `got` is as good as `expected`, both bits of `type`. `argument` are the bits of the first input, an f32,
/// which only `lg2` looks at. Throws std::runtime_error for an unknown tolerance.
bool agrees(const std::string& tolerance, const std::string& type, uint64_t expected, uint64_t got, uint64_t argument);

/// "0x3f800000 (1)"
std::string describe(const std::string& type, uint64_t bits);

} // namespace oracle

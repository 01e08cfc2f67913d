#pragma once

#include <cstdint>

/// Inline constants of the encodings: source codes 128 to 208 are integers, 240 to 248 floating point.
namespace amdgpu {

inline bool is_inline_float(uint16_t code) { return code >= 240 && code <= 248; }

inline double inline_float(uint16_t code) {
    constexpr double values[] = {0.5, -0.5, 1.0, -1.0, 2.0, -2.0, 4.0, -4.0, 0.15915494309189532};
    return values[code - 240];
}

inline int32_t inline_integer(uint16_t code) { return code <= 192 ? code - 128 : 192 - code; }

/// The half that an inline constant is to 16-bit floating-point operations.
inline uint16_t inline_half(uint16_t code) {
    constexpr uint16_t values[] = {0x3800, 0xb800, 0x3c00, 0xbc00, 0x4000, 0xc000, 0x4400, 0xc400, 0x3118};
    return values[code - 240];
}

} // namespace amdgpu

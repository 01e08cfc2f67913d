#pragma once

#include <stdint.h>

/// Number formats, without a library.
namespace texture {

inline uint32_t bits_of(float value) { return __builtin_bit_cast(uint32_t, value); }
inline float float_of(uint32_t bits) { return __builtin_bit_cast(float, bits); }

constexpr uint32_t canonical_nan = 0x7fffffff; ///< what the texture unit makes

inline float half(uint16_t bits) {
    const uint32_t sign = static_cast<uint32_t>(bits >> 15) << 31, exponent = bits >> 10 & 31, fraction = bits & 1023;
    if (exponent == 31) return float_of(sign | 0x7f800000u | fraction << 13);
    if (exponent == 0) return (sign ? -1.0f : 1.0f) * static_cast<float>(fraction) * 0x1p-24f;
    return float_of(sign | (exponent + 112) << 23 | fraction << 13);
}

/// Two to the power of an exponent of normal numbers.
inline float power_of_two(int exponent) { return float_of(static_cast<uint32_t>(exponent + 127) << 23); }

inline double floor(double x) { return __builtin_floor(x); }

/// What is no number is zero; the rest comes into the range of a long long.
inline double bounded(double x) {
    if (x != x) return 0;
    return x > 0x1p40 ? 0x1p40 : x < -0x1p40 ? -0x1p40 : x;
}

/// A float as a fraction of `bits` bits: cut to four bits more, then to the nearest, ties towards zero.
inline int fraction_of(double magnitude, int bits) {
    const double most = power_of_two(bits) - 1, fine = power_of_two(bits + 4);
    return static_cast<int>(-floor(0.5 - floor(magnitude * fine) / fine * most));
}

inline int unsigned_fraction(float value, int bits) {
    return value > 0 ? fraction_of(value > 1 ? 1 : static_cast<double>(value), bits) : 0;
}

inline int signed_fraction(float value, int bits) {
    return value < 0 ? -unsigned_fraction(-value, bits) : unsigned_fraction(value, bits);
}

/// A half of a float's bits: cut, and the largest number for what is larger, but for infinity.
inline uint32_t half_of(uint32_t bits) {
    const uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
    if (magnitude >= 0x7f800000) return sign | 0x7c00 | (magnitude >> 13 & 0x3ff);
    if (magnitude >= 0x47800000) return sign | 0x7bff;
    if (magnitude >= 0x38800000) return sign | (magnitude - 0x38000000) >> 13;
    return sign | static_cast<uint32_t>(float_of(magnitude) * 0x1p24f);
}

/// A sum of parts in units of two to the power of `unit`, rounded to `kept` bits, halves away from zero.
/// `least`: the exponent of the smallest bit that may be kept.
inline float rounded(long long sum, int unit, int kept, int least) {
    const auto magnitude = static_cast<unsigned long long>(sum < 0 ? -sum : sum);
    if (magnitude == 0) return 0;
    const int top = 63 - __builtin_clzll(magnitude);
    int dropped = top + 1 - kept;
    if (unit + dropped < least) dropped = least - unit;
    unsigned long long value = magnitude;
    if (dropped > 0) {
        if (dropped > 62) return 0;
        value = (magnitude + (1ull << (dropped - 1))) >> dropped;
    } else {
        dropped = 0;
    }
    const int exponent = unit + dropped;
    // Two steps, because the parts may be beyond the range of one factor.
    const int first = exponent / 2;
    const float scaled = static_cast<float>(value) * power_of_two(first) * power_of_two(exponent - first);
    return sum < 0 ? -scaled : scaled;
}

} // namespace texture

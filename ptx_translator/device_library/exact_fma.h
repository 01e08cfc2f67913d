#pragma once

#include <stdint.h>

/// fma of doubles in integers, for every rounding mode and every processor.
namespace {

/// Numbers of MXCSR's rounding control.
enum class Rounding : uint32_t { rn = 0, rm = 1, rp = 2, rz = 3 };

inline uint64_t bits_of(double value) { return __builtin_bit_cast(uint64_t, value); }
inline double double_of(uint64_t bits) { return __builtin_bit_cast(double, bits); }

/// mantissa * 2^exponent.
struct Wide {
    unsigned __int128 mantissa;
    int exponent;
    bool negative;
};

struct Parts {
    uint64_t mantissa;
    int exponent;
    bool negative;
};

inline Parts split(double value) {
    const uint64_t bits = bits_of(value);
    const int field = static_cast<int>(bits >> 52 & 0x7ff);
    const uint64_t fraction = bits & 0xfffffffffffffull;
    const bool negative = bits >> 63;
    if (field == 0) return {fraction, -1074, negative};
    return {fraction | 1ull << 52, field - 1075, negative};
}

inline int leading_zeros(unsigned __int128 value) {
    const uint64_t high = static_cast<uint64_t>(value >> 64);
    if (high) return __builtin_clzll(high);
    const uint64_t low = static_cast<uint64_t>(value);
    return low ? 64 + __builtin_clzll(low) : 128;
}

/// Shifts right, or-ing what falls out into the last bit.
inline unsigned __int128 shift_right_sticky(unsigned __int128 value, int count) {
    if (count <= 0) return value;
    if (count >= 128) return value != 0;
    const bool lost = (value & ((static_cast<unsigned __int128>(1) << count) - 1)) != 0;
    return (value >> count) | lost;
}

/// The value as a double under a rounding mode. The mantissa is not zero; its last bit may be sticky if it has more
/// than 54 bits.
inline double round_wide(Wide value, Rounding mode) {
    bool away = mode == Rounding::rp ? !value.negative : mode == Rounding::rm ? value.negative : false;
    const int bits = 128 - leading_zeros(value.mantissa);
    int shift = bits - 53;
    if (value.exponent + shift < -1074) shift = -1074 - value.exponent;
    uint64_t kept;
    bool inexact = false;
    if (shift <= 0) {
        kept = static_cast<uint64_t>(value.mantissa << -shift);
    } else {
        const unsigned __int128 last = shift == 1 ? value.mantissa << 1 : shift_right_sticky(value.mantissa, shift - 2);
        kept = static_cast<uint64_t>(last >> 2);
        inexact = last & 3;
        if (mode == Rounding::rn) away = (last & 3) == 3 || ((last & 3) == 2 && (kept & 1));
    }
    int exponent = value.exponent + shift;
    if (inexact && away) ++kept;
    if (kept >> 53) kept >>= 1, ++exponent;
    const uint64_t sign = value.negative ? 1ull << 63 : 0;
    if (exponent > 971)
        return double_of(sign | (away || mode == Rounding::rn ? 0x7ff0000000000000ull : 0x7fefffffffffffffull));
    if (kept >> 52)
        return double_of(sign | (static_cast<uint64_t>(exponent + 1075) << 52) | (kept & 0xfffffffffffffull));
    return double_of(sign | kept);
}

/// The leading bit to bit 124: a sum has room, and the smaller operand keeps its bits down to a sticky one.
inline void normalize(Wide& value) {
    const int shift = leading_zeros(value.mantissa) - 3;
    value.mantissa <<= shift;
    value.exponent -= shift;
}

/// Exact a * b + c, rounded once.
inline double fma_f64(double a, double b, double c, Rounding mode) {
    const uint64_t exponent_mask = 0x7ff0000000000000ull;
    const bool special = (bits_of(a) & exponent_mask) == exponent_mask || (bits_of(b) & exponent_mask) == exponent_mask;
    if (special) return a * b + c;
    if ((bits_of(c) & exponent_mask) == exponent_mask) return c + c;
    const Parts x = split(a), y = split(b), z = split(c);
    const bool negative = x.negative != y.negative;
    // A zero sum of unlike signs is +0, but -0 when rounding down. IEEE 754, 6.3.
    const double zero = mode == Rounding::rm ? -0.0 : 0.0;
    if (x.mantissa == 0 || y.mantissa == 0) {
        if (z.mantissa != 0) return c;
        return negative == z.negative ? c : zero;
    }
    Wide product{static_cast<unsigned __int128>(x.mantissa) * y.mantissa, x.exponent + y.exponent, negative};
    if (z.mantissa == 0) return round_wide(product, mode);
    Wide addend{z.mantissa, z.exponent, z.negative};
    normalize(product);
    normalize(addend);
    Wide& large = product.exponent >= addend.exponent ? product : addend;
    Wide& small = &large == &product ? addend : product;
    small.mantissa = shift_right_sticky(small.mantissa, large.exponent - small.exponent);
    if (large.negative == small.negative) {
        large.mantissa += small.mantissa;
        return round_wide(large, mode);
    }
    if (large.mantissa == small.mantissa) return zero;
    if (large.mantissa < small.mantissa) {
        large.mantissa = small.mantissa - large.mantissa;
        large.negative = small.negative;
    } else {
        large.mantissa -= small.mantissa;
    }
    return round_wide(large, mode);
}

} // namespace

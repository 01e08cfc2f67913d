#pragma once

#include <stdint.h>

namespace cuttle {

/// a + b rounded to odd: to the neighbour with an odd last bit when inexact. A second rounding of it to at most 51 bits
/// is then as right as one of the exact sum (Boldo and Melquiond). The sum must not overflow.
inline double add_to_odd(double a, double b) {
    const double sum = a + b;
    const double b_part = sum - a;
    const double error = (a - (sum - b_part)) + (b - b_part);
    const uint64_t bits = __builtin_bit_cast(uint64_t, sum);
    // Comparisons are false for NaN, which is what an infinity or NaN gives here.
    if (!(error < 0 || error > 0) || (bits & 1)) return sum;
    return __builtin_bit_cast(double, (error > 0) == (sum > 0) ? bits + 1 : bits - 1);
}

/// The bits of the nearest bfloat16, after one rounding.
inline uint16_t bfloat_bits(double value) {
    // To a float rounded to odd, which has bits enough for the second rounding to be right.
    const auto narrow = float(value);
    auto bits = __builtin_bit_cast(uint32_t, narrow);
    const double back = narrow;
    if (value != value) return uint16_t(bits >> 16 | 0x40);
    const bool infinite = (bits & 0x7fffffff) == 0x7f800000;
    if (back != value && !infinite && !(bits & 1)) bits = (value > back) == !(bits >> 31) ? bits + 1 : bits - 1;
    return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

} // namespace cuttle

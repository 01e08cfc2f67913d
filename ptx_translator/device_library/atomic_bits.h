#pragma once

#include <stdint.h>

/// What PTX's atomic operations on floating-point bits compute, for targets that do them by compare and swap.
namespace cuttle {

/// The magnitude of a subnormal is zero.
inline uint32_t without_subnormal(uint32_t bits) { return bits & 0x7f800000 ? bits : bits & 0x80000000; }

/// a + b with subnormal operands and results as zero.
inline uint32_t sum_without_subnormals(uint32_t a, uint32_t b) {
    const float sum = __builtin_bit_cast(float, without_subnormal(a)) + __builtin_bit_cast(float, without_subnormal(b));
    return without_subnormal(__builtin_bit_cast(uint32_t, sum));
}

/// The smaller or the greater of two 16-bit floats, -0 below +0. A NaN loses against a number. `infinity`: the
/// format's.
inline uint16_t extreme(uint16_t a, uint16_t b, uint16_t infinity, bool greatest) {
    const bool a_nan = (a & 0x7fff) > infinity, b_nan = (b & 0x7fff) > infinity;
    if (a_nan || b_nan) return a_nan && b_nan ? 0x7fff : a_nan ? b : a;
    const auto order = [](uint16_t bits) { return bits & 0x8000 ? 0xffff - bits : bits + 0x8000; };
    return (order(a) < order(b)) != greatest ? a : b;
}

} // namespace cuttle

// Directed rounding in plain arithmetic: Intel's compiler knows no rounding mode for an operation. A result rounded to
// nearest is moved by the sign of its exact error, or an exact sum in integers is rounded (exact_fma.h).
#pragma once

#include "exact_fma.h"
#include "round_to_odd.h"

#include <stdint.h>

namespace {

/// `nearest`, which is an exact value rounded to nearest, rounded otherwise. `error`: the sign of exact - nearest. The
/// exact value is finite.
template <Rounding mode> double moved(double nearest, double error) {
    const uint64_t bits = bits_of(nearest);
    const bool negative = bits >> 63;
    const bool towards_zero = negative ? error > 0 : error < 0, away = negative ? error < 0 : error > 0;
    const bool inward = towards_zero && (mode == Rounding::rz || (mode == Rounding::rp) == negative);
    const bool outward = away && mode != Rounding::rz && (mode == Rounding::rm) == negative;
    return double_of(inward ? bits - 1 : outward ? bits + 1 : bits);
}

/// A double that was rounded in the same direction, or to odd, or is exact.
template <Rounding mode> float narrow(double exact) {
    const float nearest = float(exact);
    const uint32_t bits = __builtin_bit_cast(uint32_t, nearest);
    const bool negative = bits >> 31;
    // Comparisons are false for NaN.
    const bool inward = negative ? nearest < exact : nearest > exact,
               outward = negative ? nearest > exact : nearest < exact;
    const bool to_zero = mode == Rounding::rz || (mode == Rounding::rp) == negative;
    const uint32_t rounded = inward && to_zero ? bits - 1 : outward && !to_zero ? bits + 1 : bits;
    return __builtin_bit_cast(float, rounded);
}

template <Rounding mode> double fuse(double a, double b, double c) { return fma_f64(a, b, c, mode); }

/// A sum of unlike signs that is exactly zero is -0 when rounding down (IEEE 754, 6.3).
template <Rounding mode> float sum_of(double a, double b) {
    const double sum = cuttle::add_to_odd(a, b);
    if (mode == Rounding::rm && sum == 0 && (bits_of(a) >> 63) + (bits_of(b) >> 63) != 0) return -0.0f;
    return narrow<mode>(sum);
}

template <Rounding mode> float add(float a, float b) { return sum_of<mode>(a, b); }
template <Rounding mode> double add(double a, double b) { return fuse<mode>(a, 1, b); }
template <Rounding mode> float subtract(float a, float b) { return add<mode>(a, -b); }
template <Rounding mode> double subtract(double a, double b) { return add<mode>(a, -b); }
/// Two floats' product is exact in double.
template <Rounding mode> float multiply(float a, float b) { return narrow<mode>(double(a) * double(b)); }
template <Rounding mode> double multiply(double a, double b) {
    const bool negative = (bits_of(a) ^ bits_of(b)) >> 63;
    return fuse<mode>(a, b, negative ? -0.0 : 0.0);
}
template <Rounding mode> float fuse(float a, float b, float c) { return sum_of<mode>(double(a) * double(b), c); }

// A quotient or root of floats that is no float differs from every float by more than a double's rounding.
template <Rounding mode> float divide(float a, float b) { return narrow<mode>(double(a) / double(b)); }
template <Rounding mode> float root(float a) { return narrow<mode>(__builtin_sqrt(double(a))); }

inline double power_of_two(int n) { return double_of(uint64_t(n + 1023) << 52); }
inline bool finite(double x) { return (bits_of(x) << 1) < (uint64_t{0x7ff} << 53); }

/// A number that is neither 0 nor special as fraction * 2^exponent, the fraction in [1, 2).
struct Scaled {
    double fraction;
    int exponent;
};
inline Scaled scaled(double x) {
    const bool subnormal = (bits_of(x) << 1 >> 53) == 0;
    const uint64_t bits = bits_of(subnormal ? x * 0x1p54 : x);
    const int field = int(bits >> 52 & 0x7ff);
    return {double_of((bits & 0x800fffffffffffffull) | 0x3ff0000000000000ull), field - 1023 - (subnormal ? 54 : 0)};
}

/// The quotient of the fractions is rounded by its exact remainder, then moved to its exponent, which rounds once more,
/// in the same direction, where the result is subnormal or too large.
template <Rounding mode> double divide(double a, double b) {
    if (!finite(a) || !finite(b) || a == 0 || b == 0) return a / b;
    const Scaled x = scaled(a), y = scaled(b);
    const double quotient = x.fraction / y.fraction;
    const double remainder = __builtin_fma(-quotient, y.fraction, x.fraction);
    const double rounded = moved<mode>(quotient, y.fraction < 0 ? -remainder : remainder);
    int exponent = x.exponent - y.exponent;
    exponent = exponent > 1100 ? 1100 : exponent < -1100 ? -1100 : exponent;
    const int half = exponent / 2;
    return multiply<mode>(rounded * power_of_two(half), power_of_two(exponent - half));
}

template <Rounding mode> double root(double a) {
    if (!finite(a) || a <= 0) return __builtin_sqrt(a);
    const Scaled x = scaled(a);
    const int odd = x.exponent & 1;
    const double even = x.fraction * (odd ? 2 : 1), r = __builtin_sqrt(even);
    return moved<mode>(r, __builtin_fma(-r, r, even)) * power_of_two((x.exponent - odd) / 2);
}

} // namespace

#include "rounded_functions.h"

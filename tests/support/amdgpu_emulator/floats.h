#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <immintrin.h>
#include <limits>
#include <type_traits>

/// What AMD's floating-point instructions have in common, for float and double.
namespace amdgpu {

template <class T> using BitsOf = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
template <class T> inline constexpr int mantissa_bits = std::numeric_limits<T>::digits - 1;
template <class T> inline constexpr int exponent_bias = std::numeric_limits<T>::max_exponent - 1;
template <class T> inline constexpr int exponent_limit = 2 * exponent_bias<T> + 1; ///< of infinities and NaNs

template <class T> inline BitsOf<T> bits_of(T value) { return std::bit_cast<BitsOf<T>>(value); }
template <class T> inline int exponent_field(T value) {
    return int(bits_of(value) >> mantissa_bits<T>) & exponent_limit<T>;
}
template <class T> inline bool sign_of(T value) { return bits_of(value) >> (8 * sizeof(T) - 1); }
template <class T> inline bool is_denormal(T value) { return exponent_field(value) == 0 && value != T(0); }

/// By bits, so that no mode of the host comes in.
template <class T> inline bool is_nan(T value) {
    return (bits_of(value) << 1) > (bits_of(std::numeric_limits<T>::infinity()) << 1);
}
template <class T> inline T quieted(T value) {
    return std::bit_cast<T>(BitsOf<T>(bits_of(value) | BitsOf<T>{1} << (mantissa_bits<T> - 1)));
}
template <class T> inline bool is_signaling(T value) {
    return is_nan(value) && !(bits_of(value) >> (mantissa_bits<T> - 1) & 1);
}

/// MODE.IEEE of the wave that this thread runs: in it a signaling NaN wins over all in minima and maxima.
extern thread_local bool ieee_mode;

/// -0 is below +0; a number wins over a NaN.
template <class T> inline bool below(T a, T b) { return a < b || (a == b && sign_of(a) && !sign_of(b)); }
template <class T> inline T minimum(T a, T b) {
    if (ieee_mode && is_signaling(a)) return quieted(a);
    if (ieee_mode && is_signaling(b)) return quieted(b);
    if (is_nan(b)) return a;
    if (is_nan(a)) return b;
    return below(a, b) ? a : b;
}
template <class T> inline T maximum(T a, T b) {
    if (ieee_mode && is_signaling(a)) return quieted(a);
    if (ieee_mode && is_signaling(b)) return quieted(b);
    if (is_nan(b)) return a;
    if (is_nan(a)) return b;
    return below(b, a) ? a : b;
}
template <class T> inline T median_of(T a, T b, T c) {
    if (is_nan(a) || is_nan(b) || is_nan(c)) return minimum(minimum(a, b), c);
    const T greatest = maximum(maximum(a, b), c);
    if (greatest == a) return maximum(b, c);
    if (greatest == b) return maximum(a, c);
    return maximum(a, b);
}

inline float to_even(float x) { return __builtin_roundevenf(x); }
inline double to_even(double x) { return __builtin_roundeven(x); }

/// x * 2^e, rounded once, by the host's mode.
inline float scaled(float x, int e) { return float(double(x) * std::ldexp(1.0, e < -400 ? -400 : e > 400 ? 400 : e)); }
inline double scaled(double x, int e) { return std::ldexp(x, e); }

/// a * b + c of halves, exact or so that it rounds to a half as the exact sum does ("round to odd"). Changes the host's
/// rounding mode.
inline float odd_half_sum(float a, float b, float c) {
    if ((_mm_getcsr() & 0xffc0) != 0x1f80) _mm_setcsr(0x1f80);
    const double product = double(a) * b, sum = product + c, part = sum - product;
    const double rest = (product - (sum - part)) + (c - part);
    const auto to_odd = [](auto value, double lost) {
        if (lost == 0 || !std::isfinite(value) || bits_of(value) & 1) return value;
        using T = decltype(value);
        return std::nextafter(value, T(lost > 0 ? INFINITY : -INFINITY));
    };
    const double odd = to_odd(sum, rest);
    const float narrow = float(odd);
    return to_odd(narrow, odd - narrow);
}

} // namespace amdgpu

#pragma once

#include <stdint.h>

/// PTX's approximate functions of single precision (PTX ISA 9.7.3: ex2, lg2, sin, cos, tanh): straight code of
/// additions, multiplications, divisions and selects, so that it inlines and vectorises; no table, no call, no fused
/// operation that an old processor would have to call a library for. Subnormals are kept; .ftz is the caller's. Errors
/// are far below the manual's bounds: tests/unit/code/approximate_test.cpp measures them.
namespace cuttle::approximate {

inline float float_of(uint32_t bits) { return __builtin_bit_cast(float, bits); }
inline uint32_t bits_of(float value) { return __builtin_bit_cast(uint32_t, value); }

/// 2^n for -126 <= n <= 127.
inline float power_of_two(int32_t n) { return float_of(static_cast<uint32_t>(n + 127) << 23); }

/// 2^x. The fraction by the series of e^(f ln 2), |f| <= 1/2; the exponent in two halves, so that subnormal results and
/// overflow round once, as the last multiplication does.
inline float ex2(float x) {
    // Beyond these limits results are 0 and infinity anyway; NaN fails both comparisons and goes through.
    float y = x > 130.0f ? 130.0f : x;
    y = y < -152.0f ? -152.0f : y;
    const float magic = 0x1.8p23f; // its last place is 1: adding it rounds to an integer
    const float shifted = y + magic;
    const float f = y - (shifted - magic);
    const int32_t n = static_cast<int32_t>(bits_of(shifted) - bits_of(magic));
    float p = 0x1.ffcbfcp-17f;
    p = p * f + 0x1.430912p-13f;
    p = p * f + 0x1.5d87fep-10f;
    p = p * f + 0x1.3b2ab6p-7f;
    p = p * f + 0x1.c6b08ep-5f;
    p = p * f + 0x1.ebfbep-3f;
    p = p * f + 0x1.62e43p-1f;
    p = p * f + 1.0f;
    const bool number = x == x;
    const int32_t half = (number ? n : 0) >> 1, rest = (number ? n : 0) - half;
    return number ? p * power_of_two(half) * power_of_two(rest) : x;
}

/// log2 x = e + log2 m with m in [sqrt 1/2, sqrt 2), the latter by the series of artanh((m - 1) / (m + 1)).
inline float lg2(float x) {
    const bool tiny = x < 0x1p-126f;
    const float scaled = tiny ? x * 0x1p24f : x;
    const uint32_t bits = bits_of(scaled);
    // The fraction's bits from which on m belongs to the next exponent: sqrt 1/2.
    const int32_t exponent = static_cast<int32_t>(bits - 0x3f3504f3u) >> 23;
    const float m = float_of(bits - (static_cast<uint32_t>(exponent) << 23));
    const float t = (m - 1.0f) / (m + 1.0f);
    const float s = t * t;
    // 2 / ln 2 times 1, 1/3, 1/5 ...
    float p = 0x1.4848cep-2f;
    p = p * s + 0x1.a61762p-2f;
    p = p * s + 0x1.2776c6p-1f;
    p = p * s + 0x1.ec709ep-1f;
    const float log_m = t * (s * p) + t * 0x1.715476p+1f;
    const float log = static_cast<float>(exponent - (tiny ? 24 : 0)) + log_m;
    const float infinity = __builtin_inff();
    if (x == 0.0f) return -infinity;
    if (!(x >= 0.0f)) return __builtin_nanf("");
    return x == infinity ? x : log;
}

/// sin of a quarter turn times (x + quarters), |x| small or not. The argument is reduced in double, good to 2^-29 up to
/// 2^24; beyond 2^51 nothing of it is left.
inline float sine_of_turn(float x, double quarters) {
    const double turns = static_cast<double>(x) * 0x1.45f306dc9c883p-1;
    const double magic = 0x1.8p52;
    const bool small = turns < 0x1p51 && turns > -0x1p51;
    const double whole = small ? (turns + magic) - magic : turns;
    const float angle = static_cast<float>(turns - whole) * 0x1.921fb6p+0f;
    // Nothing left of a huge argument gives, as on an H100, a zero of its sign.
    const float y = angle == 0 ? float_of(bits_of(x) & 0x80000000u) : angle;
    // Which quarter: the whole number modulo 4.
    const double sum = (small ? whole : whole * 0.0) + quarters;
    const int32_t quarter = static_cast<int32_t>(__builtin_bit_cast(uint64_t, sum + magic));
    const float s = y * y;
    float sine = 0x1.71de3ap-19f;
    sine = sine * s - 0x1.a01a02p-13f;
    sine = sine * s + 0x1.111112p-7f;
    sine = sine * s - 0x1.555556p-3f;
    sine = y * (1.0f + s * sine); // a product: the sign of zero stays
    float cosine = -0x1.27e4fcp-22f;
    cosine = cosine * s + 0x1.a01a02p-16f;
    cosine = cosine * s - 0x1.6c16c2p-10f;
    cosine = cosine * s + 0x1.555556p-5f;
    cosine = cosine * s - 0.5f;
    cosine = 1.0f + s * cosine;
    const float result = quarter & 1 ? cosine : sine;
    return quarter & 2 ? -result : result;
}

inline float sin(float x) { return sine_of_turn(x, 0); }
inline float cos(float x) { return sine_of_turn(x, 1); }

/// Small arguments by tanh's own series, others by (e^2x - 1) / (e^2x + 1).
inline float tanh(float x) {
    const uint32_t sign = bits_of(x) & 0x80000000u;
    const float magnitude = float_of(bits_of(x) ^ sign);
    const float s = x * x;
    float p = 0x1.664f48p-6f;
    p = p * s - 0x1.ba1ba2p-5f;
    p = p * s + 0x1.111112p-3f;
    p = p * s - 0x1.555556p-2f;
    const float small = x * (1.0f + s * p);
    const float clamped = magnitude > 20.0f ? 20.0f : magnitude;
    const float e = ex2(clamped * 0x1.715476p+1f);
    const float large = float_of(bits_of((e - 1.0f) / (e + 1.0f)) | sign);
    const float result = magnitude < 0.25f ? small : large;
    return x == x ? result : x;
}

} // namespace cuttle::approximate

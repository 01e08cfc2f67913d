#pragma once

#include "ptx/matrix_form.h"

#include <stdint.h>

/// The floating-point arithmetic of an H100's mma.sync, as measured (bit for bit, tests/oracle): products are exact;
/// they and the addend are aligned to the largest exponent among them, cut to 25 bits behind its leading place, and
/// added exactly; the sum is cut to f32, or rounded to nearest for f16.
namespace matrix {

using namespace ptx;

/// significand * 2^(exponent - point of the format): exponent is that of the leading place.
struct Number {
    enum Kind : uint8_t { finite, infinite, nan } kind = finite;
    bool negative = false;
    int exponent = 0;
    int64_t significand = 0;
};

struct Format {
    int exponent_bits, fraction_bits, unused_bits; ///< unused: the low bits of tf32, and of e2m1 in a byte
    bool has_infinity, has_nan = true;
};

constexpr Format format_of(MatrixElement element) {
    switch (element) {
    case MatrixElement::bf16:
        return {8, 7, 0, true};
    case MatrixElement::tf32:
        return {8, 10, 13, true};
    case MatrixElement::f32:
        return {8, 23, 0, true};
    case MatrixElement::e4m3:
        return {4, 3, 0, false};
    case MatrixElement::e5m2:
        return {5, 2, 0, true};
    case MatrixElement::e3m2:
        return {3, 2, 0, false, false};
    case MatrixElement::e2m3:
        return {2, 3, 0, false, false};
    case MatrixElement::e2m1:
        return {2, 1, 2, false, false};
    default:
        return {5, 10, 0, true};
    }
}

inline Number number_of(uint32_t bits, const Format& format) {
    bits >>= format.unused_bits;
    const uint32_t largest = (1u << format.exponent_bits) - 1, fraction_mask = (1u << format.fraction_bits) - 1;
    const uint32_t field = bits >> format.fraction_bits & largest, fraction = bits & fraction_mask;
    const int bias = static_cast<int>(largest >> 1);
    Number number;
    number.negative = bits >> (format.exponent_bits + format.fraction_bits) & 1;
    number.exponent = (field ? static_cast<int>(field) : 1) - bias;
    number.significand = static_cast<int64_t>(field ? fraction | (fraction_mask + 1) : fraction);
    if (field == largest && format.has_infinity) number.kind = fraction ? Number::nan : Number::infinite;
    if (field == largest && !format.has_infinity && format.has_nan && fraction == fraction_mask)
        number.kind = Number::nan;
    return number;
}

/// A sum before it is rounded: value * 2^exponent, or what the special operands make of it.
struct Sum {
    bool nan = false, plus_infinity = false, minus_infinity = false;
    int64_t value = 0;
    int exponent = 0;

    void add_infinity(bool negative) { (negative ? minus_infinity : plus_infinity) = true; }
};

constexpr int kept_bits = 25;

/// Cuts towards zero to a multiple of 2^place.
inline int64_t aligned(int64_t significand, bool negative, int shift) {
    const int64_t kept = shift <= 0 ? significand << -shift : shift > 62 ? 0 : significand >> shift;
    return negative ? -kept : kept;
}

struct Terms {
    const Number* a;
    const Number* b;
    int count;
    int point; ///< fraction bits of a product
};

inline bool is_zero(const Number& x) { return x.kind == Number::finite && x.significand == 0; }

inline Sum sum_of(const Terms& terms, const Number& addend, int addend_point) {
    Sum sum;
    int largest = -10000;
    for (int i = 0; i < terms.count; ++i) {
        const Number &a = terms.a[i], &b = terms.b[i];
        if (a.kind == Number::finite && b.kind == Number::finite) {
            if (a.significand && b.significand && a.exponent + b.exponent > largest) largest = a.exponent + b.exponent;
        } else if (a.kind == Number::nan || b.kind == Number::nan || is_zero(a) || is_zero(b)) {
            sum.nan = true;
        } else {
            sum.add_infinity(a.negative != b.negative);
        }
    }
    if (addend.kind == Number::nan) sum.nan = true;
    if (addend.kind == Number::infinite) sum.add_infinity(addend.negative);
    if (addend.kind == Number::finite && addend.significand && addend.exponent > largest) largest = addend.exponent;
    if (sum.nan || sum.plus_infinity || sum.minus_infinity) return sum;
    sum.exponent = largest - kept_bits;
    for (int i = 0; i < terms.count; ++i) {
        const Number &a = terms.a[i], &b = terms.b[i];
        const int shift = sum.exponent - (a.exponent + b.exponent - terms.point);
        sum.value += aligned(a.significand * b.significand, a.negative != b.negative, shift);
    }
    sum.value += aligned(addend.significand, addend.negative, sum.exponent - (addend.exponent - addend_point));
    return sum;
}

/// The sum as bits of f32 (cut) or f16 (rounded to nearest even, or cut). A zero is +0.
inline uint32_t rounded(const Sum& sum, bool half, bool cut = false) {
    const int exponent_bits = half ? 5 : 8, fraction_bits = half ? 10 : 23;
    const uint32_t sign = 1u << (exponent_bits + fraction_bits);
    const uint32_t infinity = ((1u << exponent_bits) - 1) << fraction_bits;
    if (sum.nan || (sum.plus_infinity && sum.minus_infinity)) return sign - 1;
    if (sum.plus_infinity || sum.minus_infinity) return sum.minus_infinity ? sign | infinity : infinity;
    if (sum.value == 0) return 0;
    const bool negative = sum.value < 0;
    const uint64_t magnitude = static_cast<uint64_t>(negative ? -sum.value : sum.value);
    const int bias = (1 << (exponent_bits - 1)) - 1;
    const int leading = sum.exponent + 63 - __builtin_clzll(magnitude);
    int last = (leading > 1 - bias ? leading : 1 - bias) - fraction_bits;
    const int shift = last - sum.exponent;
    uint64_t kept = shift <= 0 ? magnitude << -shift : shift > 63 ? 0 : magnitude >> shift;
    if (half && !cut && shift > 0 && shift <= 63) {
        const uint64_t rest = magnitude & ((uint64_t{1} << shift) - 1), tie = uint64_t{1} << (shift - 1);
        if (rest > tie || (rest == tie && (kept & 1))) ++kept;
    }
    if (kept >> (fraction_bits + 1)) kept >>= 1, ++last;
    if (kept == 0) return 0;
    uint32_t bits = static_cast<uint32_t>(kept);
    if (kept >> fraction_bits) {
        const int field = last + fraction_bits + bias;
        bits = field >= (1 << exponent_bits) - 1 ? infinity - cut
                                                 : static_cast<uint32_t>(field) << fraction_bits |
                                                       (static_cast<uint32_t>(kept) & ((1u << fraction_bits) - 1));
    }
    return negative ? bits | sign : bits;
}

/// A finite or special number as float; exact for every element type.
inline float float_of(uint32_t bits, MatrixElement element) {
    if (element == MatrixElement::f32) return __builtin_bit_cast(float, bits);
    const Format format = format_of(element);
    const Number number = number_of(bits, format);
    if (number.kind == Number::nan) return __builtin_nanf("");
    float value = number.kind == Number::infinite ? __builtin_inff() : static_cast<float>(number.significand);
    if (number.kind == Number::finite)
        value *= __builtin_bit_cast(float, static_cast<uint32_t>(127 + number.exponent - format.fraction_bits) << 23);
    return number.negative ? -value : value;
}

/// Rounded to nearest even or cut; NaN becomes the one that the hardware makes.
inline uint32_t half_of(double value, bool cut = false) {
    const uint64_t bits = __builtin_bit_cast(uint64_t, value);
    const int field = static_cast<int>(bits >> 52 & 0x7ff);
    const bool negative = bits >> 63;
    Sum sum;
    if (field == 0x7ff) {
        sum.nan = value != value;
        if (!sum.nan) sum.add_infinity(negative);
    } else if (field != 0) { // what is subnormal as double is nothing as half
        const auto significand = static_cast<int64_t>((bits & 0xfffffffffffffull) | 1ull << 52);
        sum.value = negative ? -significand : significand;
        sum.exponent = field - 1075;
    }
    const uint32_t result = rounded(sum, true, cut);
    return negative && result == 0 ? 0x8000 : result;
}

} // namespace matrix

// What LLVM's instruction selection calls for operations that a processor lacks, and that neither libc nor libm offers.
// Names and types are those of the compiler run-time library ABI. Every function stands alone (no other symbol).
#include <stdint.h>

namespace {

/// Rounds a double to a format with `exponent_bits` and `fraction_bits`, to nearest even; NaNs become quiet.
template <int exponent_bits, int fraction_bits> inline uint16_t round_to_16_bits(double value) {
    constexpr int bias = (1 << (exponent_bits - 1)) - 1;
    constexpr uint16_t infinity = static_cast<uint16_t>(((1 << exponent_bits) - 1) << fraction_bits);
    const uint64_t bits = __builtin_bit_cast(uint64_t, value);
    const uint16_t sign = static_cast<uint16_t>(bits >> 63 << 15);
    const uint64_t magnitude = bits & ~(1ull << 63);
    if (magnitude > 0x7ff0000000000000ull) {
        const uint64_t payload = magnitude >> (52 - fraction_bits) & ((1ull << fraction_bits) - 1);
        return static_cast<uint16_t>(sign | infinity | 1 << (fraction_bits - 1) | payload);
    }
    const int exponent = static_cast<int>(magnitude >> 52) - 1023;
    if (exponent > bias) return sign | infinity;
    const uint64_t mantissa = (magnitude & 0xfffffffffffffull) | (magnitude >> 52 ? 1ull << 52 : 0);
    // Bits to drop: more below the smallest normal number, where the exponent field is 0.
    const bool normal = exponent >= 1 - bias;
    const int drop = normal ? 52 - fraction_bits : 52 - fraction_bits + (1 - bias - exponent);
    if (drop > 54) return sign;
    const uint64_t kept = mantissa >> drop, rest = mantissa & ((1ull << drop) - 1), half = 1ull << (drop - 1);
    const uint64_t up = rest > half || (rest == half && (kept & 1));
    // A carry out of the fraction goes on into the exponent, up to infinity, as it should.
    const uint64_t field = normal ? static_cast<uint64_t>(exponent + bias - 1) << fraction_bits : 0;
    return static_cast<uint16_t>(sign | (field + kept + up));
}

inline float widen_half(uint16_t half) {
    const uint32_t sign = static_cast<uint32_t>(half >> 15) << 31, exponent = half >> 10 & 31, fraction = half & 1023;
    if (exponent == 31) {
        const uint32_t quiet = fraction ? 1u << 22 : 0;
        return __builtin_bit_cast(float, sign | 0x7f800000u | quiet | fraction << 13);
    }
    if (exponent == 0) {
        const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
        return sign ? -magnitude : magnitude;
    }
    return __builtin_bit_cast(float, sign | (exponent + 112) << 23 | fraction << 13);
}

/// Bit-by-bit division: correct and small; PTX has no 128-bit division, only LLVM's own transformations make one.
inline unsigned __int128 divide(unsigned __int128 numerator, unsigned __int128 denominator, unsigned __int128& rest) {
    unsigned __int128 quotient = 0;
    rest = 0;
    for (int bit = 127; bit >= 0; --bit) {
        const bool carry = rest >> 127;
        rest = rest << 1 | (numerator >> bit & 1);
        if (!carry && rest < denominator) continue;
        rest -= denominator;
        quotient |= static_cast<unsigned __int128>(1) << bit;
    }
    return quotient;
}

inline unsigned __int128 magnitude(__int128 value) {
    return value < 0 ? -static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
}

} // namespace

// Half and bfloat values travel in the low 16 bits of an SSE register, as _Float16 and __bf16 do.
extern "C" _Float16 __truncsfhf2(float value) { return __builtin_bit_cast(_Float16, round_to_16_bits<5, 10>(value)); }
extern "C" _Float16 __truncdfhf2(double value) { return __builtin_bit_cast(_Float16, round_to_16_bits<5, 10>(value)); }
extern "C" float __extendhfsf2(_Float16 value) { return widen_half(__builtin_bit_cast(uint16_t, value)); }
extern "C" double __extendhfdf2(_Float16 value) { return widen_half(__builtin_bit_cast(uint16_t, value)); }
extern "C" __bf16 __truncsfbf2(float value) { return __builtin_bit_cast(__bf16, round_to_16_bits<8, 7>(value)); }
extern "C" __bf16 __truncdfbf2(double value) { return __builtin_bit_cast(__bf16, round_to_16_bits<8, 7>(value)); }

extern "C" unsigned __int128 __udivti3(unsigned __int128 a, unsigned __int128 b) {
    unsigned __int128 rest;
    return divide(a, b, rest);
}
extern "C" unsigned __int128 __umodti3(unsigned __int128 a, unsigned __int128 b) {
    unsigned __int128 rest;
    divide(a, b, rest);
    return rest;
}
extern "C" __int128 __divti3(__int128 a, __int128 b) {
    unsigned __int128 rest;
    const unsigned __int128 quotient = divide(magnitude(a), magnitude(b), rest);
    return static_cast<__int128>((a < 0) != (b < 0) ? -quotient : quotient);
}
extern "C" __int128 __modti3(__int128 a, __int128 b) {
    unsigned __int128 rest;
    divide(magnitude(a), magnitude(b), rest);
    return static_cast<__int128>(a < 0 ? -rest : rest);
}

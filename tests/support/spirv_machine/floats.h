#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

/// Floating-point numbers as the machine keeps them, in 64 bits zero-extended.
namespace spirv_machine {

double half_value(uint16_t bits);
/// To nearest even; a NaN stays one.
uint16_t half_of(double value);

/// f(x...) of numbers of 16, 32 or 64 bits as bits. A half's operations are done in double and rounded once: exact for
/// sums, products and fma, and right for quotients and roots (53 >= 2 * 11 + 2 bits).
template <class F, class... Bits> uint64_t in_float(unsigned bits, F&& f, Bits... x) {
    if (bits == 64) return std::bit_cast<uint64_t>(double(f(std::bit_cast<double>(x)...)));
    if (bits == 32) return std::bit_cast<uint32_t>(float(f(std::bit_cast<float>(uint32_t(x))...)));
    return half_of(f(half_value(uint16_t(x))...));
}

/// The same for what gives no number of that format.
template <class F, class... Bits> auto of_float(unsigned bits, F&& f, Bits... x) {
    if (bits == 64) return f(std::bit_cast<double>(x)...);
    if (bits == 32) return f(double(std::bit_cast<float>(uint32_t(x)))...);
    return f(half_value(uint16_t(x))...);
}

} // namespace spirv_machine

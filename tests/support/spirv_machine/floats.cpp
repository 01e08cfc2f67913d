// Floating point: SPIR-V 1.4, 3.32.13 and 3.32.15. The host's arithmetic, rounded to nearest, with subnormals.
#include "floats.h"

#include "elementwise.h"

#include <cmath>

namespace spirv_machine {

double half_value(uint16_t bits) {
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    const double sign = bits >> 15 ? -1 : 1;
    if (exponent == 31) return fraction ? std::nan("") : sign * INFINITY;
    if (exponent == 0) return sign * std::ldexp(fraction, -24);
    return sign * std::ldexp(1024 + fraction, exponent - 25);
}

uint16_t half_of(double value) {
    const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
    if (std::isnan(value)) return uint16_t(sign | 0x7e00);
    const double size = std::fabs(value);
    if (size >= 65520) return uint16_t(sign | 0x7c00);
    if (size < 0x1p-14) return uint16_t(sign | uint16_t(std::nearbyint(size * 0x1p24)));
    int exponent = 0;
    std::frexp(size, &exponent); // size in [2^(exponent - 1), 2^exponent)
    const auto fraction = uint32_t(std::nearbyint(std::ldexp(size, 11 - exponent)));
    return uint16_t(sign | ((uint32_t(exponent + 13) << 10) + fraction));
}

namespace {

using u64 = uint64_t;
using W = unsigned;

template <auto f> u64 number1(u64 a, W bits) { return in_float(bits, f, a); }
template <auto f> u64 number2(u64 a, u64 b, W bits) { return in_float(bits, f, a, b); }
template <auto f> u64 test1(u64 a, W bits) { return of_float(bits, f, a); }
template <auto f> u64 test2(u64 a, u64 b, W bits) { return of_float(bits, f, a, b); }

constexpr auto modulo = [](auto a, auto b) {
    const auto r = std::fmod(a, b);
    return r != 0 && std::signbit(r) != std::signbit(b) ? r + b : r;
};
constexpr auto unordered = [](double a, double b) { return std::isnan(a) || std::isnan(b); };

bool is_normal(u64 a, W bits) {
    const u64 exponent = bits == 64 ? a >> 52 & 0x7ff : bits == 32 ? a >> 23 & 0xff : a >> 10 & 31;
    return exponent != 0 && exponent != (bits == 64 ? 0x7ffu : bits == 32 ? 0xffu : 31u);
}

} // namespace

void add_float(Operations& rows) {
    using D = double;
    rows.insert(rows.end(), {
                                {127, "Rv", unary<([](u64 a, W bits) { return a ^ u64 { 1 } << (bits - 1); })>},
                                {129, "Rvv", binary<number2<([](auto a, auto b) { return a + b; })>>},
                                {131, "Rvv", binary<number2<([](auto a, auto b) { return a - b; })>>},
                                {133, "Rvv", binary<number2<([](auto a, auto b) { return a * b; })>>},
                                {136, "Rvv", binary<number2<([](auto a, auto b) { return a / b; })>>},
                                {140, "Rvv", binary<number2<([](auto a, auto b) { return std::fmod(a, b); })>>},
                                {141, "Rvv", binary<number2<modulo>>},
                                {156, "Rv", unary<test1<([](D a) { return std::isnan(a); })>>},
                                {157, "Rv", unary<test1<([](D a) { return std::isinf(a); })>>},
                                {158, "Rv", unary<test1<([](D a) { return std::isfinite(a); })>>},
                                {159, "Rv", unary<is_normal>},
                                {160, "Rv", unary<([](u64 a, W bits) { return a >> (bits - 1); })>},
                                {161, "Rvv", binary<test2<([](D a, D b) { return a < b || a > b; })>>},
                                {162, "Rvv", binary<test2<([](D a, D b) { return !unordered(a, b); })>>},
                                {163, "Rvv", binary<test2<unordered>>},
                                {180, "Rvv", binary<test2<([](D a, D b) { return a == b; })>>},
                                {181, "Rvv", binary<test2<([](D a, D b) { return unordered(a, b) || a == b; })>>},
                                {182, "Rvv", binary<test2<([](D a, D b) { return a < b || a > b; })>>},
                                {183, "Rvv", binary<test2<([](D a, D b) { return a != b; })>>},
                                {184, "Rvv", binary<test2<([](D a, D b) { return a < b; })>>},
                                {185, "Rvv", binary<test2<([](D a, D b) { return !(a >= b); })>>},
                                {186, "Rvv", binary<test2<([](D a, D b) { return a > b; })>>},
                                {187, "Rvv", binary<test2<([](D a, D b) { return !(a <= b); })>>},
                                {188, "Rvv", binary<test2<([](D a, D b) { return a <= b; })>>},
                                {189, "Rvv", binary<test2<([](D a, D b) { return !(a > b); })>>},
                                {190, "Rvv", binary<test2<([](D a, D b) { return a >= b; })>>},
                                {191, "Rvv", binary<test2<([](D a, D b) { return !(a < b); })>>},
                            });
}

} // namespace spirv_machine

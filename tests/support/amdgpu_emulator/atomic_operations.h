#pragma once

#include "floats.h"
#include "rows.h"

#include <cstdint>

/// What the atomic instructions of all memories do to a value.
namespace amdgpu {

/// Both halves of a word, one rounding each, to the nearest.
template <auto sum> uint32_t sum_of_halves(uint32_t a, uint32_t b) {
    if ((_mm_getcsr() & 0xffc0) != 0x1f80) _mm_setcsr(0x1f80);
    return sum(uint16_t(a), uint16_t(b)) | uint32_t{sum(uint16_t(a >> 16), uint16_t(b >> 16))} << 16;
}
inline uint16_t sum_f16(uint16_t a, uint16_t b) {
    return uint16_t(_cvtss_sh(_cvtsh_ss(a) + _cvtsh_ss(b), _MM_FROUND_TO_NEAREST_INT));
}
/// A double holds enough of the sum, and a float rounded to odd of that.
inline uint16_t sum_bf16(uint16_t a, uint16_t b) {
    const double sum =
        double(std::bit_cast<float>(uint32_t{a} << 16)) + double(std::bit_cast<float>(uint32_t{b} << 16));
    const float narrow = float(sum);
    uint32_t bits = bits_of(narrow);
    if (is_nan(narrow)) return uint16_t(bits >> 16 | 0x40);
    if (std::isfinite(narrow) && double(narrow) != sum && !(bits & 1))
        bits += (sum > double(narrow)) == !(bits >> 31) ? 1 : -1;
    return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/// Calls `add.template operator()<T, f>(name, gcn_name)` for each operation: f gives the new value from the old one and
/// the operand.
template <class Add> void for_each_atomic(Add&& add) {
    using u32 = uint32_t;
    using u64 = uint64_t;
    using i32 = int32_t;
    using i64 = int64_t;
    add.template operator()<u32, ([](u32, u32 b) { return b; })>("swap_b32", "swap");
    add.template operator()<u32, ([](u32 a, u32 b) { return a + b; })>("add_u32", "add");
    add.template operator()<u32, ([](u32 a, u32 b) { return a - b; })>("sub_u32", "sub");
    add.template operator()<u32, ([](u32 a, u32 b) { return a & b; })>("and_b32", "and");
    add.template operator()<u32, ([](u32 a, u32 b) { return a | b; })>("or_b32", "or");
    add.template operator()<u32, ([](u32 a, u32 b) { return a ^ b; })>("xor_b32", "xor");
    add.template operator()<u32, ([](u32 a, u32 b) { return a < b ? a : b; })>("min_u32", "umin");
    add.template operator()<u32, ([](u32 a, u32 b) { return a > b ? a : b; })>("max_u32", "umax");
    add.template operator()<i32, ([](i32 a, i32 b) { return a < b ? a : b; })>("min_i32", "smin");
    add.template operator()<i32, ([](i32 a, i32 b) { return a > b ? a : b; })>("max_i32", "smax");
    add.template operator()<u32, ([](u32 a, u32 b) { return a >= b ? 0 : a + 1; })>("inc_u32", "inc");
    add.template operator()<u32, ([](u32 a, u32 b) { return a == 0 || a > b ? b : a - 1; })>("dec_u32", "dec");
    add.template operator()<u64, ([](u64, u64 b) { return b; })>("swap_b64", "swap_x2");
    add.template operator()<u64, ([](u64 a, u64 b) { return a + b; })>("add_u64", "add_x2");
    add.template operator()<u64, ([](u64 a, u64 b) { return a - b; })>("sub_u64", "sub_x2");
    add.template operator()<u64, ([](u64 a, u64 b) { return a & b; })>("and_b64", "and_x2");
    add.template operator()<u64, ([](u64 a, u64 b) { return a | b; })>("or_b64", "or_x2");
    add.template operator()<u64, ([](u64 a, u64 b) { return a ^ b; })>("xor_b64", "xor_x2");
    add.template operator()<u64, ([](u64 a, u64 b) { return a < b ? a : b; })>("min_u64", "umin_x2");
    add.template operator()<u64, ([](u64 a, u64 b) { return a > b ? a : b; })>("max_u64", "umax_x2");
    add.template operator()<i64, ([](i64 a, i64 b) { return a < b ? a : b; })>("min_i64", "smin_x2");
    add.template operator()<i64, ([](i64 a, i64 b) { return a > b ? a : b; })>("max_i64", "smax_x2");
    add.template operator()<u64, ([](u64 a, u64 b) { return a >= b ? 0 : a + 1; })>("inc_u64", "inc_x2");
    add.template operator()<u64, ([](u64 a, u64 b) { return a == 0 || a > b ? b : a - 1; })>("dec_u64", "dec_x2");
    add.template operator()<float, ([](float a, float b) { return a + b; })>("add_f32", "add_f32");
    add.template operator()<float, ([](float a, float b) { return minimum(a, b); })>("min_f32", "min_f32");
    add.template operator()<float, ([](float a, float b) { return maximum(a, b); })>("max_f32", "max_f32");
    add.template operator()<u32, ([](u32 a, u32 b) { return sum_of_halves<sum_f16>(a, b); })>("pk_add_f16",
                                                                                              "pk_add_f16");
    add.template operator()<u32, ([](u32 a, u32 b) { return sum_of_halves<sum_bf16>(a, b); })>("pk_add_bf16",
                                                                                               "pk_add_bf16");
    add.template operator()<double, ([](double a, double b) { return a + b; })>("add_f64", "add_f64");
    add.template operator()<double, ([](double a, double b) { return minimum(a, b); })>("min_f64", "min_f64");
    add.template operator()<double, ([](double a, double b) { return maximum(a, b); })>("max_f64", "max_f64");
}

} // namespace amdgpu

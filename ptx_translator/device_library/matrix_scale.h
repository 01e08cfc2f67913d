#pragma once

#include "matrix_float.h"
#include "matrix_warp.h"

/// Block scaling, .kind::mx*: D = (A * scale_A) * (B * scale_B) + C. PTX ISA 9.7.14.3. The manual leaves the arithmetic
/// open, and no machine of ours has it; what is here was measured by others on sm_120 (MMA-Sim, arXiv:2511.10909): sums
/// are cut as on an H100, with factors counting towards exponents, and 35 bits kept of groups of 16 products of e2m1.
namespace matrix {

constexpr Number one{Number::finite, false, 0, 1};

/// Exponents that zeros count as in scaled sums.
constexpr int least_exponent_of_scaled = -133, least_exponent_of_groups = -139;

/// ue8m0 is a power of two; of ue4m3 the highest bit does not count. Both have one NaN.
constexpr int factor_point = 3;
inline Number factor_of(uint32_t byte, MatrixScale scale) {
    if (scale == MatrixScale::ue4m3) return number_of(byte & 0x7f, format_of(MatrixElement::e4m3));
    return {byte == 0xff ? Number::nan : Number::finite, false, static_cast<int>(byte) - 127, 1 << factor_point};
}

/// Factor `column` of a row of A: two lanes of each four have those of two rows, a byte each.
template <class W> Number factor_of_a(const W& warp, unsigned row, unsigned column) {
    const unsigned four = row % 8 * 4, selector = warp.scale(four, 1), thread = selector >> thread_id_shift & 1;
    const uint32_t factors = warp.scale(four + 2 * thread + row / 8, 0);
    return factor_of(factors >> ((selector & 3) + column) % 4 * 8 & 0xff, warp.form.scale);
}

/// Factor `row` of a column of B, which one lane of each four has.
template <class W> Number factor_of_b(const W& warp, unsigned column, unsigned row) {
    const unsigned four = column * 4, selector = warp.scale(four, 3), thread = selector >> thread_id_shift & 3;
    return factor_of(warp.scale(four + thread, 2) >> ((selector & 3) + row) % 4 * 8 & 0xff, warp.form.scale);
}

/// Times a power of two, or NaN.
inline Number scaled(Number x, const Number& factor) {
    if (factor.kind == Number::nan) x.kind = Number::nan;
    x.exponent += factor.exponent;
    return x;
}

constexpr unsigned stored_of_groups = 64, group_size = 16, groups = stored_of_groups / group_size;

/// e2m1 in halves: 0, 1, 2, 3, 4, 6, 8, 12.
inline int halves_of(uint64_t bits) {
    const int exponent = static_cast<int>(bits >> 1 & 3), fraction = static_cast<int>(bits & 1);
    const int magnitude = exponent ? (2 + fraction) << (exponent - 1) : fraction;
    return bits & 8 ? -magnitude : magnitude;
}

/// One element of D: the groups' sums are exact, each is multiplied by its factors, and these and the addend are
/// aligned to the largest exponent among the factors and the addend.
inline uint32_t sum_of_groups(const int* sums, const bool* all_zero, const Number* a, const Number* b,
                              const Number& addend) {
    constexpr int kept = 35, quarters = 2, addend_point = 23;
    Sum sum;
    sum.nan = addend.kind == Number::nan;
    if (addend.kind == Number::infinite) sum.add_infinity(addend.negative);
    int largest = addend.significand ? addend.exponent : least_exponent_of_groups;
    for (unsigned g = 0; g < groups; ++g) {
        sum.nan |= a[g].kind == Number::nan || b[g].kind == Number::nan;
        const bool zero = all_zero[g] || !a[g].significand || !b[g].significand;
        const int exponent = zero ? least_exponent_of_groups : a[g].exponent + b[g].exponent;
        largest = exponent > largest ? exponent : largest;
    }
    if (sum.nan || sum.plus_infinity || sum.minus_infinity) return rounded(sum, false);
    sum.exponent = largest - kept;
    for (unsigned g = 0; g < groups; ++g) {
        const int64_t product = int64_t{sums[g]} * a[g].significand * b[g].significand;
        const int last = a[g].exponent + b[g].exponent - 2 * factor_point - quarters;
        sum.value += aligned(product < 0 ? -product : product, product < 0, sum.exponent - last);
    }
    sum.value += aligned(addend.significand, addend.negative, sum.exponent - (addend.exponent - addend_point));
    return rounded(sum, false);
}

/// .kind::mxf4 and .kind::mxf4nvf4.
inline void multiply_groups(const Warp& warp) {
    const MatrixForm& form = warp.form;
    const unsigned groups_to_factor = groups / form.scale_columns;
    for (unsigned column = 0; column < form.n; ++column) {
        int b[2 * stored_of_groups];
        Number factors_of_b[groups];
        for (unsigned k = 0; k < form.k; ++k) b[k] = halves_of(warp.b(place_of_b(form, k, column)));
        for (unsigned g = 0; g < groups; ++g) factors_of_b[g] = factor_of_b(warp, column, g / groups_to_factor);
        for (unsigned row = 0; row < form.m; ++row) {
            int sums[groups] = {};
            bool all_zero[groups] = {true, true, true, true};
            Number factors_of_a[groups];
            for (unsigned i = 0; i < stored_of_groups; ++i) {
                const int a = halves_of(warp.a(place_of_a(form, stored_of_groups, row, i)));
                const int product = a * b[form.sparse ? position(warp, row, i) : i];
                sums[i / group_size] += product;
                all_zero[i / group_size] &= product == 0;
            }
            for (unsigned g = 0; g < groups; ++g) factors_of_a[g] = factor_of_a(warp, row, g / groups_to_factor);
            const auto c = static_cast<uint32_t>(warp.c(place_of_accumulator(form, form.c, row, column)));
            warp.write(
                place_of_accumulator(form, form.d, row, column),
                sum_of_groups(sums, all_zero, factors_of_a, factors_of_b, number_of(c, format_of(MatrixElement::f32))));
        }
    }
}

} // namespace matrix

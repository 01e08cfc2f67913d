#pragma once

#include "matrix_layout.h"
#include "matrix_order.h"
#include "matrix_scale.h"
#include "matrix_warp.h"

/// D = A * B + C of floating-point numbers, `W` columns of D side by side: the arithmetic of sum_of (matrix_float.h) in
/// vectors. Elements are taken apart into a significand below 2, exact in f32, and an exponent; a product of two
/// significands has at most 22 bits, so it, and what is left of it behind the 25th place, are exact as well.
namespace matrix {
namespace {

#define ALWAYS_INLINE __attribute__((always_inline)) inline

constexpr unsigned most_terms = 64, most_lines = 32, most_bytes = 64;
constexpr unsigned most_elements = 512, most_results = 256; ///< of A or B as they are stored, of D
constexpr int no_exponent = -500;                           ///< of zeros: below every sum's
constexpr int below_all_products = -320; ///< what has a factor of zero; e5m2 with factors of ue8m0 goes down to -282
/// Products that 32 bits can sum, with the addend: each is below 2^(kept_bits + 2).
constexpr unsigned products_of_int = 8;

template <unsigned W> using Floats = float __attribute__((vector_size(W * 4)));
template <unsigned W> using Doubles = double __attribute__((vector_size(W * 8)));
template <unsigned W> using Ints = int32_t __attribute__((vector_size(W * 4)));
template <unsigned W> using Words = uint32_t __attribute__((vector_size(W * 4)));
template <unsigned W> using Longs = uint64_t __attribute__((vector_size(W * 8)));

/// Vectors lie where their size divides the address.
template <class V, class T> ALWAYS_INLINE V load(const T* from) {
    V value;
    __builtin_memcpy(&value, __builtin_assume_aligned(from, sizeof value), sizeof value);
    return value;
}
template <class V, class T> ALWAYS_INLINE void store(T* to, V value) {
    __builtin_memcpy(__builtin_assume_aligned(to, sizeof value), &value, sizeof value);
}

template <unsigned W> ALWAYS_INLINE bool all_of(Ints<W> lanes) { return __builtin_reduce_and(lanes) != 0; }

/// Numbers of one format taken apart; a zero has no_exponent.
template <unsigned W> struct Parts {
    Floats<W> significand;
    Ints<W> exponent;
    Ints<W> special; ///< all bits where infinite or NaN
};

template <unsigned W> ALWAYS_INLINE Parts<W> parts_of(Words<W> bits, const Format& format) {
    const auto exponent_bits = static_cast<unsigned>(format.exponent_bits);
    const auto fraction_bits = static_cast<unsigned>(format.fraction_bits);
    bits >>= static_cast<unsigned>(format.unused_bits);
    const uint32_t largest = (1u << exponent_bits) - 1, fraction_mask = (1u << fraction_bits) - 1;
    const Words<W> field = bits >> fraction_bits & largest, fraction = bits & fraction_mask;
    const auto subnormal = reinterpret_cast<Words<W>>(field == 0);
    const Words<W> whole = fraction | (~subnormal & (fraction_mask + 1));
    const Words<W> sign = (bits >> (exponent_bits + fraction_bits) & 1) << 31;
    const auto point = __builtin_bit_cast(float, (127 - fraction_bits) << 23);
    const Floats<W> magnitude = __builtin_convertvector(reinterpret_cast<Ints<W>>(whole), Floats<W>) * point;
    Parts<W> parts;
    parts.significand = reinterpret_cast<Floats<W>>(reinterpret_cast<Words<W>>(magnitude) | sign);
    const auto exponent = reinterpret_cast<Ints<W>>(field - (largest >> 1) - subnormal);
    parts.exponent = whole == 0 ? Ints<W>{} + no_exponent : exponent;
    parts.special = Ints<W>{};
    if (format.has_infinity)
        parts.special = field == largest;
    else if (format.has_nan)
        parts.special = (field == largest) & (fraction == fraction_mask);
    return parts;
}

/// A by rows or B by k, as they are stored and taken apart. Lines are rows of A and columns of B. It lies on a stack
/// that a kernel's thread may have to itself, so there is no room for what no form has.
struct Operand {
    alignas(most_bytes) uint32_t stored[most_elements];
    alignas(most_bytes) float significand[most_elements];
    alignas(most_bytes) int exponent[most_elements];
    alignas(most_bytes) int special[most_lines]; ///< all bits where a line has what is infinite or NaN

    Number number(unsigned at, const Format& format, const Number& factor) const {
        return scaled(number_of(stored[at], format), factor);
    }
};

/// 2^exponent, and 0 where that is no normal f32: a product of it has no bits that count.
template <unsigned W> ALWAYS_INLINE Floats<W> power_of_two(Ints<W> exponent) {
    const Ints<W> biased = exponent + 127;
    return reinterpret_cast<Floats<W>>((biased > 0 ? biased : Ints<W>{}) << 23);
}

/// f32 to f16, rounded to nearest even; a zero is +0.
template <unsigned W> ALWAYS_INLINE Words<W> halves_of(Words<W> bits) {
    constexpr uint32_t rebias = (127 - 15) << 23, least_normal = (127 - 14) << 23, too_large = (127 + 16) << 23;
    constexpr float last_place = 0.5f; // of what has f16's subnormals' last place at its own
    const Words<W> magnitude = bits & 0x7fffffff, sign = bits >> 16 & 0x8000;
    const Words<W> normal = (magnitude - rebias + 0xfff + (magnitude >> 13 & 1)) >> 13;
    const Words<W> subnormal = reinterpret_cast<Words<W>>(reinterpret_cast<Floats<W>>(magnitude) + last_place) -
                               __builtin_bit_cast(uint32_t, last_place);
    Words<W> half = magnitude < least_normal ? subnormal : normal;
    half = magnitude >= too_large ? Words<W>{} + 0x7c00 : half;
    return half == 0 ? half : half | sign;
}

/// Integers to f32, cut; or with what is lost in the last bit ("round to odd"), which leaves more than twice f16's bits.
template <unsigned W> ALWAYS_INLINE Floats<W> cut_sums(Doubles<W> total, bool to_odd) {
    constexpr uint64_t behind_f32 = (uint64_t{1} << 29) - 1;
    const auto bits = reinterpret_cast<Longs<W>>(total);
    const Floats<W> cut = __builtin_convertvector(reinterpret_cast<Doubles<W>>(bits & ~behind_f32), Floats<W>);
    if (!to_odd) return cut;
    const Words<W> lost = __builtin_convertvector((bits & behind_f32) != 0, Words<W>) & 1;
    return reinterpret_cast<Floats<W>>(reinterpret_cast<Words<W>>(cut) | lost);
}

/// The sums as bits of f32 (cut) or f16 (rounded to nearest even): total * 2^exponent; `total` is integer.
template <unsigned W> ALWAYS_INLINE Words<W> rounded_sums(Doubles<W> total, Ints<W> exponent, bool half) {
    const Floats<W> cut = cut_sums<W>(total, half);
    auto word = reinterpret_cast<Words<W>>(cut);
    const Ints<W> field = reinterpret_cast<Ints<W>>(word >> 23 & 255), moved = field + exponent;
    const Ints<W> zero = cut == 0.0f;
    const Ints<W> simple = zero | ((moved > 0) & (moved < 255));
    word = zero ? Words<W>{} : word + (reinterpret_cast<Words<W>>(exponent) << 23);
    if (half) word = halves_of<W>(word);
    if (all_of<W>(simple)) return word;
    for (unsigned j = 0; j < W; ++j) {
        if (simple[j]) continue;
        Sum sum;
        sum.value = static_cast<int64_t>(total[j]);
        sum.exponent = exponent[j];
        word[j] = rounded(sum, half);
    }
    return word;
}

/// How one multiplication goes.
struct Plan {
    MatrixForm form;
    Format a, b, inner;
    Order order;
    unsigned length, row; ///< elements of a row of A that are stored; from row to row in Operand
    int least;            ///< exponent that zeros count as, of scaled forms
};

/// One group of products for columns from `column` on: places of the row's elements, and of the lines of B that go
/// with them.
template <unsigned W> ALWAYS_INLINE Words<W> sum_columns(const Plan& plan, const Operand& a, const Operand& b,
                                                         const unsigned* a_at, const unsigned* b_at, unsigned column,
                                                         const Parts<W>& addend) {
    const unsigned count = plan.order.step;
    Ints<W> largest = addend.exponent;
    if (plan.least == no_exponent) {
        for (unsigned i = 0; i < count; ++i) {
            const Ints<W> both = load<Ints<W>>(b.exponent + b_at[i] + column) + a.exponent[a_at[i]];
            largest = both > largest ? both : largest;
        }
    } else {
        largest = largest == no_exponent ? Ints<W>{} + plan.least : largest;
        for (unsigned i = 0; i < count; ++i) {
            const Ints<W> both = load<Ints<W>>(b.exponent + b_at[i] + column) + a.exponent[a_at[i]];
            const Ints<W> counted = both < below_all_products ? Ints<W>{} + plan.least : both;
            largest = counted > largest ? counted : largest;
        }
    }
    const Ints<W> place = largest - kept_bits;
    Ints<W> part = __builtin_convertvector(addend.significand * power_of_two<W>(addend.exponent - place), Ints<W>);
    Doubles<W> total{};
    for (unsigned first = 0; first < count; first += products_of_int) {
        const unsigned end = first + products_of_int < count ? first + products_of_int : count;
        for (unsigned i = first; i < end; ++i) {
            const Ints<W> exponent = load<Ints<W>>(b.exponent + b_at[i] + column) + a.exponent[a_at[i]] - place;
            const Floats<W> product = load<Floats<W>>(b.significand + b_at[i] + column) * a.significand[a_at[i]];
            part += __builtin_convertvector(product * power_of_two<W>(exponent), Ints<W>);
        }
        total += __builtin_convertvector(part, Doubles<W>);
        part = Ints<W>{};
    }
    return rounded_sums<W>(total, place, plan.order.inner == MatrixElement::f16);
}

/// One element of D where operands may be infinite or NaN.
inline uint32_t sum_specials(const Plan& plan, const Warp& warp, const Operand& a, const Operand& b, unsigned row,
                             unsigned column, const unsigned* a_at, const unsigned* b_at, uint32_t c) {
    const bool is_scaled = plan.form.scale != MatrixScale::none;
    const Number of_a = is_scaled ? factor_of_a(warp, row, 0) : one,
                 of_b = is_scaled ? factor_of_b(warp, column, 0) : one;
    for (unsigned first = 0; first < plan.length; first += plan.order.step) {
        Number left[most_terms], right[most_terms];
        for (unsigned i = 0; i < plan.order.step; ++i) {
            left[i] = a.number(a_at[first + i], plan.a, of_a);
            right[i] = b.number(b_at[first + i] + column, plan.b, of_b);
        }
        const Terms terms{left, right, static_cast<int>(plan.order.step), plan.a.fraction_bits + plan.b.fraction_bits};
        const Sum sum = sum_of(terms, number_of(c, plan.inner), plan.inner.fraction_bits);
        c = rounded(sum, plan.order.inner == MatrixElement::f16);
    }
    return c;
}

/// Adds a factor's exponent to those of a line, whose elements are `step` apart.
inline void scale_line(int* exponent, unsigned count, unsigned step, const Number& factor) {
    for (unsigned i = 0; i < count; ++i)
        if (exponent[i * step] != no_exponent) exponent[i * step] += factor.exponent;
}

template <unsigned W> ALWAYS_INLINE Ints<W> take_apart(Operand& operand, unsigned at, const Format& format) {
    const Parts<W> parts = parts_of<W>(load<Words<W>>(operand.stored + at), format);
    store(operand.significand + at, parts.significand);
    store(operand.exponent + at, parts.exponent);
    return parts.special;
}

ALWAYS_INLINE void read_rows(const Warp& warp, const Plan& plan, Operand& a) {
    constexpr unsigned w = 8; // rows may be shorter than wider vectors, and than these
    constexpr Ints<w> numbers{0, 1, 2, 3, 4, 5, 6, 7};
    unpack(warp, false, a.stored, plan.row, 1);
    for (unsigned row = 0; row < plan.form.m; ++row) {
        Ints<w> special{};
        for (unsigned i = 0; i < plan.length; i += w)
            special |= take_apart<w>(a, row * plan.row + i, plan.a) &
                       (numbers + static_cast<int>(i) < static_cast<int>(plan.length));
        a.special[row] = __builtin_reduce_or(special);
        if (plan.form.scale == MatrixScale::none) continue;
        const Number factor = factor_of_a(warp, row, 0);
        if (factor.kind != Number::finite) a.special[row] = -1;
        scale_line(a.exponent + row * plan.row, plan.length, 1, factor);
    }
}

template <unsigned W> ALWAYS_INLINE void read_columns(const Warp& warp, const Plan& plan, Operand& b) {
    unpack(warp, true, b.stored, 1, plan.form.n);
    for (unsigned column = 0; column < plan.form.n; column += W) {
        Ints<W> special{};
        for (unsigned k = 0; k < plan.form.k; ++k) special |= take_apart<W>(b, k * plan.form.n + column, plan.b);
        store(b.special + column, special);
    }
    if (plan.form.scale == MatrixScale::none) return;
    for (unsigned column = 0; column < plan.form.n; ++column) {
        const Number factor = factor_of_b(warp, column, 0);
        if (factor.kind != Number::finite) b.special[column] = -1;
        scale_line(b.exponent + column, plan.form.k, plan.form.n, factor);
    }
}

/// Where a lane's elements of C and D are in a matrix by rows: at `lane` + `element`, for its elements in their order.
struct Accumulators {
    unsigned lane[32], element[16], count;

    explicit Accumulators(const MatrixForm& form) : count(form.m * form.n / 32u) {
        const bool transposed = is_transposed(form);
        const unsigned blocks = (transposed ? form.n : form.m) / 8u;
        const unsigned down = transposed ? 1 : form.n, right = transposed ? form.n : 1;
        for (unsigned i = 0; i < 32; ++i) lane[i] = i / 4 * down + i % 4 * 2 * right;
        for (unsigned i = 0, block = 0, column = 0; i < count; ++i) {
            element[i] = block * 8 * down + (column * 8 + i % 2) * right;
            if (i % 2 && ++block == blocks) block = 0, ++column;
        }
    }
    void read(const Warp& warp, uint32_t* matrix) const {
        const unsigned first = warp.words.a + warp.words.b;
        const bool halves = bits_of(warp.form.c) == 16;
        for (unsigned i = 0; i < 32; ++i) {
            const uint32_t* from = warp.lanes[i] ? &warp.word(i, first) : nullptr;
            for (unsigned e = 0; e < count; ++e)
                matrix[lane[i] + element[e]] = !from    ? 0
                                               : halves ? from[e / 2 * warp.step] >> e % 2 * 16 & 0xffff
                                                        : from[e * warp.step];
        }
    }
    void write(const Warp& warp, const uint32_t* matrix) const {
        const bool halves = bits_of(warp.form.d) == 16;
        for (unsigned i = 0; i < 32; ++i) {
            if (!warp.lanes[i]) continue;
            uint32_t* to = &warp.word(i, warp.words.sources());
            const uint32_t* from = matrix + lane[i];
            if (halves)
                for (unsigned e = 0; e < count; e += 2)
                    to[e / 2 * warp.step] = from[element[e]] | from[element[e + 1]] << 16;
            else
                for (unsigned e = 0; e < count; ++e) to[e * warp.step] = from[element[e]];
        }
    }
};

template <unsigned W> ALWAYS_INLINE void multiply_floats(const Warp& warp, const Plan& plan) {
    const MatrixForm& form = plan.form;
    const Accumulators accumulators(form);
    Operand a, b;
    alignas(most_bytes) uint32_t c[most_results], started[most_results], d[most_results];
    read_rows(warp, plan, a);
    read_columns<W>(warp, plan, b);
    accumulators.read(warp, c);
    const bool starts = plan.order.from_zero || form.c != plan.order.inner;
    const bool ends = plan.order.from_zero || form.d != plan.order.inner;
    const unsigned results = form.m * form.n;
    const uint32_t* start = c;
    if (starts) {
        start = started;
        for (unsigned at = 0; at < results; ++at) started[at] = start_of(form, plan.order, c[at]);
    }
    unsigned a_at[most_terms], b_at[most_terms];
    for (unsigned i = 0; i < plan.length; ++i) {
        a_at[i] = ordered(form, plan.length, i);
        b_at[i] = a_at[i] * form.n;
    }
    for (unsigned row = 0; row < form.m; ++row) {
        for (unsigned i = 0; form.sparse && i < plan.length; ++i)
            b_at[i] = position(warp, row, ordered(form, plan.length, i)) * form.n;
        for (unsigned column = 0; column < form.n; column += W) {
            const unsigned at = row * form.n + column;
            auto sums = load<Words<W>>(start + at);
            Ints<W> special = load<Ints<W>>(b.special + column) | a.special[row];
            for (unsigned first = 0; first < plan.length; first += plan.order.step) {
                const Parts<W> addend = parts_of<W>(sums, plan.inner);
                special |= addend.special; // also a sum in between that was too large
                sums = sum_columns<W>(plan, a, b, a_at + first, b_at + first, column, addend);
            }
            store(d + at, sums);
            if (__builtin_reduce_or(special) == 0) continue;
            for (unsigned j = 0; j < W; ++j)
                if (special[j]) d[at + j] = sum_specials(plan, warp, a, b, row, column + j, a_at, b_at, start[at + j]);
        }
        for (unsigned i = 0; i < plan.length; ++i) a_at[i] += plan.row;
    }
    for (unsigned at = 0; ends && at < results; ++at) d[at] = end_of(form, plan.order, d[at], c[at]);
    accumulators.write(warp, d);
}

} // namespace
} // namespace matrix

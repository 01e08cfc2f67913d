// What generated host code calls for a warp-level matrix multiplication: the last lane that comes computes all of D.
// Linked to images as an object file, so that no kernel compiles it again.
#include "matrix_double.h"
#include "matrix_float.h"
#include "matrix_layout.h"
#include "matrix_order.h"
#include "matrix_scale.h"
#include "matrix_warp.h"

#include <cpuid.h>

namespace matrix {
namespace {

constexpr unsigned most_k = 256, most_terms = 64;

constexpr unsigned block = 8;
constexpr int no_exponent = -500;        ///< of zeros: below every sum's, and a power of two of it is a double
constexpr int below_all_products = -320; ///< what has a factor of zero; e5m2 with factors of ue8m0 goes down to -282

/// Eight columns of B side by side, and a row of A: finite values as doubles, which hold products exactly.
struct Columns {
    double value[most_terms][block];
    int exponent[most_terms][block];
    bool special[block];
};

struct Row {
    Number number[most_terms];
    double value[most_terms];
    int exponent[most_terms];
    unsigned from[most_terms]; ///< place of the column that goes with it
    bool special;
};

double power_of_two(int exponent) { return double_of(static_cast<uint64_t>(exponent + 1023) << 52); }

double value_of(const Number& x, int point) {
    const double value = static_cast<double>(x.significand) * power_of_two(x.exponent - point);
    return x.negative ? -value : value;
}

int exponent_of(const Number& x) { return x.significand ? x.exponent : no_exponent; }

/// One group of products for eight columns at once; the same arithmetic as sum_of, for finite numbers.
/// `least`: the exponent that zeros count as, of scaled forms.
void sum_columns(const Row& row, const Columns& columns, unsigned first, unsigned step, const Format& format, bool half,
                 int least, uint32_t* sums) {
    double total[block], scale[block];
    int largest[block];
    for (unsigned j = 0; j < block; ++j) {
        const Number addend = number_of(sums[j], format);
        largest[j] = addend.significand || least == no_exponent ? exponent_of(addend) : least;
        total[j] = value_of(addend, format.fraction_bits);
    }
    for (unsigned i = first; i < first + step; ++i) {
        const int* exponent = columns.exponent[row.from[i]];
        for (unsigned j = 0; j < block; ++j) {
            const int both = row.exponent[i] + exponent[j];
            const int counted = both < below_all_products && least != no_exponent ? least : both;
            largest[j] = counted > largest[j] ? counted : largest[j];
        }
    }
    for (unsigned j = 0; j < block; ++j) {
        scale[j] = power_of_two(kept_bits - largest[j]);
        total[j] = __builtin_trunc(total[j] * scale[j]);
    }
    for (unsigned i = first; i < first + step; ++i) {
        const double* value = columns.value[row.from[i]];
        for (unsigned j = 0; j < block; ++j) total[j] += __builtin_trunc(row.value[i] * value[j] * scale[j]);
    }
    for (unsigned j = 0; j < block; ++j) {
        Sum sum;
        sum.value = static_cast<int64_t>(total[j]);
        sum.exponent = largest[j] - kept_bits;
        sums[j] = rounded(sum, half);
    }
}

/// One element of D where operands may be infinite or NaN.
uint32_t sum_specials(const Row& row, const Number* column, const Order& order, unsigned length, int point,
                      uint32_t c) {
    const Format format = format_of(order.inner);
    for (unsigned first = 0; first < length; first += order.step) {
        Number chosen[most_terms];
        for (unsigned i = 0; i < order.step; ++i) chosen[i] = column[row.from[first + i]];
        const Terms terms{row.number + first, chosen, static_cast<int>(order.step), point};
        c = rounded(sum_of(terms, number_of(c, format), format.fraction_bits), order.inner == MatrixElement::f16);
    }
    return c;
}

/// Elements of A and B as they are stored, by rows and columns.
struct Stored {
    uint32_t a[32][most_terms], b[32][most_terms];
};

Row row_of(const Warp& warp, const Stored& stored, unsigned index, unsigned length) {
    const MatrixForm& form = warp.form;
    const Format format = format_of(form.a);
    const Number factor = form.scale == MatrixScale::none ? one : factor_of_a(warp, index, 0);
    Row row;
    row.special = false;
    for (unsigned i = 0; i < length; ++i) {
        const unsigned at = ordered(form, length, i);
        const Number x = scaled(number_of(stored.a[index][at], format), factor);
        row.number[i] = x;
        row.value[i] = value_of(x, format.fraction_bits);
        row.exponent[i] = exponent_of(x);
        row.special |= row.number[i].kind != Number::finite;
        row.from[i] = form.sparse ? position(warp, index, at) : at;
    }
    return row;
}

void multiply_columns(const Warp& warp, const Stored& stored, unsigned first) {
    const MatrixForm& form = warp.form;
    const unsigned length = stored_length(form);
    const Order order = order_of(form, length);
    const Format b_format = format_of(form.b), inner = format_of(order.inner);
    const int point = format_of(form.a).fraction_bits + b_format.fraction_bits;
    Number numbers[block][most_terms];
    const int least = form.scale == MatrixScale::none ? no_exponent : least_exponent_of_scaled;
    Columns columns;
    for (unsigned j = 0; j < block; ++j) {
        const Number factor = form.scale == MatrixScale::none ? one : factor_of_b(warp, first + j, 0);
        columns.special[j] = false;
        for (unsigned k = 0; k < form.k; ++k) {
            const Number x = scaled(number_of(stored.b[first + j][k], b_format), factor);
            numbers[j][k] = x;
            columns.value[k][j] = value_of(x, b_format.fraction_bits);
            columns.exponent[k][j] = exponent_of(x);
            columns.special[j] |= x.kind != Number::finite;
        }
    }
    for (unsigned index = 0; index < form.m; ++index) {
        const Row row = row_of(warp, stored, index, length);
        uint32_t c[block], sums[block];
        for (unsigned j = 0; j < block; ++j) {
            c[j] = static_cast<uint32_t>(warp.c(place_of_accumulator(form, form.c, index, first + j)));
            sums[j] = start_of(form, order, c[j]);
        }
        bool plain[block];
        for (unsigned j = 0; j < block; ++j) plain[j] = !row.special && !columns.special[j];
        for (unsigned at = 0; at < length; at += order.step) {
            // A sum in between may have overflowed.
            for (unsigned j = 0; j < block; ++j) plain[j] &= number_of(sums[j], inner).kind == Number::finite;
            sum_columns(row, columns, at, order.step, inner, order.inner == MatrixElement::f16, least, sums);
        }
        for (unsigned j = 0; j < block; ++j) {
            const uint32_t start = start_of(form, order, c[j]);
            if (!plain[j]) sums[j] = sum_specials(row, numbers[j], order, length, point, start);
            warp.write(place_of_accumulator(form, form.d, index, first + j), end_of(form, order, sums[j], c[j]));
        }
    }
}

void multiply_floats(const Warp& warp) {
    Stored stored;
    unpack(warp, false, stored.a[0], most_terms);
    unpack(warp, true, stored.b[0], most_terms);
    for (unsigned first = 0; first < warp.form.n; first += block) multiply_columns(warp, stored, first);
}

/// mma.m8n8k4 of f16, which newer hardware has in software. For f32 a chain of f32 operations, the addend last, is
/// exactly what an H100 gives; for f16 the addend, the first two products' sum and the others' sum, each an f32.
void multiply_quad_pairs(const Warp& warp) {
    const MatrixForm& form = warp.form;
    const bool half = bits_of(form.d) == 16;
    for (unsigned pair = 0; pair < 4; ++pair)
        for (unsigned row = 0; row < 8; ++row)
            for (unsigned column = 0; column < 8; ++column) {
                const auto c = static_cast<uint32_t>(warp.c(pair_accumulator(form.c, pair, row, column)));
                const float addend = float_of(c, form.c);
                float chain = 0, product[4];
                for (unsigned k = 0; k < 4; ++k) {
                    const float a =
                        float_of(static_cast<uint32_t>(warp.a(pair_input(!form.a_column_major, pair, row, k))), form.a);
                    const float b = float_of(
                        static_cast<uint32_t>(warp.b(pair_input(form.b_column_major, pair, column, k))), form.b);
                    product[k] = a * b; // exact
                    chain += product[k];
                }
                const float pairs = addend + (product[0] + product[1]) + (product[2] + product[3]);
                warp.write(pair_accumulator(form.d, pair, row, column),
                           half ? half_of(static_cast<double>(pairs)) : __builtin_bit_cast(uint32_t, chain + addend));
            }
}

void multiply_integers(const Warp& warp) {
    const MatrixForm& form = warp.form;
    const unsigned length = stored_length(form);
    int16_t a[32][most_k], b[32][most_k];
    unpack(warp, false, a[0], most_k);
    unpack(warp, true, b[0], most_k);
    for (unsigned row = 0; row < form.m; ++row)
        for (unsigned i = 0; i < length; ++i)
            a[row][i] = static_cast<int16_t>(integer_of(static_cast<uint16_t>(a[row][i]), form.a));
    for (unsigned column = 0; column < form.n; ++column)
        for (unsigned k = 0; k < form.k; ++k)
            b[column][k] = static_cast<int16_t>(integer_of(static_cast<uint16_t>(b[column][k]), form.b));
    for (unsigned row = 0; row < form.m; ++row) {
        uint16_t from[most_k];
        for (unsigned i = 0; form.sparse && i < length; ++i) from[i] = static_cast<uint16_t>(position(warp, row, i));
        for (unsigned column = 0; column < form.n; ++column) {
            int32_t dot = 0;
            if (form.sparse)
                for (unsigned i = 0; i < length; ++i) dot += a[row][i] * b[column][from[i]];
            else if (form.a != MatrixElement::b1)
                for (unsigned i = 0; i < length; ++i) dot += a[row][i] * b[column][i];
            else if (form.conjunction)
                for (unsigned i = 0; i < length; ++i) dot += a[row][i] & b[column][i];
            else
                for (unsigned i = 0; i < length; ++i) dot += a[row][i] ^ b[column][i];
            int64_t sum = int64_t{dot} + static_cast<int32_t>(warp.c(place_of_accumulator(form, form.c, row, column)));
            if (form.saturate) sum = sum > 0x7fffffff ? 0x7fffffff : sum < -0x80000000ll ? -0x80000000ll : sum;
            warp.write(place_of_accumulator(form, form.d, row, column), static_cast<uint32_t>(sum));
        }
    }
}

/// Whether the processor fuses, asked once: code for matrices is made for any, and virtual machines answer slowly.
bool has_fma() {
    static int known = 0; // 1: no, 2: yes
    int answer = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (!answer) {
        constexpr unsigned fma = 1u << 12, osxsave = 1u << 27;
        unsigned a = 0, b = 0, c = 0, d = 0, enabled = 0, high = 0;
        __cpuid(1, a, b, c, d);
        if ((c & (fma | osxsave)) == (fma | osxsave)) asm("xgetbv" : "=a"(enabled), "=d"(high) : "c"(0));
        answer = (enabled & 6) == 6 ? 2 : 1; // the registers of AVX
        __atomic_store_n(&known, answer, __ATOMIC_RELAXED);
    }
    return answer == 2;
}

__attribute__((target("fma"))) double fused(double a, double b, double c) { return __builtin_fma(a, b, c); }

/// A chain of fma in the order of k.
void multiply_doubles(const Warp& warp) {
    const MatrixForm& form = warp.form;
    const bool fuses = form.rounding == MatrixRounding::rn && has_fma();
    double a[16][16], b[8][16];
    for (unsigned k = 0; k < form.k; ++k) {
        for (unsigned row = 0; row < form.m; ++row) a[row][k] = double_of(warp.a(place_of_a(form, form.k, row, k)));
        for (unsigned column = 0; column < form.n; ++column)
            b[column][k] = double_of(warp.b(place_of_b(form, k, column)));
    }
    for (unsigned row = 0; row < form.m; ++row)
        for (unsigned column = 0; column < form.n; ++column) {
            double sum = double_of(warp.c(place_of_accumulator(form, form.c, row, column)));
            for (unsigned k = 0; k < form.k; ++k)
                sum = fuses ? fused(a[row][k], b[column][k], sum)
                            : fma_f64(a[row][k], b[column][k], sum, rounding_of(form.rounding));
            warp.write(place_of_accumulator(form, form.d, row, column), bits_of(sum));
        }
}

} // namespace
} // namespace matrix

/// ptx::host::Services::collective calls it: `lanes` are the register blocks of 32 lanes.
extern "C" __attribute__((visibility("default"))) void cuttle_matrix_multiply(void* const* lanes, uint64_t number) {
    using namespace matrix;
    const MatrixForm form = MatrixForm::decode(number);
    const Warp warp{reinterpret_cast<uint32_t* const*>(lanes), form, words_of(form)};
    switch (form.a) {
    case MatrixElement::f64:
        return multiply_doubles(warp);
    case MatrixElement::s8:
    case MatrixElement::u8:
    case MatrixElement::s4:
    case MatrixElement::u4:
    case MatrixElement::b1:
        return multiply_integers(warp);
    default:
        if (form.a == MatrixElement::e2m1_packed) return multiply_groups(warp);
        return form.family == MatrixFamily::quad_pair ? multiply_quad_pairs(warp) : multiply_floats(warp);
    }
}

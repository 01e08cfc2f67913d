// Warp-level matrix multiplication on AMD GPUs; linked as bitcode. Each lane computes the elements of D that it holds,
// of operands that it reads from the registers of others, by the arithmetic of matrix_float.h. The chips' own matrix
// instructions round otherwise. `form` is constant where this is inlined, so that loops with a count of its own unroll.
#include "gpu_warp.h"
#include "matrix_double.h"
#include "matrix_float.h"
#include "matrix_layout.h"
#include "matrix_order.h"
#include "matrix_scale.h"
#include "matrix_warp.h"

#define UNROLL _Pragma("clang loop unroll(full)")

namespace matrix {
namespace {

constexpr unsigned most_words = 32, most_terms = 64; ///< of a row or column

/// The lane's own registers, and those of the other lanes of its warp. Like Warp otherwise.
struct Lanes {
    const uint32_t* mine;
    MatrixForm form;
    MatrixWords words;

    /// Of a register that is the same one for all lanes.
    uint32_t read(unsigned first, unsigned count, unsigned word, unsigned lane) const {
        uint32_t chosen = mine[first];
        UNROLL for (unsigned i = 1; i < count; ++i) chosen = word == i ? mine[first + i] : chosen;
        return value_of_lane(chosen, lane);
    }
    /// Of a register that each lane chooses for itself.
    uint32_t read_any(unsigned first, unsigned count, Place place, MatrixElement element) const {
        uint32_t value = 0;
        UNROLL for (unsigned i = 0; i < count; ++i) {
            const uint32_t other = value_of_lane(mine[first + i], place.lane);
            value = place.word == i ? other : value;
        }
        return bits_of(element) == 32 ? value : value >> place.bit & 0xffff;
    }
    uint32_t metadata(unsigned lane) const { return read(words.a + words.b + words.c, 1, 0, lane); }
    uint32_t scale(unsigned lane, unsigned word) const {
        return read(words.a + words.b + words.c + words.metadata + word, 1, 0, lane);
    }
};

/// An element of D that the lane holds.
struct Element {
    unsigned row, column;
};

/// The inverse of place_of_accumulator and pair_accumulator: the lane's i-th element.
Element element_of(const MatrixForm& form, unsigned i) {
    const unsigned self = lane();
    if (form.family == MatrixFamily::quad_pair) {
        const unsigned four = self / 16 * 4;
        if (bits_of(form.d) == 16) return {four + self % 4, i};
        return {four + (self & 1) + (i & 2), (i & 4) + (self & 2) + (i & 1)};
    }
    const bool is_tall = form.m == 32 || form.n == 32;
    const unsigned along = self / 4 + 8 * (is_tall ? i >> 1 : i >> 1 & 1);
    const unsigned across = self % 4 * 2 + (i & 1) + (is_tall ? 0 : 8 * (i >> 2));
    return is_transposed(form) ? Element{across, along} : Element{along, across};
}

uint32_t addend_of(const Lanes& warp, unsigned i) {
    const unsigned first = warp.words.a + warp.words.b, bits = bits_of(warp.form.c);
    const unsigned word = bits == 16 ? i / 2 : i;
    uint32_t value = 0;
    UNROLL for (unsigned j = 0; j < warp.words.c; ++j) value = word == j ? warp.mine[first + j] : value;
    return bits == 16 ? value >> i % 2 * 16 & 0xffff : value;
}

/// A row of A or column of B as it is stored, register after register.
struct Line {
    uint32_t words[most_words];
    unsigned bits;

    uint32_t operator[](unsigned k) const {
        const unsigned each = 32 / bits;
        return bits == 32 ? words[k] : words[k / each] >> k % each * bits & ((1u << bits) - 1);
    }
};

Line line_of(const Lanes& warp, bool of_b, unsigned index) {
    const MatrixForm& form = warp.form;
    const unsigned length = of_b ? form.k : stored_length(form);
    Line line;
    line.bits = bits_of(of_b ? form.b : form.a);
    const unsigned each = 32 / line.bits;
    UNROLL for (unsigned i = 0; i < length / each; ++i) {
        const Place place = of_b ? place_of_b(form, i * each, index) : place_of_a(form, length, index, i * each);
        line.words[i] = warp.read(of_b ? warp.words.a : 0, of_b ? warp.words.b : warp.words.a, place.word, place.lane);
    }
    return line;
}

/// What stored element `i` of the row is multiplied with.
uint32_t partner(const Lanes& warp, const Line& column, unsigned row, unsigned i) {
    if (!warp.form.sparse) return column[i];
    const Choice choice = choice_of(warp, row, i);
    uint32_t value = column[choice.first];
    UNROLL for (unsigned place = 1; place < choice.places; ++place) value =
        choice.which == place ? column[choice.first + choice.step * place] : value;
    return value;
}

/// One of the numbers that a sum is made of: bits behind the leading place are as many as are kept.
struct Term {
    uint32_t magnitude = 0;
    int exponent = 0;
    bool negative = false;

    int64_t aligned_to(int largest) const {
        const int shift = largest - exponent;
        const uint32_t kept = shift > 31 ? 0 : magnitude >> shift;
        return negative ? -int64_t{kept} : int64_t{kept};
    }
};

constexpr int no_exponent = -10000; ///< of zeros

/// As sum_of, without a branch. `least`: the exponent that zeros count as.
Sum sum_of_terms(const Number* a, const Number* b, unsigned count, int point, const Number& addend, int addend_point,
                 int least) {
    Sum sum;
    Term terms[most_terms];
    sum.nan = addend.kind == Number::nan;
    if (addend.kind == Number::infinite) sum.add_infinity(addend.negative);
    const Term last{uint32_t(addend.significand) << (kept_bits - addend_point),
                    addend.significand ? addend.exponent : least, addend.negative};
    int largest = last.exponent;
    UNROLL for (unsigned i = 0; i < count; ++i) {
        const bool negative = a[i].negative != b[i].negative;
        const bool infinite = a[i].kind == Number::infinite || b[i].kind == Number::infinite;
        const bool nan =
            a[i].kind == Number::nan || b[i].kind == Number::nan || (infinite && (is_zero(a[i]) || is_zero(b[i])));
        sum.nan |= nan;
        sum.plus_infinity |= infinite && !nan && !negative;
        sum.minus_infinity |= infinite && !nan && negative;
        const uint32_t product = uint32_t(a[i].significand) * uint32_t(b[i].significand);
        terms[i] = {product << (kept_bits - point), product ? a[i].exponent + b[i].exponent : least, negative};
        largest = terms[i].exponent > largest ? terms[i].exponent : largest;
    }
    sum.exponent = largest - kept_bits;
    sum.value = last.aligned_to(largest);
    UNROLL for (unsigned i = 0; i < count; ++i) sum.value += terms[i].aligned_to(largest);
    return sum;
}

uint32_t sum_of_floats(const Lanes& warp, Element at, uint32_t c) {
    const MatrixForm& form = warp.form;
    const unsigned length = stored_length(form);
    const Order order = order_of(form, length);
    const Format a_format = format_of(form.a), b_format = format_of(form.b), inner = format_of(order.inner);
    const int point = a_format.fraction_bits + b_format.fraction_bits;
    const bool is_scaled = form.scale != MatrixScale::none;
    const Line row = line_of(warp, false, at.row), column = line_of(warp, true, at.column);
    const Number row_factor = is_scaled ? factor_of_a(warp, at.row, 0) : one;
    const Number column_factor = is_scaled ? factor_of_b(warp, at.column, 0) : one;
    uint32_t sum = start_of(form, order, c);
    UNROLL for (unsigned first = 0; first < length; first += order.step) {
        Number a[most_terms], b[most_terms];
        UNROLL for (unsigned i = 0; i < order.step; ++i) {
            const unsigned k = ordered(form, length, first + i);
            a[i] = scaled(number_of(row[k], a_format), row_factor);
            b[i] = scaled(number_of(partner(warp, column, at.row, k), b_format), column_factor);
        }
        const Sum exact = sum_of_terms(a, b, order.step, point, number_of(sum, inner), inner.fraction_bits,
                                       is_scaled ? least_exponent_of_scaled : no_exponent);
        sum = rounded(exact, order.inner == MatrixElement::f16);
    }
    return end_of(form, order, sum, c);
}

/// mma.m8n8k4 of f16: as on the host.
uint32_t sum_of_quad_pair(const Lanes& warp, Element at) {
    const MatrixForm& form = warp.form;
    const unsigned pair = lane() / 4 % 4;
    const uint32_t c = warp.read_any(warp.words.a + warp.words.b, warp.words.c,
                                     pair_accumulator(form.c, pair, at.row, at.column), form.c);
    const float addend = float_of(c, form.c);
    float chain = 0, product[4];
    UNROLL for (unsigned k = 0; k < 4; ++k) {
        const Place a = pair_input(!form.a_column_major, pair, at.row, k);
        const Place b = pair_input(form.b_column_major, pair, at.column, k);
        product[k] = float_of(warp.read_any(0, warp.words.a, a, form.a), form.a) *
                     float_of(warp.read_any(warp.words.a, warp.words.b, b, form.b), form.b);
        chain += product[k];
    }
    const float pairs = addend + (product[0] + product[1]) + (product[2] + product[3]);
    return bits_of(form.d) == 16 ? half_of(static_cast<double>(pairs)) : __builtin_bit_cast(uint32_t, chain + addend);
}

uint32_t sum_of_integers(const Lanes& warp, Element at, uint32_t c) {
    const MatrixForm& form = warp.form;
    const unsigned length = stored_length(form);
    const Line row = line_of(warp, false, at.row), column = line_of(warp, true, at.column);
    int32_t dot = 0;
    if (form.a == MatrixElement::b1) {
        UNROLL for (unsigned i = 0; i < length / 32; ++i) {
            const uint32_t a = row.words[i], b = column.words[i];
            dot += __builtin_popcount(form.conjunction ? a & b : a ^ b);
        }
    } else {
        UNROLL for (unsigned i = 0; i < length; ++i) dot +=
            int32_t(integer_of(row[i], form.a)) * int32_t(integer_of(partner(warp, column, at.row, i), form.b));
    }
    int64_t sum = int64_t{dot} + static_cast<int32_t>(c);
    if (form.saturate) sum = sum > 0x7fffffff ? 0x7fffffff : sum < -0x80000000ll ? -0x80000000ll : sum;
    return static_cast<uint32_t>(sum);
}

/// .kind::mxf4 and .kind::mxf4nvf4: e2m1 in groups of 16.
uint32_t sum_of_packed(const Lanes& warp, Element at, uint32_t c) {
    const MatrixForm& form = warp.form;
    const unsigned groups_to_factor = groups / form.scale_columns;
    const Line row = line_of(warp, false, at.row), column = line_of(warp, true, at.column);
    int sums[groups];
    bool all_zero[groups];
    Number a[groups], b[groups];
    UNROLL for (unsigned g = 0; g < groups; ++g) {
        sums[g] = 0;
        all_zero[g] = true;
        UNROLL for (unsigned i = g * group_size; i < (g + 1) * group_size; ++i) {
            const int product = halves_of(row[i]) * halves_of(partner(warp, column, at.row, i));
            sums[g] += product;
            all_zero[g] &= product == 0;
        }
        a[g] = factor_of_a(warp, at.row, g / groups_to_factor);
        b[g] = factor_of_b(warp, at.column, g / groups_to_factor);
    }
    return sum_of_groups(sums, all_zero, a, b, number_of(c, format_of(MatrixElement::f32)));
}

double read_double(const Lanes& warp, unsigned first, unsigned count, Place place) {
    const uint64_t low = warp.read(first, count, place.word, place.lane);
    const uint64_t high = warp.read(first, count, place.word + 1, place.lane);
    return double_of(low | high << 32);
}

/// A chain of fma in the order of k.
void multiply_doubles(const Lanes& warp, uint32_t* result) {
    const MatrixForm& form = warp.form;
    const unsigned first_c = warp.words.a + warp.words.b;
    UNROLL for (unsigned i = 0; i < warp.words.d / 2; ++i) {
        const Element at = element_of(form, i);
        double sum = double_of(warp.mine[first_c + 2 * i] | uint64_t{warp.mine[first_c + 2 * i + 1]} << 32);
        UNROLL for (unsigned k = 0; k < form.k; ++k) {
            const double a = read_double(warp, 0, warp.words.a, place_of_a(form, form.k, at.row, k));
            const double b = read_double(warp, warp.words.a, warp.words.b, place_of_b(form, k, at.column));
            sum = form.rounding == MatrixRounding::rn ? __builtin_fma(a, b, sum)
                                                      : fma_f64(a, b, sum, rounding_of(form.rounding));
        }
        result[2 * i] = static_cast<uint32_t>(bits_of(sum));
        result[2 * i + 1] = static_cast<uint32_t>(bits_of(sum) >> 32);
    }
}

uint32_t sum_of_element(const Lanes& warp, unsigned i) {
    const Element at = element_of(warp.form, i);
    if (warp.form.family == MatrixFamily::quad_pair) return sum_of_quad_pair(warp, at);
    const uint32_t c = addend_of(warp, i);
    switch (warp.form.a) {
    case MatrixElement::s8:
    case MatrixElement::u8:
    case MatrixElement::s4:
    case MatrixElement::u4:
    case MatrixElement::b1:
        return sum_of_integers(warp, at, c);
    case MatrixElement::e2m1_packed:
        return sum_of_packed(warp, at, c);
    default:
        return sum_of_floats(warp, at, c);
    }
}

/// One element of D after the other by the same code: it is long.
void multiply(const Lanes& warp, uint32_t* result) {
    const bool half = bits_of(warp.form.d) == 16;
    UNROLL for (unsigned j = 0; j < warp.words.d; ++j) result[j] = 0;
#pragma clang loop unroll(disable)
    for (unsigned i = 0; i < (half ? 2 : 1) * warp.words.d; ++i) {
        const uint32_t bits = sum_of_element(warp, i);
        UNROLL for (unsigned j = 0; j < warp.words.d; ++j) {
            if (half)
                result[j] |= i / 2 == j ? (bits & 0xffff) << i % 2 * 16 : 0;
            else
                result[j] = i == j ? bits : result[j];
        }
    }
}

} // namespace
} // namespace matrix

/// `mine`: the lane's registers, as cuttle.mma takes them. `result`: those of D.
extern "C" __attribute__((always_inline, convergent)) void
cuttle_gpu_matrix_multiply(const uint32_t* mine, uint32_t* result, uint64_t number) {
    using namespace matrix;
    const MatrixForm form = MatrixForm::decode(number);
    const Lanes warp{mine, form, words_of(form)};
    if (form.a == MatrixElement::f64)
        multiply_doubles(warp, result);
    else
        multiply(warp, result);
}

// What generated host code calls for a warp-level matrix multiplication: the last lane that comes computes all of D.
// Linked to images as an object file, so that no kernel compiles it again.
#include "exact_fma.h"
#include "matrix_float.h"
#include "matrix_layout.h"

namespace matrix {
namespace {

constexpr unsigned most_k = 256, most_terms = 64;

/// The registers of a warp: of each lane A, B, C, the metadata and D, one behind the other; null where no lane is.
struct Warp {
    uint32_t* const* lanes;
    MatrixForm form;
    MatrixWords words;

    uint64_t read(unsigned first, Place place, MatrixElement element) const {
        const uint32_t* lane = lanes[place.lane];
        if (!lane) return 0;
        const uint32_t* at = lane + first + place.word;
        const unsigned bits = bits_of(element);
        if (bits == 64) return at[0] | static_cast<uint64_t>(at[1]) << 32;
        return bits == 32 ? at[0] : at[0] >> place.bit & ((1u << bits) - 1);
    }
    uint64_t a(Place place) const { return read(0, place, form.a); }
    uint64_t b(Place place) const { return read(words.a, place, form.b); }
    uint64_t c(Place place) const { return read(words.a + words.b, place, form.c); }
    uint32_t metadata(unsigned lane) const { return lanes[lane] ? lanes[lane][words.a + words.b + words.c] : 0; }
    void write(Place place, uint64_t value) const {
        if (!lanes[place.lane]) return;
        uint32_t* at = lanes[place.lane] + words.sources() + place.word;
        if (bits_of(form.d) == 16) {
            *at = (*at & ~(0xffffu << place.bit)) | static_cast<uint32_t>(value) << place.bit;
            return;
        }
        at[0] = static_cast<uint32_t>(value);
        if (bits_of(form.d) == 64) at[1] = static_cast<uint32_t>(value >> 32);
    }
};

/// Where stored element `index` of a row of a sparse A belongs. PTX ISA 9.7.14.6.1: four bits speak of two stored
/// elements (pairs of them for 4-bit types), or of one of tf32.
unsigned position(const Warp& warp, unsigned row, unsigned index) {
    const unsigned bits = bits_of(warp.form.a), k = warp.form.k;
    const unsigned chunk = bits == 32 ? index : bits == 4 ? index / 4 : index / 2;
    const unsigned row_bits = bits == 32 ? 2 * k : bits == 4 ? k / 2 : k, lanes = row_bits / 16;
    unsigned lane = row % 8 * 4, bit = chunk * 4;
    if (bits > 8) { // 16 bits of row g and 16 of row g + 8 in each of the lanes
        lane += warp.form.selector * lanes + chunk / 4;
        bit = chunk % 4 * 4 + row / 8 * 16;
    } else {
        lane += warp.form.selector * lanes + row / 8 + chunk / 8 * 2;
        bit = chunk % 8 * 4;
    }
    const unsigned four = warp.metadata(lane) >> bit & 15;
    if (bits == 32) return 2 * chunk + (four >> 3 & 1);
    if (bits == 4) return 8 * chunk + 2 * (four >> (index / 2 % 2 * 2) & 3) + index % 2;
    return 4 * chunk + (four >> (index % 2 * 2) & 3);
}

unsigned stored_length(const MatrixForm& form) { return form.sparse ? form.k / 2u : form.k; }

/// How the products of one element of D are summed: in groups of `step`, one after the other.
struct Order {
    unsigned step;
    MatrixElement inner; ///< type of the sums
    bool from_zero;      ///< the addend comes last, by an addition of its own
};

/// fp8, which Hopper's mma.sync computes through f16: the first pairs of every four elements, then the others. wmma of
/// tf32 is two instructions of k = 4; with accumulators of two types it converts around an instruction of f32.
Order order_of(const MatrixForm& form, unsigned length) {
    if (bits_of(form.a) == 8) return {length / 2, form.d, true};
    const bool halves = form.family == MatrixFamily::wmma && form.a == MatrixElement::tf32;
    return {halves ? 4 : length, form.c == form.d ? form.d : MatrixElement::f32, false};
}

/// The i-th element to be summed.
unsigned ordered(const MatrixForm& form, unsigned length, unsigned i) {
    if (bits_of(form.a) != 8) return i;
    const unsigned pair = i / (length / 2), at = i % (length / 2);
    return at / 2 * 4 + at % 2 + 2 * pair;
}

uint32_t start_of(const MatrixForm& form, const Order& order, uint32_t c) {
    if (order.from_zero) return 0;
    return form.c == order.inner ? c : __builtin_bit_cast(uint32_t, float_of(c, form.c));
}

uint32_t end_of(const MatrixForm& form, const Order& order, uint32_t sum, uint32_t c) {
    const bool half = form.d == MatrixElement::f16;
    if (order.from_zero) {
        const float total = float_of(sum, form.d) + float_of(c, form.c);
        return half ? half_of(total) : __builtin_bit_cast(uint32_t, total);
    }
    return half && order.inner == MatrixElement::f32 ? half_of(__builtin_bit_cast(float, sum)) : sum;
}

constexpr unsigned block = 8;
constexpr int no_exponent = -500; ///< of zeros: below every sum's, and a power of two of it is a double

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
void sum_columns(const Row& row, const Columns& columns, unsigned first, unsigned step, const Format& format, bool half,
                 uint32_t* sums) {
    double total[block], scale[block];
    int largest[block];
    for (unsigned j = 0; j < block; ++j) {
        const Number addend = number_of(sums[j], format);
        largest[j] = exponent_of(addend);
        total[j] = value_of(addend, format.fraction_bits);
    }
    for (unsigned i = first; i < first + step; ++i) {
        const int* exponent = columns.exponent[row.from[i]];
        for (unsigned j = 0; j < block; ++j) {
            const int both = row.exponent[i] + exponent[j];
            largest[j] = both > largest[j] ? both : largest[j];
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

Row row_of(const Warp& warp, unsigned index, unsigned length) {
    const MatrixForm& form = warp.form;
    const Format format = format_of(form.a);
    Row row;
    row.special = false;
    for (unsigned i = 0; i < length; ++i) {
        const unsigned at = ordered(form, length, i);
        const Number x = number_of(static_cast<uint32_t>(warp.a(place_of_a(form, length, index, at))), format);
        row.number[i] = x;
        row.value[i] = value_of(x, format.fraction_bits);
        row.exponent[i] = exponent_of(x);
        row.special |= x.kind != Number::finite;
        row.from[i] = form.sparse ? position(warp, index, at) : at;
    }
    return row;
}

void multiply_columns(const Warp& warp, unsigned first) {
    const MatrixForm& form = warp.form;
    const unsigned length = stored_length(form);
    const Order order = order_of(form, length);
    const Format b_format = format_of(form.b), inner = format_of(order.inner);
    const int point = format_of(form.a).fraction_bits + b_format.fraction_bits;
    Number numbers[block][most_terms];
    Columns columns;
    for (unsigned j = 0; j < block; ++j) {
        columns.special[j] = false;
        for (unsigned k = 0; k < form.k; ++k) {
            const Number x = number_of(static_cast<uint32_t>(warp.b(place_of_b(form, k, first + j))), b_format);
            numbers[j][k] = x;
            columns.value[k][j] = value_of(x, b_format.fraction_bits);
            columns.exponent[k][j] = exponent_of(x);
            columns.special[j] |= x.kind != Number::finite;
        }
    }
    for (unsigned index = 0; index < form.m; ++index) {
        const Row row = row_of(warp, index, length);
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
            sum_columns(row, columns, at, order.step, inner, order.inner == MatrixElement::f16, sums);
        }
        for (unsigned j = 0; j < block; ++j) {
            const uint32_t start = start_of(form, order, c[j]);
            if (!plain[j]) sums[j] = sum_specials(row, numbers[j], order, length, point, start);
            warp.write(place_of_accumulator(form, form.d, index, first + j), end_of(form, order, sums[j], c[j]));
        }
    }
}

void multiply_floats(const Warp& warp) {
    for (unsigned first = 0; first < warp.form.n; first += block) multiply_columns(warp, first);
}

/// mma.m8n8k4 of f16, which newer hardware has in software. For f32 a chain of f32 operations, the addend last, is
/// exactly what an H100 gives; for f16 the exact sum, rounded once, is its result but for two of 61,440 measured.
void multiply_quad_pairs(const Warp& warp) {
    const MatrixForm& form = warp.form;
    const bool half = bits_of(form.d) == 16;
    for (unsigned pair = 0; pair < 4; ++pair)
        for (unsigned row = 0; row < 8; ++row)
            for (unsigned column = 0; column < 8; ++column) {
                const auto c = static_cast<uint32_t>(warp.c(pair_accumulator(form.c, pair, row, column)));
                const float addend = float_of(c, form.c);
                float chain = 0;
                double exact = static_cast<double>(addend);
                for (unsigned k = 0; k < 4; ++k) {
                    const float a =
                        float_of(static_cast<uint32_t>(warp.a(pair_input(!form.a_column_major, pair, row, k))), form.a);
                    const float b = float_of(
                        static_cast<uint32_t>(warp.b(pair_input(form.b_column_major, pair, column, k))), form.b);
                    const float product = a * b; // exact
                    chain += product;
                    exact += static_cast<double>(product);
                }
                warp.write(pair_accumulator(form.d, pair, row, column),
                           half ? half_of(exact) : __builtin_bit_cast(uint32_t, chain + addend));
            }
}

int64_t integer_of(uint64_t bits, MatrixElement element) {
    switch (element) {
    case MatrixElement::s8:
        return static_cast<int8_t>(bits);
    case MatrixElement::s4:
        return static_cast<int64_t>(bits ^ 8) - 8;
    default:
        return static_cast<int64_t>(bits);
    }
}

void multiply_integers(const Warp& warp) {
    const MatrixForm& form = warp.form;
    const unsigned length = stored_length(form);
    int16_t b[32][most_k], a[most_k];
    uint16_t from[most_k];
    for (unsigned column = 0; column < form.n; ++column)
        for (unsigned k = 0; k < form.k; ++k)
            b[column][k] = static_cast<int16_t>(integer_of(warp.b(place_of_b(form, k, column)), form.b));
    for (unsigned row = 0; row < form.m; ++row) {
        for (unsigned i = 0; i < length; ++i) {
            a[i] = static_cast<int16_t>(integer_of(warp.a(place_of_a(form, length, row, i)), form.a));
            from[i] = static_cast<uint16_t>(form.sparse ? position(warp, row, i) : i);
        }
        for (unsigned column = 0; column < form.n; ++column) {
            int32_t dot = 0;
            if (form.a != MatrixElement::b1)
                for (unsigned i = 0; i < length; ++i) dot += a[i] * b[column][from[i]];
            else if (form.conjunction)
                for (unsigned i = 0; i < length; ++i) dot += a[i] & b[column][i];
            else
                for (unsigned i = 0; i < length; ++i) dot += a[i] ^ b[column][i];
            int64_t sum = int64_t{dot} + static_cast<int32_t>(warp.c(place_of_accumulator(form, form.c, row, column)));
            if (form.saturate) sum = sum > 0x7fffffff ? 0x7fffffff : sum < -0x80000000ll ? -0x80000000ll : sum;
            warp.write(place_of_accumulator(form, form.d, row, column), static_cast<uint32_t>(sum));
        }
    }
}

Rounding rounding_of(MatrixRounding rounding) {
    switch (rounding) {
    case MatrixRounding::rz:
        return Rounding::rz;
    case MatrixRounding::rm:
        return Rounding::rm;
    case MatrixRounding::rp:
        return Rounding::rp;
    default:
        return Rounding::rn;
    }
}

double double_at(uint64_t bits) { return __builtin_bit_cast(double, bits); }

/// A chain of fma in the order of k.
void multiply_doubles(const Warp& warp) {
    const MatrixForm& form = warp.form;
    for (unsigned row = 0; row < form.m; ++row)
        for (unsigned column = 0; column < form.n; ++column) {
            double sum = double_at(warp.c(place_of_accumulator(form, form.c, row, column)));
            for (unsigned k = 0; k < form.k; ++k)
                sum = fma_f64(double_at(warp.a(place_of_a(form, form.k, row, k))),
                              double_at(warp.b(place_of_b(form, k, column))), sum, rounding_of(form.rounding));
            warp.write(place_of_accumulator(form, form.d, row, column), __builtin_bit_cast(uint64_t, sum));
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
        return form.family == MatrixFamily::quad_pair ? multiply_quad_pairs(warp) : multiply_floats(warp);
    }
}

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

/// fp8, which Hopper's mma.sync computes through f16: the first pairs of every four elements, then the others, and the
/// addend last, as a float or half.
uint32_t narrow_dot(const Number* a, const Number* b, unsigned length, const MatrixForm& form, uint32_t c) {
    const int point = format_of(form.a).fraction_bits + format_of(form.b).fraction_bits;
    const bool half = bits_of(form.d) == 16;
    const Format format = format_of(form.d);
    uint32_t bits = 0;
    for (unsigned pair = 0; pair < 4; pair += 2) {
        Number x[most_terms / 2], y[most_terms / 2];
        for (unsigned i = 0; i < length / 2; ++i) {
            const unsigned from = i / 2 * 4 + i % 2 + pair;
            x[i] = a[from], y[i] = b[from];
        }
        const Terms terms{x, y, static_cast<int>(length / 2), point};
        bits = rounded(sum_of(terms, number_of(bits, format), format.fraction_bits), half);
    }
    const float sum = float_of(bits, form.d) + float_of(c, form.c);
    return half ? half_of(sum) : __builtin_bit_cast(uint32_t, sum);
}

uint32_t float_dot(const Number* a, const Number* b, unsigned length, const MatrixForm& form, uint32_t c) {
    if (bits_of(form.a) == 8) return narrow_dot(a, b, length, form, c);
    // wmma with accumulators of two types converts around an instruction of f32.
    const bool converts = form.c != form.d;
    const MatrixElement inner = converts ? MatrixElement::f32 : form.d;
    if (converts && form.c == MatrixElement::f16) c = __builtin_bit_cast(uint32_t, float_of(c, form.c));
    const Format format = format_of(inner);
    // wmma of tf32 is two instructions of k = 4.
    const unsigned step = form.family == MatrixFamily::wmma && form.a == MatrixElement::tf32 ? 4 : length;
    const int point = format_of(form.a).fraction_bits + format_of(form.b).fraction_bits;
    for (unsigned first = 0; first < length; first += step) {
        const Terms terms{a + first, b + first, static_cast<int>(step), point};
        c = rounded(sum_of(terms, number_of(c, format), format.fraction_bits), inner == MatrixElement::f16);
    }
    return converts && form.d == MatrixElement::f16 ? half_of(__builtin_bit_cast(float, c)) : c;
}

void multiply_floats(const Warp& warp) {
    const MatrixForm& form = warp.form;
    const unsigned length = stored_length(form);
    const Format a_format = format_of(form.a), b_format = format_of(form.b);
    Number b[32][most_terms], a[most_terms], chosen[most_terms];
    for (unsigned column = 0; column < form.n; ++column)
        for (unsigned k = 0; k < form.k; ++k)
            b[column][k] = number_of(static_cast<uint32_t>(warp.b(place_of_b(form, k, column))), b_format);
    for (unsigned row = 0; row < form.m; ++row) {
        unsigned from[most_terms];
        for (unsigned i = 0; i < length; ++i) {
            a[i] = number_of(static_cast<uint32_t>(warp.a(place_of_a(form, length, row, i))), a_format);
            from[i] = form.sparse ? position(warp, row, i) : i;
        }
        for (unsigned column = 0; column < form.n; ++column) {
            const Number* with = b[column];
            if (form.sparse) {
                for (unsigned i = 0; i < length; ++i) chosen[i] = b[column][from[i]];
                with = chosen;
            }
            const auto c = static_cast<uint32_t>(warp.c(place_of_accumulator(form, form.c, row, column)));
            warp.write(place_of_accumulator(form, form.d, row, column), float_dot(a, with, length, form, c));
        }
    }
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

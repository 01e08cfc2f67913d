#pragma once

#include "host_matrix_floats.h"

/// The same for what most programs multiply: dense matrices of f16, bf16 or tf32, by blocks of 16 rows and 8 columns
/// as they lie in the registers of a whole warp. What has infinities, NaNs or numbers far from 1 is left to
/// multiply_floats.
namespace matrix {
namespace {

using Eight = Floats<8>;
using EightInts = Ints<8>;

/// Exponents are those of f32, biased ("fields"); with these bounds no product, and nothing made of one, leaves f32's
/// normal numbers.
constexpr int bias = 127, least_field = bias - 50, largest_field = bias + 60;
constexpr int zero_field = -1024;              ///< its bits are 0 where fields have some
constexpr int least_of_sums = 2 * least_field; ///< biased twice

/// The largest of some numbers, and the least that is not zero, as the bits of their magnitudes.
struct Extremes {
    EightInts largest{};
    Words<8> least = Words<8>{} + ~0u; ///< less 1

    ALWAYS_INLINE void see(EightInts magnitude) {
        const Words<8> before = reinterpret_cast<Words<8>>(magnitude - 1);
        largest = magnitude > largest ? magnitude : largest;
        least = before < least ? before : least;
    }
    ALWAYS_INLINE bool are_within(int first_field, int last_field) const {
        const auto first = static_cast<uint32_t>(first_field) << 23, end = static_cast<uint32_t>(last_field + 1) << 23;
        return __builtin_reduce_and((largest < static_cast<int>(end)) & (least >= first - 1)) != 0;
    }
};

template <MatrixElement E> constexpr unsigned each_word = E == MatrixElement::tf32 ? 1 : 2;

/// Eight elements that follow one another in registers.
template <MatrixElement E> ALWAYS_INLINE Eight eight_of(const uint32_t* words) {
    if constexpr (E == MatrixElement::f16) {
        using Halves = _Float16 __attribute__((vector_size(16)));
        return __builtin_convertvector(load<Halves>(words), Eight);
    } else if constexpr (E == MatrixElement::bf16) {
        using Shorts = uint16_t __attribute__((vector_size(16)));
        return reinterpret_cast<Eight>(__builtin_convertvector(load<Shorts>(words), Words<8>) << 16);
    } else {
        return reinterpret_cast<Eight>(load<Words<8>>(words) & ~0x1fffu);
    }
}

ALWAYS_INLINE EightInts magnitude_of(Eight value) { return reinterpret_cast<EightInts>(value) & 0x7fffffff; }

/// f16's subnormal numbers have the exponent of the least normal ones; so have they here, and in what a unit aligns.
template <bool Half> ALWAYS_INLINE EightInts field_of(EightInts magnitude) {
    constexpr int least = bias - 14;
    const EightInts field = magnitude >> 23;
    if (!Half) return field;
    return field < least ? EightInts{} + least : field;
}

/// Fields of elements, negative where these are zeros.
template <MatrixElement E> ALWAYS_INLINE EightInts fields_of(Eight value, Extremes& extremes) {
    const EightInts magnitude = magnitude_of(value);
    extremes.see(magnitude);
    return field_of<E == MatrixElement::f16>(magnitude) | ((magnitude == 0) & zero_field);
}

ALWAYS_INLINE void transpose(Eight (&rows)[8]) {
    Eight pairs[8], fours[8];
    for (unsigned i = 0; i < 8; i += 2) {
        pairs[i] = __builtin_shufflevector(rows[i], rows[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        pairs[i + 1] = __builtin_shufflevector(rows[i], rows[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    for (unsigned i = 0; i < 8; i += 4)
        for (unsigned j = 0; j < 2; ++j) {
            fours[i + 2 * j] = __builtin_shufflevector(pairs[i + j], pairs[i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            fours[i + 2 * j + 1] = __builtin_shufflevector(pairs[i + j], pairs[i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    for (unsigned i = 0; i < 4; ++i) {
        rows[i] = __builtin_shufflevector(fours[i], fours[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        rows[i + 4] = __builtin_shufflevector(fours[i], fours[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

/// 16 rows of A. Element k of row r is at `place(k) + r % 8 * row_step`, with row r + 8 in the upper half of a field.
template <MatrixElement E, unsigned K> struct TallBlock {
    static constexpr unsigned each = each_word<E>, row_step = 4 * each, words = 32 * each;
    alignas(most_bytes) float low[8 * K], high[8 * K]; ///< rows 0 to 7 and 8 to 15
    alignas(most_bytes) uint32_t fields[8 * K];

    static constexpr unsigned place(unsigned k) { return k / row_step * words + k % row_step; }

    ALWAYS_INLINE void read(const uint32_t* registers, Extremes& extremes) {
        for (unsigned at = 0; at < 8 * K; at += 8) {
            const uint32_t* from = registers + at / words * 64 + at % words / each;
            const Eight upper = eight_of<E>(from), lower = eight_of<E>(from + 32);
            store(low + at, upper);
            store(high + at, lower);
            store(fields + at, (fields_of<E>(upper, extremes) & 0xffff) | fields_of<E>(lower, extremes) << 16);
        }
    }
};

/// 8 columns of B, a vector for each k; a column's field is in both halves.
template <MatrixElement E, unsigned K> struct WideBlock {
    static constexpr unsigned each = each_word<E>;
    Eight values[K < 8 ? 8 : K];
    EightInts fields[K];

    ALWAYS_INLINE void read(const uint32_t* registers, Extremes& extremes) {
        for (unsigned first = 0; first < K; first += 8) {
            Eight columns[8];
            for (unsigned i = 0; i < 8; ++i) {
                if constexpr (each == 2) {
                    columns[i] = eight_of<E>(registers + first * 4 + i * 4);
                } else {
                    alignas(32) uint32_t words[8]{};
                    for (unsigned k = 0; k < K; ++k) words[k] = registers[k / 4 * 32 + i * 4 + k % 4];
                    columns[i] = eight_of<E>(words);
                }
            }
            transpose(columns);
            for (unsigned i = 0; i < 8; ++i) values[first + i] = columns[i];
        }
        for (unsigned k = 0; k < K; ++k) {
            const EightInts field = fields_of<E>(values[k], extremes);
            fields[k] = (field & 0xffff) | field << 16;
        }
    }
};

/// A row of eight elements of C or D, as bits: register pairs (f32) or registers (f16) hold two for each lane.
template <bool Half> struct Row {
    using Shorts = uint16_t __attribute__((vector_size(16)));
    static constexpr unsigned words = Half ? 32 : 64; ///< of eight rows

    static ALWAYS_INLINE Words<8> read(const uint32_t* registers) {
        if (Half) return __builtin_convertvector(load<Shorts>(registers), Words<8>);
        const auto even = load<Words<4>>(registers), odd = load<Words<4>>(registers + 32);
        return __builtin_shufflevector(even, odd, 0, 4, 1, 5, 2, 6, 3, 7);
    }
    static ALWAYS_INLINE void write(uint32_t* registers, Words<8> row) {
        if (Half) return store(registers, __builtin_convertvector(row, Shorts));
        store(registers, __builtin_shufflevector(row, row, 0, 2, 4, 6));
        store(registers + 32, __builtin_shufflevector(row, row, 1, 3, 5, 7));
    }
    static ALWAYS_INLINE Eight values(Words<8> row) {
        using Halves = _Float16 __attribute__((vector_size(16)));
        if (!Half) return reinterpret_cast<Eight>(row);
        return __builtin_convertvector(reinterpret_cast<Halves>(__builtin_convertvector(row, Shorts)), Eight);
    }
};

/// A row of D while its products are summed. `largest` are their fields, biased twice.
template <bool Half> struct RowSum {
    static constexpr uint32_t place_of_one = bias << 23;
    static constexpr int twice = 2 * bias + kept_bits; ///< largest - twice is the sum's last place

    Words<8> scale;
    EightInts part;
    Doubles<8> total;

    ALWAYS_INLINE RowSum(Eight addend, EightInts largest, Extremes& sums) {
        const EightInts magnitude = magnitude_of(addend);
        sums.see(magnitude);
        EightInts field = field_of<Half>(magnitude) + bias; // of an f32 zero: below least_of_sums
        if (Half) field |= (magnitude == 0) & zero_field;
        largest = largest > field ? largest : field;
        scale = reinterpret_cast<Words<8>>(bias + twice - largest) << 23;
        part = scaled(addend);
    }
    ALWAYS_INLINE EightInts scaled(Eight value) const {
        return __builtin_convertvector(value * reinterpret_cast<Eight>(scale), EightInts);
    }
    /// Before part could overflow.
    ALWAYS_INLINE void take_part(bool is_first) {
        const Doubles<8> sum = __builtin_convertvector(part, Doubles<8>);
        total = is_first ? sum : total + sum;
        part = EightInts{};
    }
    ALWAYS_INLINE Words<8> bits(Extremes& sums) const {
        const Words<8> back = 2 * place_of_one - scale;
        const Eight sum = cut_sums<8>(total, Half) * reinterpret_cast<Eight>(back);
        sums.see(magnitude_of(sum));
        const auto bits = reinterpret_cast<Words<8>>(sum);
        return Half ? halves_of<8>(bits) : bits;
    }
};

/// Adds to rows r and r + 8 of C (their bits; `at` is their place) the products from k = First on.
template <bool Half, unsigned First, unsigned Step, MatrixElement E, unsigned K> ALWAYS_INLINE void
sum_two_rows(const TallBlock<E, K>& a, const WideBlock<E, K>& b, unsigned at, Words<8> (&rows)[2], Extremes& sums) {
    using Pairs = int16_t __attribute__((vector_size(32)));
    Pairs largest = Pairs{} + least_of_sums;
#pragma clang loop unroll(full)
    for (unsigned k = First; k < First + Step; ++k) {
        const Pairs both =
            reinterpret_cast<Pairs>(b.fields[k]) + reinterpret_cast<Pairs>(Words<8>{} + a.fields[at + a.place(k)]);
        largest = both > largest ? both : largest;
    }
    const auto packed = reinterpret_cast<EightInts>(largest);
    RowSum<Half> low(Row<Half>::values(rows[0]), packed << 16 >> 16, sums);
    RowSum<Half> high(Row<Half>::values(rows[1]), packed >> 16, sums);
#pragma clang loop unroll(full)
    for (unsigned i = 0; i < Step; ++i) {
        const unsigned place = at + a.place(First + i);
        low.part += low.scaled(b.values[First + i] * a.low[place]);
        high.part += high.scaled(b.values[First + i] * a.high[place]);
        if (i % products_of_int != products_of_int - 1 && i != Step - 1) continue;
        low.take_part(i < products_of_int);
        high.take_part(i < products_of_int);
    }
    rows[0] = low.bits(sums);
    rows[1] = high.bits(sums);
}

/// Registers of a warp: A (or B, transposed) in `tall`, the other in `wide`. False: there are numbers that this code
/// is not made for, and D is not right.
template <bool Half, MatrixElement E, unsigned K, unsigned Step>
ALWAYS_INLINE bool multiply_blocks(const uint32_t* tall, const uint32_t* wide, const uint32_t* c, uint32_t* d,
                                   unsigned talls, unsigned wides) {
    constexpr unsigned wide_words = K / (4 * each_word<E>)*32;
    Extremes elements, sums;
    TallBlock<E, K> a;
    WideBlock<E, K> b;
    for (unsigned i = 0; i < talls; ++i) {
        a.read(tall + i * 2 * wide_words, elements);
        for (unsigned j = 0; j < wides; ++j) {
            b.read(wide + j * wide_words, elements);
#pragma clang loop unroll(disable)
            for (unsigned row = 0; row < 8; ++row) {
                const unsigned from = (i + j) * 2 * Row<Half>::words + row * 4, below = from + Row<Half>::words;
                Words<8> rows[2] = {Row<Half>::read(c + from), Row<Half>::read(c + below)};
                sum_two_rows<Half, 0, Step>(a, b, row * a.row_step, rows, sums);
                if constexpr (Step < K) sum_two_rows<Half, Step, Step>(a, b, row * a.row_step, rows, sums);
                Row<Half>::write(d + from, rows[0]);
                Row<Half>::write(d + below, rows[1]);
            }
        }
    }
    constexpr bool half = E == MatrixElement::f16; // none of its numbers is too small
    return elements.are_within(half ? 1 : least_field, largest_field) && sums.are_within(least_of_sums - bias, 254);
}

} // namespace
} // namespace matrix

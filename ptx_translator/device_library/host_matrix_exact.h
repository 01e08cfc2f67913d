#pragma once

#include "host_matrix_floats.h"

/// Integers of 8 bits, and doubles that are rounded to nearest, by blocks of 8 columns as they lie in the registers of
/// a whole warp, the even columns and then the odd ones.
namespace matrix {
namespace {

using Four = Doubles<4>;

/// Four doubles of one register pair, low words and high words each side by side.
ALWAYS_INLINE Four doubles_at(const uint32_t* registers) {
    const auto low = load<Words<4>>(registers), high = load<Words<4>>(registers + 32);
    return reinterpret_cast<Four>(__builtin_shufflevector(low, high, 0, 4, 1, 5, 2, 6, 3, 7));
}
ALWAYS_INLINE void store_doubles(uint32_t* registers, Four values) {
    const auto words = reinterpret_cast<Words<8>>(values);
    store(registers, __builtin_shufflevector(words, words, 0, 2, 4, 6));
    store(registers + 32, __builtin_shufflevector(words, words, 1, 3, 5, 7));
}

/// 8 or 16 rows, 8 columns; a chain of fma for each element, in the order of k.
ALWAYS_INLINE void multiply_blocks_of_doubles(const MatrixForm& form, const uint32_t* a, const uint32_t* b,
                                              const uint32_t* c, uint32_t* d) {
    constexpr unsigned most_rows = 16, most_k = 16, pair = 64; // words of a register pair
    const unsigned halves = form.m / 8u;
    alignas(most_bytes) double rows[most_rows][most_k];
    Four even[most_k], odd[most_k];
    for (unsigned k = 0; k < form.k; k += 4) {
        for (unsigned half = 0; half < halves; ++half, a += pair)
            for (unsigned row = 0; row < 8; ++row) store(rows[half * 8 + row] + k, doubles_at(a + row * 4));
        Four columns[8];
        for (unsigned i = 0; i < 8; ++i) columns[i] = doubles_at(b + i * 4);
        b += pair;
        for (unsigned i = 0; i < 4; ++i) {
            even[k + i] = Four{columns[0][i], columns[2][i], columns[4][i], columns[6][i]};
            odd[k + i] = Four{columns[1][i], columns[3][i], columns[5][i], columns[7][i]};
        }
    }
    for (unsigned row = 0; row < form.m; ++row) {
        const unsigned at = row / 8 * 2 * pair + row % 8 * 4;
        Four evens = doubles_at(c + at), odds = doubles_at(c + at + pair);
        for (unsigned k = 0; k < form.k; ++k) {
            const double one = rows[row][k];
            const Four value = {one, one, one, one}; // -0, too
            evens = __builtin_elementwise_fma(value, even[k], evens);
            odds = __builtin_elementwise_fma(value, odd[k], odds);
        }
        store_doubles(d + at, evens);
        store_doubles(d + at + pair, odds);
    }
}

/// 16 elements of a row or column, which lie side by side, as pairs of 16 bits.
ALWAYS_INLINE Words<8> pairs_at(const uint32_t* registers, bool is_signed) {
    using Signed = int8_t __attribute__((vector_size(16)));
    using Unsigned = uint8_t __attribute__((vector_size(16)));
    using Shorts = int16_t __attribute__((vector_size(32)));
    return reinterpret_cast<Words<8>>(is_signed ? __builtin_convertvector(load<Signed>(registers), Shorts)
                                                : __builtin_convertvector(load<Unsigned>(registers), Shorts));
}

ALWAYS_INLINE void transpose(Words<8> (&rows)[8]) {
    Words<8> pairs[8], fours[8];
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

/// One instruction.
ALWAYS_INLINE Ints<8> sums_of_products(Words<8> a, Words<8> b) {
    using Shorts = int16_t __attribute__((vector_size(32)));
    const Ints<16> products = __builtin_convertvector(reinterpret_cast<Shorts>(a), Ints<16>) *
                              __builtin_convertvector(reinterpret_cast<Shorts>(b), Ints<16>);
    return __builtin_shufflevector(products, products, 0, 2, 4, 6, 8, 10, 12, 14) +
           __builtin_shufflevector(products, products, 1, 3, 5, 7, 9, 11, 13, 15);
}

/// A (or B, transposed) in `tall`, by 16 rows or 8, the other in `wide`.
ALWAYS_INLINE void multiply_blocks_of_bytes(const uint32_t* tall, const uint32_t* wide, const uint32_t* c, uint32_t* d,
                                            unsigned rows, unsigned columns, unsigned k, bool tall_is_signed,
                                            bool wide_is_signed, bool saturate) {
    constexpr unsigned most_steps = 2, each_step = 8; // pairs of a register's 16 elements
    const unsigned steps = k / 16, halves = rows < 16 ? 1 : 2;
    for (unsigned row_block = 0; row_block < rows; row_block += 8 * halves) {
        alignas(most_bytes) uint32_t a[16][most_steps * each_step];
        for (unsigned step = 0; step < steps; ++step)
            for (unsigned half = 0; half < halves; ++half, tall += 32)
                for (unsigned row = 0; row < 8; ++row)
                    store(a[half * 8 + row] + step * each_step, pairs_at(tall + row * 4, tall_is_signed));
        const uint32_t* column_block = wide;
        for (unsigned column = 0; column < columns; column += 8) {
            Words<8> b[most_steps][each_step];
            for (unsigned step = 0; step < steps; ++step, column_block += 32) {
                constexpr unsigned order[] = {0, 2, 4, 6, 1, 3, 5, 7};
                for (unsigned i = 0; i < 8; ++i) b[step][i] = pairs_at(column_block + order[i] * 4, wide_is_signed);
                transpose(b[step]);
            }
            for (unsigned row = 0; row < 8 * halves; ++row) {
                const unsigned at = row / 8 * 64 + row % 8 * 4;
                Ints<8> sum{};
                for (unsigned step = 0; step < steps; ++step)
                    for (unsigned i = 0; i < each_step; ++i)
                        sum += sums_of_products(Words<8>{} + a[row][step * each_step + i], b[step][i]);
                const Ints<8> addend =
                    __builtin_shufflevector(load<Ints<4>>(c + at), load<Ints<4>>(c + at + 32), 0, 1, 2, 3, 4, 5, 6, 7);
                sum = saturate ? __builtin_elementwise_add_sat(sum, addend)
                               : reinterpret_cast<Ints<8>>(reinterpret_cast<Words<8>>(sum) +
                                                           reinterpret_cast<Words<8>>(addend));
                store(d + at, __builtin_shufflevector(sum, sum, 0, 1, 2, 3));
                store(d + at + 32, __builtin_shufflevector(sum, sum, 4, 5, 6, 7));
            }
            c += 128, d += 128;
        }
    }
}

} // namespace
} // namespace matrix

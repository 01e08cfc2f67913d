#pragma once

#include "host_matrix_floats.h"

/// The same for what most programs multiply: dense matrices of f16, bf16 or tf32, by blocks of 16 rows and 8 columns
/// as they lie in the registers of a whole warp. What has infinities, NaNs or numbers far from 1 is left to
/// multiply_floats.
namespace matrix {
namespace {

using Eight = Floats<8>;
using EightInts = Ints<8>;
using Shorts = uint16_t __attribute__((vector_size(16)));
using Halves = _Float16 __attribute__((vector_size(16)));

/// Exponents are those of f32, biased ("fields"); with these bounds no product, and nothing made of one, leaves f32's
/// normal numbers, and no sum does with an addend of such a size.
constexpr int bias = 127, least_field = bias - 50, largest_field = bias + 60;
constexpr int least_of_sums = 2 * least_field; ///< biased twice
constexpr int largest_of_addends = 247;

/// Elements as they are stored, and their fields as they are packed: less `base`, those of rows `groups` apart in one
/// word. A zero's makes saturating sums less than least_of_sums.
template <MatrixElement E> struct Element;
template <> struct Element<MatrixElement::f16> {
    using Bits = uint16_t;
    using Field = int8_t;
    static constexpr unsigned fraction = 10;
    static constexpr int base = bias - 15;
    static constexpr Bits magnitude = 0x7fff, zero = 0x80, first = 0, end = 0x7c00; ///< none is too small
};
template <> struct Element<MatrixElement::bf16> {
    using Bits = uint16_t;
    using Field = int16_t;
    static constexpr unsigned fraction = 7;
    static constexpr int base = 0;
    static constexpr Bits magnitude = 0x7fff, zero = 0x8000, first = least_field << fraction,
                          end = (largest_field + 1) << fraction;
};
template <> struct Element<MatrixElement::tf32> {
    using Bits = uint32_t;
    using Field = int16_t;
    static constexpr unsigned fraction = 23;
    static constexpr int base = 0;
    static constexpr Bits magnitude = 0x7fffe000, zero = 0x8000, first = least_field << fraction,
                          end = Bits{largest_field + 1} << fraction;
};

template <class T> using Vector = T __attribute__((vector_size(32)));
template <MatrixElement E> using Stored = Vector<typename Element<E>::Bits>;
template <MatrixElement E> using Packed = Vector<typename Element<E>::Field>;
template <MatrixElement E> constexpr unsigned field_bits = 8 * sizeof(typename Element<E>::Field);
template <MatrixElement E> constexpr unsigned groups = 16 * field_bits<E> / 32;
/// Elements of a row in a register of four lanes.
template <MatrixElement E> constexpr unsigned row_step = 16 / sizeof(typename Element<E>::Bits);

/// The largest of some magnitudes, and the least that is not zero.
template <class Bits> struct Extremes {
    Vector<Bits> largest{}, least = Vector<Bits>{} - Bits{1}; ///< less 1

    template <bool HasLeast> ALWAYS_INLINE void see(Vector<Bits> magnitude) {
        largest = magnitude > largest ? magnitude : largest;
        if (!HasLeast) return;
        const Vector<Bits> before = magnitude - Bits{1};
        least = before < least ? before : least;
    }
    ALWAYS_INLINE bool are_within(Bits first, Bits end) const {
        const Vector<Bits> from = Vector<Bits>{} + static_cast<Bits>(first ? first - 1 : 0);
        return __builtin_reduce_and((largest < Vector<Bits>{} + end) & (least >= from)) != 0;
    }
};
template <MatrixElement E> using Seen = Extremes<typename Element<E>::Bits>;

/// Fields of elements as they are packed, each in as many bits as the element has. f16's subnormal numbers have the
/// exponent of the least normal ones, as they have in what a unit aligns.
template <MatrixElement E> ALWAYS_INLINE Stored<E> fields_of(Stored<E> stored, Seen<E>& seen) {
    using Bits = typename Element<E>::Bits;
    const Stored<E> zero{}, magnitude = stored & (zero + Element<E>::magnitude);
    seen.template see<Element<E>::first != 0>(magnitude);
    Stored<E> field = magnitude >> (zero + Bits{Element<E>::fraction});
    if (E == MatrixElement::f16) field = field < zero + Bits{1} ? zero + Bits{1} : field;
    return field | (reinterpret_cast<Stored<E>>(magnitude == zero) & (zero + Element<E>::zero));
}

/// 16 rows of A. Element k of row r is at `place(k) + r % 8 * row_step` of its half, fields are at `field_place(k)` and
/// the group's place.
template <MatrixElement E, unsigned K> struct TallBlock {
    static constexpr unsigned step = row_step<E>, pieces = groups<E> / 2;
    alignas(most_bytes) float values[2][8 * K]; ///< rows 0 to 7 and 8 to 15
    alignas(most_bytes) uint32_t fields[groups<E> * K];

    static constexpr unsigned place(unsigned k) { return k / step * 8 * step + k % step; }
    static constexpr unsigned field_place(unsigned k) { return k / step * groups<E> * step + k % step / 4 * 8 + k % 4; }
    static constexpr unsigned group_place(unsigned group) { return group / 2 * 2 * step + group % 2 * 4; }

    ALWAYS_INLINE void read(const uint32_t* registers, Seen<E>& seen) {
        for (unsigned k = 0; k < K; k += step, registers += 64) {
            for (unsigned half = 0; half < 2; ++half)
                for (unsigned at = 0; at < 8 * step; at += 8)
                    store(values[half] + k * 8 + at, eight_of(registers + half * 32 + at * step_words() / 8));
            for (unsigned piece = 0; piece < pieces; ++piece)
                pack(registers + piece * 8, fields + k * groups<E> + piece * 2 * step, seen);
        }
    }

  private:
    static constexpr unsigned step_words() { return 32 / step; } ///< of eight elements

    static ALWAYS_INLINE Eight eight_of(const uint32_t* words) {
        if constexpr (E == MatrixElement::f16)
            return __builtin_convertvector(load<Halves>(words), Eight);
        else if constexpr (E == MatrixElement::bf16)
            return reinterpret_cast<Eight>(__builtin_convertvector(load<Shorts>(words), Words<8>) << 16);
        else
            return reinterpret_cast<Eight>(load<Words<8>>(words) & ~0x1fffu);
    }
    static ALWAYS_INLINE Stored<E> rows_at(const uint32_t* registers, Seen<E>& seen) {
        Stored<E> rows = fields_of<E>(load<Stored<E>>(registers), seen);
        if constexpr (pieces < 4) rows |= fields_of<E>(load<Stored<E>>(registers + 16), seen) << field_bits<E>;
        return rows;
    }
    static ALWAYS_INLINE void pack(const uint32_t* registers, uint32_t* to, Seen<E>& seen) {
        const Stored<E> upper = rows_at(registers, seen), lower = rows_at(registers + 32, seen);
        if constexpr (E == MatrixElement::tf32) {
            store(to, upper | lower << field_bits<E>);
        } else {
            store(to, __builtin_shufflevector(upper, lower, 0, 16, 1, 17, 2, 18, 3, 19, 8, 24, 9, 25, 10, 26, 11, 27));
            store(to + 8,
                  __builtin_shufflevector(upper, lower, 4, 20, 5, 21, 6, 22, 7, 23, 12, 28, 13, 29, 14, 30, 15, 31));
        }
    }
};

/// 8 columns of B, the even ones and then the odd ones: a vector for each k. A column's field is in all parts of a
/// word.
template <MatrixElement E, unsigned K> struct WideBlock {
    Eight values[K];
    Words<8> fields[K];

    ALWAYS_INLINE void read(const uint32_t* registers, Seen<E>& seen) {
        for (unsigned k = 0; k < K; k += row_step<E>) read_step(registers + k / row_step<E> * 32, k, seen);
    }

  private:
    ALWAYS_INLINE void read_step(const uint32_t* registers, unsigned k, Seen<E>& seen) {
        Stored<E> pairs[4], fours[4]; // of columns
        for (unsigned i = 0; i < 4; ++i) pairs[i] = load<Stored<E>>(registers + i * 8);
        if constexpr (E == MatrixElement::tf32) {
            for (unsigned i = 0; i < 4; i += 2) {
                fours[i] = __builtin_shufflevector(pairs[i], pairs[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
                fours[i + 1] = __builtin_shufflevector(pairs[i], pairs[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
            }
            for (unsigned i = 0; i < 2; ++i) {
                take(k + 2 * i, __builtin_shufflevector(fours[i], fours[i + 2], 0, 1, 8, 9, 4, 5, 12, 13), seen);
                take(k + 2 * i + 1, __builtin_shufflevector(fours[i], fours[i + 2], 2, 3, 10, 11, 6, 7, 14, 15), seen);
            }
        } else {
            for (unsigned i = 0; i < 4; i += 2) {
                const Stored<E> a = pairs[i], b = pairs[i + 1];
                fours[i] = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 8, 24, 9, 25, 10, 26, 11, 27);
                fours[i + 1] =
                    __builtin_shufflevector(a, b, 4, 20, 5, 21, 6, 22, 7, 23, 12, 28, 13, 29, 14, 30, 15, 31);
            }
            for (unsigned i = 0; i < 2; ++i) {
                const Stored<E> a = fours[i], b = fours[i + 2];
                take(k + 4 * i, __builtin_shufflevector(a, b, 0, 1, 16, 17, 8, 9, 24, 25, 2, 3, 18, 19, 10, 11, 26, 27),
                     seen);
                take(k + 4 * i + 2,
                     __builtin_shufflevector(a, b, 4, 5, 20, 21, 12, 13, 28, 29, 6, 7, 22, 23, 14, 15, 30, 31), seen);
            }
        }
    }
    /// All columns of one k, or of two.
    ALWAYS_INLINE void take(unsigned k, Stored<E> stored, Seen<E>& seen) {
        const Stored<E> field = fields_of<E>(stored, seen);
        if constexpr (E == MatrixElement::tf32) {
            values[k] = reinterpret_cast<Eight>(stored & ~0x1fffu);
            fields[k] = field | field << field_bits<E>;
        } else {
            values[k] = floats(__builtin_shufflevector(stored, stored, 0, 1, 2, 3, 4, 5, 6, 7));
            values[k + 1] = floats(__builtin_shufflevector(stored, stored, 8, 9, 10, 11, 12, 13, 14, 15));
            fields[k] = in_all_parts(__builtin_shufflevector(field, field, 0, 1, 2, 3, 4, 5, 6, 7));
            fields[k + 1] = in_all_parts(__builtin_shufflevector(field, field, 8, 9, 10, 11, 12, 13, 14, 15));
        }
    }
    static ALWAYS_INLINE Eight floats(Shorts bits) {
        if (E == MatrixElement::f16) return __builtin_convertvector(reinterpret_cast<Halves>(bits), Eight);
        return reinterpret_cast<Eight>(__builtin_convertvector(bits, Words<8>) << 16);
    }
    static ALWAYS_INLINE Words<8> in_all_parts(Shorts field) {
        const Shorts both = field_bits<E> == 8 ? field | field << 8 : field;
        return reinterpret_cast<Words<8>>(
            __builtin_shufflevector(both, both, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7));
    }
};

/// A row of eight elements of C or D, the even ones and then the odd ones: register pairs (f32) or registers (f16) hold
/// two for each lane.
template <bool Half> struct Row {
    static constexpr unsigned words = Half ? 32 : 64; ///< of eight rows

    static ALWAYS_INLINE Eight read(const uint32_t* registers) {
        if (Half) {
            const auto row = load<Halves>(registers);
            return __builtin_convertvector(__builtin_shufflevector(row, row, 0, 2, 4, 6, 1, 3, 5, 7), Eight);
        }
        const auto even = load<Floats<4>>(registers), odd = load<Floats<4>>(registers + 32);
        return __builtin_shufflevector(even, odd, 0, 1, 2, 3, 4, 5, 6, 7);
    }
    static ALWAYS_INLINE void write(uint32_t* registers, Eight row) {
        if (Half) {
            const auto rounded = reinterpret_cast<Shorts>(__builtin_convertvector(row, Halves));
            const Shorts halves = rounded == 0x8000 ? Shorts{} : rounded; // a zero is +0
            return store(registers, __builtin_shufflevector(halves, halves, 0, 4, 1, 5, 2, 6, 3, 7));
        }
        store(registers, __builtin_shufflevector(row, row, 0, 1, 2, 3));
        store(registers + 32, __builtin_shufflevector(row, row, 4, 5, 6, 7));
    }
};

/// The largest fields, less twice the base, of the products from k = First on, for all 16 rows.
template <unsigned First, unsigned Step, MatrixElement E, unsigned K>
ALWAYS_INLINE void largest_fields(const TallBlock<E, K>& a, const WideBlock<E, K>& b, Packed<E> (&largest)[groups<E>]) {
    using Field = typename Element<E>::Field;
    for (Packed<E>& each : largest) each = Packed<E>{} + static_cast<Field>(least_of_sums - 2 * Element<E>::base);
#pragma clang loop unroll(full)
    for (unsigned k = First; k < First + Step; ++k)
#pragma clang loop unroll(full)
        for (unsigned group = 0; group < groups<E>; ++group) {
            const Words<8> of_rows = Words<8>{} + a.fields[a.field_place(k) + a.group_place(group)];
            const Packed<E> both = __builtin_elementwise_add_sat(reinterpret_cast<Packed<E>>(b.fields[k]),
                                                                 reinterpret_cast<Packed<E>>(of_rows));
            largest[group] = both > largest[group] ? both : largest[group];
        }
}

/// A row of D while its products are summed.
template <MatrixElement E, bool Half> struct RowSum {
    static constexpr uint32_t place_of_one = bias << 23;
    static constexpr int base = 2 * Element<E>::base;
    static constexpr int twice = 2 * bias + kept_bits - base; ///< largest - twice is the sum's last place

    Words<8> scale;
    EightInts part[2]; ///< sums of products_of_int each, the first one with the addend

    /// `largest` are the products' fields, biased twice, less twice the base.
    ALWAYS_INLINE void start(Eight addend, EightInts largest, Extremes<uint32_t>& seen) {
        const Words<8> magnitude = reinterpret_cast<Words<8>>(addend) & 0x7fffffff;
        seen.see<!Half>(magnitude);
        auto field = reinterpret_cast<EightInts>(magnitude >> 23);
        if (Half) { // as in fields_of
            field = field < bias - 14 ? EightInts{} + (bias - 14) : field;
            field |= (magnitude == 0) & -0x8000;
        }
        field += bias - base; // of an f32 zero: below the least
        largest = largest > field ? largest : field;
        scale = reinterpret_cast<Words<8>>(bias + twice - largest) << 23;
        part[0] = scaled(addend);
        part[1] = EightInts{};
    }
    ALWAYS_INLINE EightInts scaled(Eight value) const {
        return __builtin_convertvector(value * reinterpret_cast<Eight>(scale), EightInts);
    }
    ALWAYS_INLINE Words<8> magnitude() const {
        return reinterpret_cast<Words<8>>(__builtin_elementwise_abs(part[0] + part[1]));
    }
    /// A sum below 2^31, cut to 24 bits, or rounded to odd.
    ALWAYS_INLINE Eight small() const {
        const Words<8> sum = magnitude(), sign = reinterpret_cast<Words<8>>(part[0] + part[1]) & 0x80000000;
        // Without the first bit that is lost it is not rounded up.
        const auto kept = reinterpret_cast<EightInts>(sum & ~(sum >> 24));
        const Eight cut = __builtin_convertvector(kept, Eight);
        Words<8> lost{};
        if (Half)
            lost = reinterpret_cast<Words<8>>(__builtin_convertvector(cut, EightInts) !=
                                              reinterpret_cast<EightInts>(sum)) &
                   1;
        return scaled_back(reinterpret_cast<Words<8>>(cut) | sign | lost);
    }
    ALWAYS_INLINE Eight any() const {
        const Doubles<8> first = __builtin_convertvector(part[0], Doubles<8>);
        return scaled_back(
            reinterpret_cast<Words<8>>(cut_sums<8>(first + __builtin_convertvector(part[1], Doubles<8>), Half)));
    }

  private:
    ALWAYS_INLINE Eight scaled_back(Words<8> cut) const {
        return reinterpret_cast<Eight>(cut) * reinterpret_cast<Eight>(2 * place_of_one - scale);
    }
};

constexpr unsigned block_rows = 4; ///< each four from the last

/// Adds the products from k = First on to rows of C; `at` is the place of the first row, `largest` that of its group.
template <bool Half, unsigned First, unsigned Step, MatrixElement E, unsigned K>
ALWAYS_INLINE void sum_rows(const TallBlock<E, K>& a, const WideBlock<E, K>& b, unsigned at, const Packed<E>* largest,
                            Eight (&rows)[block_rows], Extremes<uint32_t>& seen) {
    RowSum<E, Half> sums[block_rows];
#pragma clang loop unroll(full)
    for (unsigned i = 0; i < block_rows; ++i) {
        constexpr unsigned parts = groups<E> / block_rows;
        const auto packed = reinterpret_cast<EightInts>(largest[i % parts * block_rows]);
        const unsigned above = 32 - (i / parts + 1) * field_bits<E>;
        sums[i].start(rows[i], packed << above >> (32 - field_bits<E>), seen);
    }
#pragma clang loop unroll(full)
    for (unsigned k = 0; k < Step; ++k) {
        const unsigned place = at + a.place(First + k);
#pragma clang loop unroll(full)
        for (unsigned i = 0; i < block_rows; ++i) {
            const float value = a.values[i / 2][place + i % 2 * block_rows * a.step];
            sums[i].part[k / products_of_int] += sums[i].scaled(b.values[First + k] * value);
        }
    }
    if constexpr (Step > products_of_int) {
        constexpr uint32_t large = 0x78000000; // what has wrapped around is not below
        Words<8> most{};
#pragma clang loop unroll(full)
        for (const RowSum<E, Half>& sum : sums) most = sum.magnitude() > most ? sum.magnitude() : most;
        if (__builtin_expect(__builtin_reduce_or(most >= large) != 0, 0)) {
#pragma clang loop unroll(full)
            for (unsigned i = 0; i < block_rows; ++i) rows[i] = sums[i].any();
            return;
        }
    }
#pragma clang loop unroll(full)
    for (unsigned i = 0; i < block_rows; ++i) rows[i] = sums[i].small();
}

/// Registers of a warp: A (or B, transposed) in `tall`, the other in `wide`. False: there are numbers that this code
/// is not made for, and D is not right.
template <bool Half, MatrixElement E, unsigned K, unsigned Step>
ALWAYS_INLINE bool multiply_blocks(const uint32_t* tall, const uint32_t* wide, const uint32_t* c, uint32_t* d,
                                   unsigned talls, unsigned wides) {
    constexpr unsigned wide_words = K / row_step<E> * 32, steps = K / Step;
    Seen<E> elements;
    Extremes<uint32_t> addends;
    TallBlock<E, K> a;
    WideBlock<E, K> b;
    for (unsigned i = 0; i < talls; ++i) {
        a.read(tall + i * 2 * wide_words, elements);
        for (unsigned j = 0; j < wides; ++j) {
            b.read(wide + j * wide_words, elements);
            Packed<E> largest[steps][groups<E>];
            largest_fields<0, Step>(a, b, largest[0]);
            if constexpr (steps > 1) largest_fields<Step, Step>(a, b, largest[1]);
#pragma clang loop unroll(disable)
            for (unsigned row = 0; row < block_rows; ++row) {
                const unsigned from = (i + j) * 2 * Row<Half>::words + row * 4;
                const auto place = [&](unsigned n) { return from + n / 2 * Row<Half>::words + n % 2 * 4 * block_rows; };
                Eight rows[block_rows];
                for (unsigned n = 0; n < block_rows; ++n) rows[n] = Row<Half>::read(c + place(n));
                sum_rows<Half, 0, Step>(a, b, row * a.step, largest[0] + row, rows, addends);
                if constexpr (steps > 1)
                    sum_rows<Half, Step, Step>(a, b, row * a.step, largest[1] + row, rows, addends);
                for (unsigned n = 0; n < block_rows; ++n) Row<Half>::write(d + place(n), rows[n]);
            }
        }
    }
    constexpr uint32_t first = Half ? 0 : least_of_sums - bias;
    return elements.are_within(Element<E>::first, Element<E>::end) &&
           addends.are_within(first << 23, uint32_t{largest_of_addends + 1} << 23);
}

} // namespace
} // namespace matrix

#pragma once

#include "matrix_layout.h"

#include <stdint.h>

/// The registers of the lanes that multiply matrices together.
namespace matrix {

/// The registers of a warp: of each lane A, B, C, the metadata and D, one `step` words behind the other; null where no
/// lane is.
struct Warp {
    uint32_t* const* lanes;
    MatrixForm form;
    MatrixWords words;
    unsigned step = 1;

    uint32_t& word(unsigned lane, unsigned number) const { return lanes[lane][number * step]; }

    uint64_t read(unsigned first, Place place, MatrixElement element) const {
        if (!lanes[place.lane]) return 0;
        const unsigned bits = bits_of(element), number = first + place.word;
        const uint32_t low = word(place.lane, number);
        if (bits == 64) return low | static_cast<uint64_t>(word(place.lane, number + 1)) << 32;
        return bits == 32 ? low : low >> place.bit & ((1u << bits) - 1);
    }
    uint64_t a(Place place) const { return read(0, place, form.a); }
    uint64_t b(Place place) const { return read(words.a, place, form.b); }
    uint64_t c(Place place) const { return read(words.a + words.b, place, form.c); }
    uint32_t metadata(unsigned lane) const { return lanes[lane] ? word(lane, words.a + words.b + words.c) : 0; }
    /// A word of block scaling: 0 factors of A, 1 their selector, 2 and 3 the same of B.
    uint32_t scale(unsigned lane, unsigned which) const {
        return lanes[lane] ? word(lane, words.a + words.b + words.c + words.metadata + which) : 0;
    }
    void write(Place place, uint64_t value) const {
        if (!lanes[place.lane]) return;
        const unsigned number = words.sources() + place.word;
        uint32_t& low = word(place.lane, number);
        if (bits_of(form.d) == 16) {
            low = (low & ~(0xffffu << place.bit)) | static_cast<uint32_t>(value) << place.bit;
            return;
        }
        low = static_cast<uint32_t>(value);
        if (bits_of(form.d) == 64) word(place.lane, number + 1) = static_cast<uint32_t>(value >> 32);
    }
};

/// Where a stored element of a sparse A may belong, and which of these places the metadata chooses.
struct Choice {
    unsigned first, step, places, which;
    unsigned position() const { return first + step * which; }
};

/// Of stored element `index` of a row. PTX ISA 9.7.14.6.1: four bits speak of two stored elements (pairs of them for
/// 4-bit types), or of one of tf32.
template <class W> Choice choice_of(const W& warp, unsigned row, unsigned index) {
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
    if (bits == 32) return {2 * chunk, 1, 2, four >> 3 & 1};
    if (bits == 4) return {8 * chunk + index % 2, 2, 4, four >> (index / 2 % 2 * 2) & 3};
    return {4 * chunk, 1, 4, four >> (index % 2 * 2) & 3};
}

inline unsigned position(const Warp& warp, unsigned row, unsigned index) {
    return choice_of(warp, row, index).position();
}

inline unsigned stored_length(const MatrixForm& form) { return form.sparse ? form.k / 2u : form.k; }

/// Elements of A by rows, or of B by columns, as they are stored: element k of a line is
/// lines[line * stride + k * along]. The inverse of place_of_a and place_of_b for elements of at most 32 bits, without
/// a search for each.
template <unsigned Bits, class T>
void unpack_words(const Warp& warp, bool of_b, T* lines, unsigned stride, unsigned along) {
    const MatrixForm& form = warp.form;
    constexpr unsigned each = 32 / Bits;
    constexpr uint32_t mask = Bits == 32 ? ~0u : (1u << Bits % 32) - 1;
    const unsigned count = of_b ? form.n : form.m, length = of_b ? form.k : stored_length(form);
    const unsigned steps = length / each / 4, registers = count * length / (32 * each);
    const unsigned first = of_b ? warp.words.a : 0, spread = 4 * each * along;
    const bool is_tall = of_b == is_transposed(form) && count > 8;
    T* starts[64]; // of a register's numbers, in lane 0
    for (unsigned i = 0, line = 0, step = 0; i < registers; ++i) {
        starts[i] = lines + line * stride + step * spread;
        if (is_tall && i % 2 == 0) {
            line += 8;
            continue;
        }
        if (is_tall) line -= 8;
        if (++step == steps) step = 0, line += is_tall ? 16 : 8;
    }
    for (unsigned lane = 0; lane < 32; ++lane) {
        const uint32_t* words = warp.lanes[lane] ? &warp.word(lane, first) : nullptr;
        const unsigned at = lane / 4 * stride + lane % 4 * each * along;
        for (unsigned i = 0; i < registers; ++i) {
            const uint32_t word = words ? words[i * warp.step] : 0;
            for (unsigned j = 0; j < each; ++j) starts[i][at + j * along] = static_cast<T>(word >> j * Bits & mask);
        }
    }
}

template <class T> void unpack(const Warp& warp, bool of_b, T* lines, unsigned stride, unsigned along = 1) {
    switch (bits_of(of_b ? warp.form.b : warp.form.a)) {
    case 1:
        return unpack_words<1>(warp, of_b, lines, stride, along);
    case 4:
        return unpack_words<4>(warp, of_b, lines, stride, along);
    case 8:
        return unpack_words<8>(warp, of_b, lines, stride, along);
    case 16:
        return unpack_words<16>(warp, of_b, lines, stride, along);
    default:
        return unpack_words<32>(warp, of_b, lines, stride, along);
    }
}

} // namespace matrix

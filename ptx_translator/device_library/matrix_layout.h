#pragma once

#include "ptx/matrix_form.h"

/// Which lane holds which element of a matrix. PTX ISA 9.7.14.5 for mma; for wmma, which the manual leaves open, what
/// an H100 answers: the same pattern, put together for the larger shapes.
namespace matrix {

using namespace ptx;

/// Register `word` of `lane`, from bit `bit` on. An f64 takes two registers.
struct Place {
    unsigned lane, word, bit;
};

/// Elements of a row of A (column of B) lie `each` to a register, four lanes side by side.
struct Along {
    unsigned lane, step, steps, bit, words;
};

constexpr Along along(MatrixElement element, unsigned k, unsigned length) {
    const unsigned bits = bits_of(element), each = bits >= 32 ? 1 : 32 / bits;
    const auto shift = static_cast<unsigned>(__builtin_ctz(each)); // sizes are powers of two: no division
    const unsigned word = k >> shift;
    return {word % 4, word / 4, (length >> shift) / 4, (k & (each - 1)) * bits, bits == 64 ? 2u : 1u};
}

/// The operand with 8 rows or a multiple of 16: eight rows apart is the next register, then k, then sixteen rows.
constexpr Place tall(MatrixElement element, unsigned rows, unsigned length, unsigned row, unsigned k) {
    const Along a = along(element, k, length);
    const unsigned word = rows == 8 ? a.step : (row / 8 & 1) + 2 * a.step + row / 16 * 2 * a.steps;
    return {row % 8 * 4 + a.lane, word * a.words, a.bit};
}

/// The operand with 8 or 16 columns.
constexpr Place wide(MatrixElement element, unsigned length, unsigned k, unsigned column) {
    const Along a = along(element, k, length);
    return {column % 8 * 4 + a.lane, (a.step + a.steps * (column / 8)) * a.words, a.bit};
}

constexpr Place accumulator(MatrixElement element, unsigned row, unsigned column) {
    const unsigned index = column % 2 + 2 * (row / 8) + 4 * (column / 8), lane = row % 8 * 4 + column % 8 / 2;
    switch (bits_of(element)) {
    case 64:
        return {lane, 2 * index, 0};
    case 16:
        return {lane, index / 2, index % 2 * 16};
    default:
        return {lane, index, 0};
    }
}

/// wmma.m8n32 is m32n8 with the roles of A and B exchanged.
constexpr bool is_transposed(const MatrixForm& form) { return form.m == 8 && form.n == 32; }

/// `length` is the stored part of a row: half of k where A is sparse.
constexpr Place place_of_a(const MatrixForm& form, unsigned length, unsigned row, unsigned k) {
    return is_transposed(form) ? wide(form.a, length, k, row) : tall(form.a, form.m, length, row, k);
}
constexpr Place place_of_b(const MatrixForm& form, unsigned k, unsigned column) {
    return is_transposed(form) ? tall(form.b, form.n, form.k, column, k) : wide(form.b, form.k, k, column);
}
constexpr Place place_of_accumulator(const MatrixForm& form, MatrixElement element, unsigned row, unsigned column) {
    return is_transposed(form) ? accumulator(element, column, row) : accumulator(element, row, column);
}

/// mma.m8n8k4 of f16: four multiplications, each of 8 lanes: four and the four 16 further. PTX ISA 9.7.14.5.1.
constexpr Place pair_input(bool along_k, unsigned pair, unsigned index, unsigned k) {
    const unsigned lane = pair * 4 + 16 * (index / 4);
    return along_k ? Place{lane + index % 4, k / 2, k % 2 * 16} : Place{lane + k, index % 4 / 2, index % 2 * 16};
}
constexpr Place pair_accumulator(MatrixElement element, unsigned pair, unsigned row, unsigned column) {
    const unsigned lane = pair * 4 + 16 * (row / 4);
    if (bits_of(element) == 16) return {lane + row % 4, column / 2, column % 2 * 16};
    return {lane + (row & 1) + (column & 2), (column & 4) + (row & 2) + (column & 1), 0};
}

} // namespace matrix

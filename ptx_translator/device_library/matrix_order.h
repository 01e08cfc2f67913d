#pragma once

#include "matrix_float.h"

/// In which order, and in which types, an H100 sums what one element of D is made of.
namespace matrix {

/// How the products of one element of D are summed: in groups of `step`, one after the other.
struct Order {
    unsigned step;
    MatrixElement inner; ///< type of the sums
    bool from_zero;      ///< the addend comes last, by an addition of its own
};

/// fp8, which Hopper's mma.sync computes through f16: the first pairs of every four elements, then the others. wmma of
/// tf32 is two instructions of k = 4; with accumulators of two types it converts around an instruction of f32.
/// What has a .kind is one sum over all of k.
inline Order order_of(const MatrixForm& form, unsigned length) {
    if (form.kind) return {length, form.d, false};
    if (bits_of(form.a) == 8) return {length / 2, form.d, true};
    const bool halves = form.family == MatrixFamily::wmma && form.a == MatrixElement::tf32;
    return {halves ? 4 : length, form.c == form.d ? form.d : MatrixElement::f32, false};
}

/// The i-th element to be summed.
inline unsigned ordered(const MatrixForm& form, unsigned length, unsigned i) {
    if (form.kind || bits_of(form.a) != 8) return i;
    const unsigned pair = i / (length / 2), at = i % (length / 2);
    return at / 2 * 4 + at % 2 + 2 * pair;
}

inline uint32_t start_of(const MatrixForm& form, const Order& order, uint32_t c) {
    if (order.from_zero) return 0;
    return form.c == order.inner ? c : __builtin_bit_cast(uint32_t, float_of(c, form.c));
}

inline uint32_t end_of(const MatrixForm& form, const Order& order, uint32_t sum, uint32_t c) {
    const bool half = form.d == MatrixElement::f16;
    if (order.from_zero) {
        const float total = float_of(sum, form.d) + float_of(c, form.c);
        if (half) return half_of(total);
        return total != total ? 0x7fffffff : __builtin_bit_cast(uint32_t, total);
    }
    if (!half || order.inner != MatrixElement::f32) return sum;
    // wmma's .satfinite acts where f32 becomes f16 alone, and makes that a cut, which never overflows.
    return half_of(__builtin_bit_cast(float, sum), form.saturate);
}

/// An element of an integer matrix.
inline int64_t integer_of(uint64_t bits, MatrixElement element) {
    switch (element) {
    case MatrixElement::s8:
        return static_cast<int8_t>(bits);
    case MatrixElement::s4:
        return static_cast<int64_t>(bits ^ 8) - 8;
    default:
        return static_cast<int64_t>(bits);
    }
}

} // namespace matrix

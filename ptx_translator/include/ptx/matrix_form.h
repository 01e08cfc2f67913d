#pragma once

#include <stdint.h>

/// What one warp-level matrix multiplication D = A * B + C is: shape, element types, layouts. PTX ISA 9.7.14.
/// Travels as one number from the neutral IR (`cuttle.mma.*`, docs/neutral_ir.md) to the code that computes it.
namespace ptx {

/// e3m2 and e2m3 lie in the low bits of a byte, e2m1 in the middle of one; e2m1_packed is eight e2m1 to a register.
enum class MatrixElement : uint8_t {
    f16,
    bf16,
    tf32,
    f32,
    f64,
    e4m3,
    e5m2,
    s8,
    u8,
    s4,
    u4,
    b1,
    s32,
    e3m2,
    e2m3,
    e2m1,
    e2m1_packed
};

/// Who holds which element: mma and mma.sp of 8 columns; mma.m8n8k4 of f16, four multiplications side by side; wmma.
enum class MatrixFamily : uint8_t { mma, quad_pair, wmma };

/// Of the f64 forms.
enum class MatrixRounding : uint8_t { rn, rz, rm, rp };

/// Type of the factors of .block_scale.
enum class MatrixScale : uint8_t { none, ue8m0, ue4m3 };

struct MatrixForm {
    MatrixFamily family = MatrixFamily::mma;
    uint16_t m = 0, n = 0, k = 0;
    MatrixElement a = MatrixElement::f16, b = MatrixElement::f16, c = MatrixElement::f32, d = MatrixElement::f32;
    bool a_column_major = false, b_column_major = true;
    bool saturate = false;    ///< .satfinite
    bool conjunction = false; ///< .and.popc, else .xor.popc; b1 alone
    bool sparse = false;      ///< A is half zeros, and metadata says which half
    uint8_t selector = 0;     ///< of sparse forms: which lanes give the metadata
    MatrixRounding rounding = MatrixRounding::rn;
    bool kind = false; ///< has a .kind: summed as sm_120 does, not as an H100
    MatrixScale scale = MatrixScale::none;
    uint8_t scale_columns = 0; ///< factors for a row of A and for a column of B: 1, 2 or 4

    constexpr uint64_t encode() const;
    static constexpr MatrixForm decode(uint64_t number);
};

constexpr unsigned bits_of(MatrixElement element) {
    switch (element) {
    case MatrixElement::f64:
        return 64;
    case MatrixElement::tf32:
    case MatrixElement::f32:
    case MatrixElement::s32:
        return 32;
    case MatrixElement::f16:
    case MatrixElement::bf16:
        return 16;
    case MatrixElement::e4m3:
    case MatrixElement::e5m2:
    case MatrixElement::s8:
    case MatrixElement::u8:
    case MatrixElement::e3m2:
    case MatrixElement::e2m3:
    case MatrixElement::e2m1:
        return 8;
    case MatrixElement::s4:
    case MatrixElement::u4:
    case MatrixElement::e2m1_packed:
        return 4;
    case MatrixElement::b1:
        return 1;
    }
    return 0;
}

/// 32-bit registers of one lane that hold an operand; an f64 takes two. Of block scaling: the factors of A, byte-id-a
/// with thread-id-a above it, and the same of B.
struct MatrixWords {
    unsigned a, b, c, d, metadata, scales;
    constexpr unsigned sources() const { return a + b + c + metadata + scales; }
};

constexpr unsigned thread_id_shift = 16; ///< in a word of block scaling

constexpr MatrixWords words_of(const MatrixForm& form) {
    const unsigned lanes_bits = form.family == MatrixFamily::quad_pair ? 32 * 32 / 4 : 32 * 32;
    auto words = [&](unsigned rows, unsigned columns, MatrixElement element) {
        return rows * columns * bits_of(element) / lanes_bits;
    };
    MatrixWords out{words(form.m, form.sparse ? form.k / 2u : form.k, form.a),
                    words(form.k, form.n, form.b),
                    words(form.m, form.n, form.c),
                    words(form.m, form.n, form.d),
                    form.sparse ? 1u : 0u,
                    form.scale != MatrixScale::none ? 4u : 0u};
    // wmma's f16 fragments are as big for all shapes: elements are held more than once. PTX ISA 9.7.14.3.1.
    if (form.family == MatrixFamily::wmma && form.a == MatrixElement::f16) out.a = out.b = 8;
    return out;
}

constexpr uint64_t MatrixForm::encode() const {
    uint64_t number = 0;
    unsigned place = 0;
    auto add = [&](uint64_t value, unsigned bits) { number |= value << place, place += bits; };
    add(static_cast<uint64_t>(family), 2), add(m, 6), add(n, 6), add(k, 9);
    const MatrixElement elements[] = {a, b, c, d};
    for (MatrixElement element : elements) add(static_cast<uint64_t>(element), 5);
    add(a_column_major, 1), add(b_column_major, 1), add(saturate, 1), add(conjunction, 1), add(sparse, 1);
    add(selector, 2), add(static_cast<uint64_t>(rounding), 2);
    add(kind, 1), add(static_cast<uint64_t>(scale), 2), add(scale_columns, 3);
    return number;
}

constexpr MatrixForm MatrixForm::decode(uint64_t number) {
    auto take = [&](unsigned bits) {
        const uint64_t value = number & ((uint64_t{1} << bits) - 1);
        number >>= bits;
        return static_cast<uint16_t>(value);
    };
    MatrixForm form;
    form.family = static_cast<MatrixFamily>(take(2));
    form.m = take(6), form.n = take(6), form.k = take(9);
    MatrixElement* const elements[] = {&form.a, &form.b, &form.c, &form.d};
    for (MatrixElement* element : elements) *element = static_cast<MatrixElement>(take(5));
    form.a_column_major = take(1), form.b_column_major = take(1), form.saturate = take(1), form.conjunction = take(1);
    form.sparse = take(1);
    form.selector = static_cast<uint8_t>(take(2));
    form.rounding = static_cast<MatrixRounding>(take(2));
    form.kind = take(1);
    form.scale = static_cast<MatrixScale>(take(2));
    form.scale_columns = static_cast<uint8_t>(take(3));
    return form;
}

} // namespace ptx

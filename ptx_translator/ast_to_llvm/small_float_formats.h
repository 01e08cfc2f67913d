#pragma once

#include "ast/ast.h"

/// The floating-point formats narrower than .f32 that cvt makes of packed values. PTX ISA 5.2.3.
namespace ptx::ast_to_llvm {

/// A format of sign, exponent and fraction.
struct SmallFloat {
    Type pair, four; ///< two and four elements packed; Type::none where PTX has no such type
    unsigned fraction_bits;
    int bias;
    unsigned largest;      ///< code of the largest finite number
    unsigned infinity;     ///< its code, 0 where there is none
    unsigned nan;          ///< the code that results hold; 0 where there is none: then NaN gives the largest number
    unsigned sign;         ///< sign bit of an element, in its place
    unsigned element_bits; ///< how far elements lie apart
};

// clang-format off
inline constexpr SmallFloat small_floats[] = {
    {Type::e4m3x2, Type::e4m3x4,  3,   7, 0x7e,   0,      0x7f,   0x80,    8},
    {Type::e5m2x2, Type::e5m2x4,  2,  15, 0x7b,   0x7c,   0x7f,   0x80,    8},
    {Type::e2m3x2, Type::e2m3x4,  3,   1, 0x1f,   0,      0,      0x20,    8},
    {Type::e3m2x2, Type::e3m2x4,  2,   3, 0x1f,   0,      0,      0x20,    8},
    {Type::e2m1x2, Type::e2m1x4,  1,   1, 0x07,   0,      0,      0x08,    4},
    {Type::f16x2,  Type::none,   10,  15, 0x7bff, 0x7c00, 0x7fff, 0x8000, 16},
    {Type::bf16x2, Type::none,    7, 127, 0x7f7f, 0x7f80, 0x7fff, 0x8000, 16},
};
// clang-format on

/// nullptr for other types.
constexpr const SmallFloat* small_float(Type packed) {
    for (const SmallFloat& format : small_floats)
        if (format.pair == packed || (format.four == packed && packed != Type::none)) return &format;
    return nullptr;
}

} // namespace ptx::ast_to_llvm

#pragma once

#include "ast_to_llvm/operation.h"

/// The 4-, 6- and 8-bit floating-point formats, which PTX only converts and multiplies as matrices. PTX ISA 5.2.3.
namespace ptx::ast_to_llvm {

bool is_small_float(Type);
/// cvt between packed small floats and f32, f16x2, bf16x2.
void convert_small_floats(const Operation&, Type to, Type from);
/// cvt.rs of floats to two or four packed values of any format narrower than .f32.
void convert_stochastic(const Operation&, Type to);

} // namespace ptx::ast_to_llvm

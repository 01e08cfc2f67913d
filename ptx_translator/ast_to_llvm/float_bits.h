#pragma once

#include "ast_to_llvm/operation.h"

/// What PTX says about the bits of floating-point values and LLVM's operations do not: subnormals, saturation, directed
/// rounding, and bfloat16, which is computed with as float and whose storage is an integer, so that no target needs the
/// type. All functions take vectors too.
namespace ptx::ast_to_llvm {

enum class Rounding : uint8_t { rn, rz, rm, rp };

/// By the modifiers .rn, .rz, .rm, .rp and their integral forms .rni ...; nearest even when there is none.
Rounding rounding_of(const Instruction&);
const char* suffix_of(Rounding); ///< "rz"

/// Source n of this type as a value to compute with: half, float, double or a vector of these; bf16 as float.
llvm::Value* read_float(const Operation&, size_t n, Type, bool ftz);
/// Rounds a computed value where the type is narrower (bf16), and writes it.
void write_float(const Operation&, llvm::Value*, Type, Rounding = Rounding::rn);

llvm::Value* flush_subnormal(llvm::IRBuilder<>&, llvm::Value*); ///< .ftz: to zero of the same sign
llvm::Value* saturate(llvm::IRBuilder<>&, llvm::Value*);        ///< .sat: to [+0, 1]; NaN to +0
llvm::Value* clamp_negative(llvm::IRBuilder<>&, llvm::Value*);  ///< .relu: below zero to +0; NaN stays
llvm::Value* is_nan(llvm::IRBuilder<>&, llvm::Value*);

/// iN, or a vector of iN, of the same shape.
llvm::Type* integer_type(llvm::Type*);
llvm::Value* as_integer(llvm::IRBuilder<>&, llvm::Value*);

/// The bits of bf16 numbers as floats.
llvm::Value* widen_bfloat(llvm::IRBuilder<>&, llvm::Value* bits);
/// Rounds floats to bf16. NaN becomes 0x7fff.
llvm::Value* round_to_bfloat(llvm::IRBuilder<>&, llvm::Value*, Rounding);
/// Rounds to the narrower format `to` (a type or vector type of half or float) once.
llvm::Value* narrow(llvm::IRBuilder<>&, llvm::Value*, llvm::Type* to, Rounding);
/// Rounds double to float such that a further rounding to at most 22 bits is as right as one of the original.
llvm::Value* narrow_to_odd(llvm::IRBuilder<>&, llvm::Value*);
/// a * b + c in double, rounded likewise. The product must be exact.
llvm::Value* fma_to_odd(llvm::IRBuilder<>&, llvm::Value* a, llvm::Value* b, llvm::Value* c);

} // namespace ptx::ast_to_llvm

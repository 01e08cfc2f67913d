#pragma once

#include "ast_to_llvm/emitter.h"

namespace ptx::ast_to_llvm {

/// PTX ISA 9.7.1: integers and packed integers.
void lower_integer_arithmetic(Emitter&, const Instruction&);
/// PTX ISA 9.7.2: the carry flag is read, written or both.
void lower_extended(Emitter&, const Instruction&);
/// PTX ISA 9.7.3 to 9.7.5: floating point of every width.
void lower_floating_arithmetic(Emitter&, const Instruction&);

} // namespace ptx::ast_to_llvm

#pragma once

#include "ast_to_llvm/emitter.h"

#include <vector>

namespace ptx::ast_to_llvm {

/// The operands an instruction with .v2/.v4/.v8 reads or writes one by one: the elements of `{a, b}`, or the components
/// of a vector register; the operand itself when there is no vector. Throws when their number is not `lanes`.
std::vector<Operand> elements_of(const Operand&, unsigned lanes);
/// The address `bytes` behind this one.
Operand advanced(const Operand& address, int64_t bytes);

} // namespace ptx::ast_to_llvm

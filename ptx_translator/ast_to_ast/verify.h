#pragma once

#include "ast/ast.h"

namespace ptx {

/// Appends to Function::errors what is wrong with the instructions of a module: forms that isa/instructions.def does
/// not list for their opcode (an opcode without any row passes), guards that are no predicates, registers of the wrong
/// width, unknown lists and prototypes. Parse errors that are there already stay. Never throws.
void verify(Module&);

} // namespace ptx

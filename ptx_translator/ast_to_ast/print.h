#pragma once

#include "ast/ast.h"

#include <string>

namespace ptx {

/// The module as PTX text again, which parse() takes. Scopes are flat: where a body has a name twice, later ones get a
/// number. Comments, .pragma, debug sections and texture properties are gone; broken instructions too.
std::string print(const Module&);
std::string print(const Function&, const Instruction&);

} // namespace ptx

#pragma once

#include "ast/ast.h"

#include <memory>
#include <vector>

namespace ptx {

/// Makes one module of the texts of a -rdc=true program (PTX ISA 11.6): extern declarations meet their definitions,
/// strong definitions win over weak and those over common ones, internal names that clash get a new name. Throws Error
/// when a name has two strong definitions, is a function here and a variable there, or is declared otherwise than it is
/// defined. One module passes through, but for variables that it only declares: they become definitions.
/// What stays undeclared or undefined is left to the passes that follow.
std::unique_ptr<Module> link(std::vector<std::unique_ptr<Module>> modules);

} // namespace ptx

#pragma once

#include "ast/ast.h"

#include <string>

namespace ptx {

/// The syntax tree as text that looks like PTX, for people. What no instruction can change is left out.
std::string dump_ast(const Module&);

} // namespace ptx

#pragma once

#include "ast/ast.h"

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace ptx {

/// Reads one PTX text (PTX ISA 9.0 and all before). Throws ptx::Error when the text as a whole is no module; what is
/// wrong inside a function body goes to Function::errors. `source` is what positions carry.
std::unique_ptr<Module> parse(std::string_view text, uint16_t source = 0);

/// Which functions of an outline are to be read in full.
using Choice = std::function<std::vector<const Function*>(const Module& outline)>;

/// Reads an outline first, in which only those instructions stand that name symbols (calls, variables), which is what
/// call graphs and layouts look at; then the bodies that `choose` wants. The others keep Function::abridged.
std::unique_ptr<Module> parse(std::string_view text, uint16_t source, Choice choose);

} // namespace ptx

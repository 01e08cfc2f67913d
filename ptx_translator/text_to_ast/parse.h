#pragma once

#include "ast/ast.h"

#include <memory>
#include <string_view>

namespace ptx {

/// Reads one PTX text (PTX ISA 9.0 and all before). Throws ptx::Error when the text as a whole is no module; what is
/// wrong inside a function body goes to Function::errors. `source` is what positions carry.
std::unique_ptr<Module> parse(std::string_view text, uint16_t source = 0);

} // namespace ptx

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

struct Reading {
    /// When set, an outline is read first, in which only those instructions stand that name symbols (calls, variables),
    /// which is what call graphs and layouts look at; then the bodies that it wants. The others keep
    /// Function::abridged.
    Choice choose;
    /// Called at the end of each body, so that a caller may check it and drop what it needs no longer while the rest of
    /// the text is read. Of the module only the header is there for certain. Instructions that name a symbol that is
    /// unresolved must stay: it may be declared later.
    std::function<void(const Module&, Function&)> end_of_body;
};

std::unique_ptr<Module> parse(std::string_view text, uint16_t source, Reading reading);

} // namespace ptx

#pragma once

#include "ast/ast.h"

namespace ptx {

/// Leaves of a body what call graphs, linking and the layout of globals look at, so that a module of any size can be
/// known without its code: the first instruction that names a function or module variable, indirect calls (one for each
/// list of targets), those lists, and variables of .global and .const. Instructions with unresolved names all stay, as
/// end_of_body of Reading wants it. Errors stay. Sets Function::abridged.
void abridge(Function&);

} // namespace ptx

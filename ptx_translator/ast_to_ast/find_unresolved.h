#pragma once

#include "ast_to_ast/call_graph.h"
#include "ptx/image.h"

namespace ptx {

/// Lists in ModuleInfo::unresolved what code calls or takes the address of and nothing defines, neither the module nor
/// the device (isa/runtime_functions.h), and gives each function that does so an error; not for a Variable::assumed.
void find_unresolved(Module&, const CallGraph&, ModuleInfo&);

} // namespace ptx

#pragma once

#include "ast/ast.h"
#include "ast_to_ast/call_graph.h"
#include "ptx/image.h"

#include <string>

namespace ptx {

/// Places every .global and .const variable in one block and fills globals, relocations, initial_data, block_size and
/// functions_in_data of the ModuleInfo. The layout depends on the module alone: initialised variables come first, so
/// that initial_data is short, each group in the order of the text. Offsets are aligned as declared, at least to 16
/// bytes from 16 bytes on; the block itself wants the alignment that allocations have (256 bytes and up).
///
/// Kernels whose address is taken come last.
///
/// Functions that use a variable which nobody defines, or whose initial value cannot be made, get a Diagnostic, and
/// such variables join ModuleInfo::unresolved. Throws Error when the block would exceed 2^46 bytes.
void layout_globals(Module&, const CallGraph&, ModuleInfo&);

/// The name in ModuleInfo::globals of a .global or .const variable of a function body: by its place in the text, which
/// is the same however much of the body was read. Not a name PTX can spell.
std::string name_of_local_global(const Function&, const Variable& local);

} // namespace ptx

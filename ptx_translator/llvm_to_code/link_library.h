#pragma once

#include <string_view>

namespace llvm {
class Module;
}

namespace ptx::code {

/// Links what the module calls of a device library's bitcode; the functions become internal. `prefix` is what that
/// library's names begin with: without a declaration of such a name there is nothing to do.
void link_library(llvm::Module&, std::string_view prefix, std::string_view bitcode);

} // namespace ptx::code

#include "ast_to_ast/prepare.h"
#include "ptx/translate.h"

namespace ptx {

ModuleInfo index(std::span<const std::string_view> sources) { return prepare_outline(sources).info; }

} // namespace ptx

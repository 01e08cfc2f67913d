#pragma once

#include "ast/ast.h"
#include "ast_to_ast/call_graph.h"
#include "ptx/image.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

namespace ptx {

/// A module ready to be lowered, and what is known about it without lowering.
struct Prepared {
    std::unique_ptr<Module> module;
    ModuleInfo info;
    std::optional<CallGraph> calls;                           ///< of `module`; always there
    std::unordered_map<std::string, uint64_t> global_offsets; ///< by GlobalInfo::name
    std::unordered_map<std::string, size_t> kernel_indices;   ///< of info.kernels, by name

    /// Offset of a module-scope .global or .const variable; throws Error when there is none.
    uint64_t offset_of(const std::string& variable, Position where = {}) const;
    /// Why `root` cannot be translated: the first error of a function it reaches, or nothing. In the form of
    /// KernelInfo::error: "line 3, column 7: text", after "callee: " when it is not in `root` itself.
    std::string error_of(const Function& root) const;
};

/// Parses, verifies, links and lays out. Throws Error when a text is no module or the texts do not link.
Prepared prepare(std::span<const std::string_view> sources);

/// The same, everything checked, but of each body no more is kept than abridge() leaves: memory follows the number of
/// functions.
Prepared prepare_outline(std::span<const std::string_view> sources);

/// The same for a translation of these kernels and functions (none: all of them): of functions that they do not reach
/// little more than the names is read, and their errors stay unknown.
Prepared prepare(std::span<const std::string_view> sources, const std::vector<std::string>& kernels,
                 const std::vector<std::string>& functions);

} // namespace ptx

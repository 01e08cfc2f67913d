#include "ast_to_ast/prepare.h"

#include "ast_to_ast/abridge.h"
#include "ast_to_ast/find_unresolved.h"
#include "ast_to_ast/grid_group.h"
#include "ast_to_ast/layout_globals.h"
#include "ast_to_ast/link_modules.h"
#include "ast_to_ast/parameter_layout.h"
#include "ast_to_ast/verify.h"
#include "text_to_ast/parse.h"

#include <algorithm>
#include <unordered_set>

namespace ptx {
namespace {

std::array<uint32_t, 3> values_of(const Function& function, const char* directive) {
    std::array<uint32_t, 3> out{0, 0, 0};
    if (const PerformanceDirective* found = function.directive(directive))
        std::copy_n(found->values.begin(), std::min<size_t>(found->values.size(), 3), out.begin());
    return out;
}

KernelInfo describe(Function& function) {
    KernelInfo out;
    out.name = function.name;
    out.max_threads = values_of(function, "maxntid");
    out.required_threads = values_of(function, "reqntid");
    out.min_blocks_per_multiprocessor = values_of(function, "minnctapersm")[0];
    out.cluster = values_of(function, "reqnctapercluster");
    out.explicit_cluster = function.directive("explicitcluster") != nullptr;
    out.max_cluster_rank = values_of(function, "maxclusterrank")[0];
    try {
        ParameterLayout layout = layout_parameters(function.parameters);
        out.parameters = std::move(layout.parameters);
        out.parameter_bytes = layout.bytes;
    } catch (const Error& error) {
        function.errors.push_back(error.diagnostic());
    }
    return out;
}

std::string all_messages(const Module& module) {
    std::string out;
    for (const auto& function : module.functions)
        for (const Diagnostic& diagnostic : function->errors)
            out += (diagnostic.severity == Severity::warning ? "warning: " : "") + diagnostic.text() + "\n";
    return out;
}

/// Verified: the errors of a body are known.
std::unique_ptr<Module> parse_whole(std::string_view text, size_t source) {
    auto module = parse(text, static_cast<uint16_t>(source));
    verify(*module);
    return module;
}

/// Verified and abridged.
std::unique_ptr<Module> parse_outline(std::string_view text, size_t source) {
    BodyVerifier verify_body;
    return parse(text, static_cast<uint16_t>(source), {nullptr, [&](const Module& header, Function& function) {
                                                           verify_body(header, function);
                                                           abridge(function);
                                                       }});
}

/// A text of which only what the roots reach is read in full: time and memory follow what is needed.
std::unique_ptr<Module> parse_needed(std::string_view text, const std::vector<std::string>& kernels,
                                     const std::vector<std::string>& functions) {
    BodyVerifier verify_body;
    const auto end_of_body = [&](const Module& header, Function& function) {
        function.abridged ? abridge(function) : verify_body(header, function);
    };
    const auto choose = [&](const Module& outline) {
        const CallGraph calls(outline);
        std::vector<const Function*> needed;
        std::unordered_set<const Function*> seen;
        for (const std::vector<std::string>* roots : {&kernels, &functions})
            for (const std::string& root : *roots)
                if (const Function* found = calls.find(root))
                    for (const Function* function : calls.reachable(*found))
                        if (seen.insert(function).second) needed.push_back(function);
        return needed;
    };
    return parse(text, 0, {choose, end_of_body});
}

std::string first_error(const Module& module) {
    for (const auto& function : module.functions)
        for (const Diagnostic& diagnostic : function->errors)
            if (diagnostic.severity == Severity::error) return diagnostic.text();
    return {};
}

} // namespace

uint64_t Prepared::offset_of(const std::string& variable, Position where) const {
    const auto found = global_offsets.find(variable);
    if (found == global_offsets.end()) throw Error(where, "variable '" + variable + "' is defined nowhere");
    return found->second;
}

std::string Prepared::error_of(const Function& root) const {
    for (const Function* function : calls->reachable(root))
        for (const Diagnostic& diagnostic : function->errors) {
            if (diagnostic.severity != Severity::error) continue;
            return (function == &root ? "" : function->name + ": ") + diagnostic.text();
        }
    return {};
}

namespace {

Prepared describe(std::vector<std::unique_ptr<Module>> modules) {
    Prepared out;
    out.module = link(std::move(modules));
    out.info.version = out.module->version_major * 10 + out.module->version_minor;
    out.info.target = out.module->target;
    out.calls.emplace(*out.module);
    out.info.wrong = first_error(*out.module);
    find_unresolved(*out.module, *out.calls, out.info);
    layout_globals(*out.module, *out.calls, out.info);
    for (const GlobalInfo& global : out.info.globals) out.global_offsets.emplace(global.name, global.offset);
    for (const auto& function : out.module->functions) {
        if (!function->is_entry || !function->has_body) continue;
        out.kernel_indices.emplace(function->name, out.info.kernels.size());
        out.info.kernels.push_back(describe(*function));
    }
    for (KernelInfo& kernel : out.info.kernels) kernel.error = out.error_of(*out.calls->find(kernel.name));
    out.info.diagnostics = all_messages(*out.module);
    return out;
}

template <class Parse> Prepared prepare_each(std::span<const std::string_view> sources, Parse&& parse_text) {
    std::vector<std::unique_ptr<Module>> modules;
    for (size_t i = 0; i < sources.size(); ++i) modules.push_back(parse_text(sources[i], i));
    for (const auto& module : modules)
        if (const std::string_view functions = grid_group_functions(*module); !functions.empty()) {
            modules.push_back(parse_whole(functions, sources.size()));
            break;
        }
    return describe(std::move(modules));
}

} // namespace

Prepared prepare(std::span<const std::string_view> sources) { return prepare_each(sources, parse_whole); }

Prepared prepare_outline(std::span<const std::string_view> sources) { return prepare_each(sources, parse_outline); }

Prepared prepare(std::span<const std::string_view> sources, const std::vector<std::string>& kernels,
                 const std::vector<std::string>& functions) {
    // Linking renames functions, so that one text alone can be read by name.
    if (sources.size() != 1 || (kernels.empty() && functions.empty())) return prepare(sources);
    return prepare_each(sources, [&](std::string_view text, size_t) { return parse_needed(text, kernels, functions); });
}

} // namespace ptx

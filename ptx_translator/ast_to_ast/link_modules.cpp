#include "ast_to_ast/link_modules.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

namespace ptx {
namespace {

using Names = std::unordered_map<std::string, std::string>;

/// How a name insists on its own definition.
enum class Strength : uint8_t { declaration, common, weak, strong };

Strength strength_of(const Function& function) {
    if (!function.has_body) return Strength::declaration;
    return function.linkage == Linkage::weak ? Strength::weak : Strength::strong;
}

Strength strength_of(const Variable& variable) {
    switch (variable.linkage) {
    case Linkage::external:
        return Strength::declaration;
    case Linkage::common:
        return Strength::common;
    case Linkage::weak:
        return Strength::weak;
    case Linkage::internal:
    case Linkage::visible:
        break;
    }
    return Strength::strong;
}

void rename_in(Operand& operand, const Names& names) {
    const bool global_name =
        operand.symbol_kind == Operand::SymbolKind::module || operand.symbol_kind == Operand::SymbolKind::function;
    if (operand.kind == Operand::Kind::symbol && global_name)
        if (const auto found = names.find(operand.name); found != names.end()) operand.name = found->second;
    for (Operand& element : operand.elements) rename_in(element, names);
}

void rename_in(std::vector<Variable>& variables, const Names& names) {
    for (Variable& variable : variables)
        for (Relocation& relocation : variable.relocations)
            if (const auto found = names.find(relocation.symbol); found != names.end())
                relocation.symbol = found->second;
}

void rename_in(std::string& name, const Names& names) {
    if (const auto found = names.find(name); found != names.end()) name = found->second;
}

void rename_in(Module& module, const Names& names) {
    rename_in(module.variables, names);
    for (Variable& variable : module.variables) rename_in(variable.name, names);
    for (Alias& alias : module.aliases) {
        rename_in(alias.name, names);
        rename_in(alias.target, names);
    }
    for (const auto& function : module.functions) {
        rename_in(function->name, names);
        rename_in(function->locals, names);
        for (CallTargets& targets : function->call_targets)
            for (std::string& name : targets.functions) rename_in(name, names);
        for (Instruction& instruction : function->instructions)
            for (Operand& operand : instruction.operands) rename_in(operand, names);
    }
}

bool is_internal(const Variable& variable) { return variable.linkage == Linkage::internal; }
bool is_internal(const Function& function) { return function.linkage == Linkage::internal && function.has_body; }

/// Every name that code or data of a module uses.
class UsedNames {
  public:
    explicit UsedNames(const Module& module) {
        for (const Alias& alias : module.aliases) names_.insert(alias.target);
        add(module.variables);
        for (const auto& function : module.functions) {
            add(function->locals);
            for (const CallTargets& targets : function->call_targets)
                names_.insert(targets.functions.begin(), targets.functions.end());
            for (const Instruction& instruction : function->instructions)
                for (const Operand& operand : instruction.operands) add(operand);
        }
    }
    bool contain(const std::string& name) const { return names_.contains(name); }

  private:
    void add(const std::vector<Variable>& variables) {
        for (const Variable& variable : variables)
            for (const Relocation& relocation : variable.relocations) names_.insert(relocation.symbol);
    }
    void add(const Operand& operand) {
        if (operand.kind == Operand::Kind::symbol) names_.insert(operand.name);
        for (const Operand& element : operand.elements) add(element);
    }

    std::unordered_set<std::string_view> names_; ///< which the module owns
};

/// A function that is declared and not used is not compared with others: NVIDIA's compiler leaves it out of what it
/// hands to the linker.
void drop_unused_declarations(Module& module) {
    const UsedNames used(module);
    std::erase_if(module.functions,
                  [&](const auto& function) { return !function->has_body && !used.contain(function->name); });
}

class Linker {
  public:
    explicit Linker(const std::vector<std::unique_ptr<Module>>& modules);
    void add(Module&);
    std::unique_ptr<Module> finish();

  private:
    struct Known {
        bool is_function = false;
        size_t index = 0;
    };

    void claim_internal_names(Module&);
    void add_variable(Variable);
    void add_function(std::unique_ptr<Function>);
    void merge_header(const Module&);
    [[noreturn]] static void twice(Position where, const std::string& name, Position first);

    std::unique_ptr<Module> out_ = std::make_unique<Module>();
    std::unordered_map<std::string, Known> known_;
    std::tuple<bool, size_t, std::string> target_of_; ///< rank of the module that gave the target
    std::unordered_set<std::string> taken_;           ///< by names that cannot change, and by renamed ones
};

Linker::Linker(const std::vector<std::unique_ptr<Module>>& modules) {
    for (const auto& module : modules) {
        drop_unused_declarations(*module);
        for (const Variable& variable : module->variables)
            if (!is_internal(variable)) taken_.insert(variable.name);
        for (const auto& function : module->functions)
            if (!is_internal(*function)) taken_.insert(function->name);
    }
}

std::string text_number(Position where) { return "text " + std::to_string(where.source + 1); }

void Linker::twice(Position where, const std::string& name, Position first) {
    throw Error(where, "'" + name + "' is defined twice, first in " + text_number(first));
}

[[noreturn]] void differs(Position where, const std::string& name, const char* what, Position first) {
    throw Error(where, "'" + name + "' has " + what + " than in " + text_number(first));
}

// What an H100's linker refuses; other differences between two of a name it lets pass.
void check_agreement(const Variable& known, const Variable& fresh) {
    if (known.space != fresh.space) differs(fresh.where, fresh.name, "another state space", known.where);
    if (known.managed != fresh.managed) differs(fresh.where, fresh.name, "another .managed attribute", known.where);
    if (known.is_unsized || fresh.is_unsized) return;
    const Strength a = strength_of(known), b = strength_of(fresh);
    const bool both_defined = a != Strength::declaration && b != Strength::declaration;
    const bool may_grow = both_defined && (a == Strength::common || b == Strength::common);
    if (!may_grow && known.size() != fresh.size()) differs(fresh.where, fresh.name, "another size", known.where);
    const bool common_is_larger = (a == Strength::common && b > a && known.size() > fresh.size()) ||
                                  (b == Strength::common && a > b && fresh.size() > known.size());
    if (common_is_larger) differs(fresh.where, fresh.name, "another size, too small for .common,", known.where);
}

bool is_floating(Type type) { return kind_of(type) == TypeKind::floating; }

// Integers of a size are one type to an H100, a floating-point number and an array of bytes are others.
bool same_shapes(const std::vector<Variable>& a, const std::vector<Variable>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Variable& x, const Variable& y) {
        return x.size() == y.size() && x.is_array == y.is_array && is_floating(x.type) == is_floating(y.type);
    });
}

void check_agreement(const Function& known, const Function& fresh) {
    if (!known.has_body && !fresh.has_body) return;
    if (known.is_entry == fresh.is_entry && same_shapes(known.results, fresh.results) &&
        same_shapes(known.parameters, fresh.parameters))
        return;
    differs(fresh.where, fresh.name, "another prototype", known.where);
}

// The first text with an internal name keeps it, unless the name is visible elsewhere.
void Linker::claim_internal_names(Module& module) {
    Names names;
    const auto claim = [&](const std::string& name) {
        std::string fresh = name;
        for (unsigned i = 2; !taken_.insert(fresh).second; ++i) fresh = name + "$" + std::to_string(i);
        if (fresh != name) names.emplace(name, fresh);
    };
    for (const Variable& variable : module.variables)
        if (is_internal(variable)) claim(variable.name);
    for (const auto& function : module.functions)
        if (is_internal(*function)) claim(function->name);
    if (!names.empty()) rename_in(module, names);
}

void Linker::merge_header(const Module& module) {
    const auto version = [](const Module& m) { return std::pair(m.version_major, m.version_minor); };
    if (version(module) > version(*out_)) {
        out_->version_major = module.version_major;
        out_->version_minor = module.version_minor;
    }
    // The kernels' architecture is the program's (CUDA driver API, CU_FUNC_ATTRIBUTE_PTX_VERSION, by which CUB chooses
    // among its kernels). A library that only lends functions may be for a newer one: CUDA 13's libcudadevrt is for
    // sm_121, and keeps its kernels to itself.
    const auto architecture = [](const Module& m) {
        const size_t digit = m.target.find_first_of("0123456789");
        const bool has_kernels = std::any_of(m.functions.begin(), m.functions.end(), [](const auto& f) {
            return f->is_entry && f->linkage != Linkage::internal;
        });
        return std::tuple(has_kernels, digit == m.target.npos ? size_t(0) : m.target.size(), m.target);
    };
    if (const auto theirs = architecture(module); out_->target.empty() || theirs > target_of_) {
        out_->target = module.target;
        target_of_ = theirs;
    }
    for (const std::string& option : module.target_options)
        if (std::find(out_->target_options.begin(), out_->target_options.end(), option) == out_->target_options.end())
            out_->target_options.push_back(option);
    out_->address_size = module.address_size;
}

void Linker::add(Module& module) {
    merge_header(module);
    claim_internal_names(module);
    const auto first_file = static_cast<uint32_t>(out_->files.size());
    for (std::string& file : module.files) out_->files.push_back(std::move(file));
    for (Variable& variable : module.variables) add_variable(std::move(variable));
    for (auto& function : module.functions) {
        for (Instruction& instruction : function->instructions)
            if (instruction.line != 0) instruction.file += first_file;
        add_function(std::move(function));
    }
    for (Alias& alias : module.aliases) out_->aliases.push_back(std::move(alias));
}

void Linker::add_variable(Variable variable) {
    const auto [found, is_new] = known_.try_emplace(variable.name, Known{false, out_->variables.size()});
    if (is_new) return out_->variables.push_back(std::move(variable));
    if (found->second.is_function) throw Error(variable.where, "'" + variable.name + "' is a function elsewhere");
    Variable& known = out_->variables[found->second.index];
    const Strength ours = strength_of(known), theirs = strength_of(variable);
    if (ours == Strength::strong && theirs == Strength::strong) twice(variable.where, variable.name, known.where);
    check_agreement(known, variable);
    const bool larger = ours == Strength::common && theirs == Strength::common && variable.size() > known.size();
    const uint32_t alignment = std::max(known.alignment, variable.alignment);
    if (theirs > ours || larger) known = std::move(variable);
    known.alignment = alignment;
}

void Linker::add_function(std::unique_ptr<Function> function) {
    const auto [found, is_new] = known_.try_emplace(function->name, Known{true, out_->functions.size()});
    if (is_new) return out_->functions.push_back(std::move(function));
    if (!found->second.is_function) throw Error(function->where, "'" + function->name + "' is a variable elsewhere");
    auto& known = out_->functions[found->second.index];
    const Strength ours = strength_of(*known), theirs = strength_of(*function);
    if (ours == Strength::strong && theirs == Strength::strong) twice(function->where, function->name, known->where);
    check_agreement(*known, *function);
    if (theirs > ours) known = std::move(function);
}

std::unique_ptr<Module> Linker::finish() {
    for (const auto& function : out_->functions)
        for (Instruction& instruction : function->instructions) {
            if (instruction.opcode != Opcode::call || instruction.operands.size() < 2) continue;
            Operand& target = instruction.operands[1];
            const auto found = known_.find(target.name);
            if (target.kind == Operand::Kind::symbol && target.symbol_kind == Operand::SymbolKind::unresolved &&
                found != known_.end() && found->second.is_function)
                target.symbol_kind = Operand::SymbolKind::function;
        }
    return std::move(out_);
}

// A text that is loaded alone has nobody else to define its variables; NVIDIA's driver makes them of zeros.
void define_declared_variables(Module& module) {
    for (Variable& variable : module.variables) {
        const bool placed = variable.space == Space::global || variable.space == Space::constant;
        if (variable.linkage != Linkage::external || variable.is_unsized || !placed) continue;
        variable.linkage = Linkage::visible;
        variable.assumed = true;
    }
}

} // namespace

std::unique_ptr<Module> link(std::vector<std::unique_ptr<Module>> modules) {
    if (modules.empty()) throw Error({}, "there is no PTX text");
    if (modules.size() == 1) {
        define_declared_variables(*modules.front());
        return std::move(modules.front());
    }
    Linker linker(modules);
    for (const auto& module : modules) linker.add(*module);
    return linker.finish();
}

} // namespace ptx

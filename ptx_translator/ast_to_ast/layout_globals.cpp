#include "ast_to_ast/layout_globals.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace ptx {
namespace {

bool lies_in_block(const Variable& variable) {
    return variable.space == Space::global || variable.space == Space::constant;
}

bool has_initial_data(const Variable& variable) { return !variable.bytes.empty() || !variable.relocations.empty(); }

class Layout {
  public:
    Layout(Module& module, const CallGraph& calls, ModuleInfo& info) : module_(module), calls_(calls), info_(info) {}
    void run();

  private:
    struct Placed {
        const Variable* variable;
        std::string name;
        bool visible;
    };

    void collect();
    void place(const Placed&);
    void place_kernels();
    void relocate(const Variable&, uint64_t offset);
    void report_undefined(const Variable&, const Relocation&);
    void report_broken();
    void report_broken(Function&, const Operand&);
    std::string through_aliases(const std::string& name) const;

    Module& module_;
    const CallGraph& calls_;
    ModuleInfo& info_;
    std::vector<Placed> variables_;
    std::unordered_map<std::string, const Variable*> by_name_;
    std::unordered_map<std::string, const Function*> functions_;
    std::unordered_map<std::string, std::string> aliases_;
    std::unordered_map<std::string, std::string> broken_; ///< variable -> why
    std::unordered_set<std::string> functions_in_data_, unresolved_;
};

void Layout::collect() {
    for (const auto& function : module_.functions) functions_.emplace(function->name, function.get());
    for (const Alias& alias : module_.aliases) aliases_.emplace(alias.name, alias.target);
    for (const Variable& variable : module_.variables) {
        by_name_.emplace(variable.name, &variable);
        if (!lies_in_block(variable)) continue;
        if (variable.linkage == Linkage::external)
            broken_.emplace(variable.name, "is defined nowhere");
        else
            variables_.push_back({&variable, variable.name, true});
    }
    for (const auto& function : module_.functions)
        for (const Variable& local : function->locals)
            if (lies_in_block(local)) variables_.push_back({&local, name_of_local_global(*function, local), false});
}

std::string Layout::through_aliases(const std::string& name) const {
    std::string out = name;
    // A chain is at most as long as there are aliases; a longer one is a circle.
    for (size_t i = 0; i <= aliases_.size(); ++i) {
        const auto found = aliases_.find(out);
        if (found == aliases_.end()) break;
        out = found->second;
    }
    return out;
}

void Layout::report_undefined(const Variable& variable, const Relocation& relocation) {
    broken_.emplace(variable.name, "holds the address of '" + relocation.symbol + "', which is defined nowhere");
}

void Layout::relocate(const Variable& variable, uint64_t offset) {
    for (const Relocation& relocation : variable.relocations) {
        const std::string function = through_aliases(relocation.symbol);
        const auto found = by_name_.find(relocation.symbol);
        const auto named = functions_.find(function);
        const bool is_kernel = named != functions_.end() && named->second->is_entry;
        GlobalRelocation out{offset + relocation.offset, relocation.size,
                             relocation.mask_shift,      named != functions_.end() && !is_kernel,
                             relocation.symbol,          relocation.addend};
        if (is_kernel && named->second->has_body) {
            out.symbol = function; // the place in the block that place_kernels() gives it
        } else if (named != functions_.end() && !named->second->has_body) {
            report_undefined(variable, relocation);
            continue;
        } else if (out.function) {
            out.symbol = function;
            if (functions_in_data_.insert(function).second) info_.functions_in_data.push_back(function);
        } else if (found == by_name_.end() || found->second->linkage == Linkage::external) {
            report_undefined(variable, relocation);
            continue;
        } else if (!lies_in_block(*found->second)) {
            broken_.emplace(variable.name, "holds the address of '" + relocation.symbol + "', which is not constant");
            continue;
        }
        info_.relocations.push_back(std::move(out));
    }
}

void Layout::place(const Placed& placed) {
    constexpr uint64_t largest_block = uint64_t{1} << 46;
    const Variable& variable = *placed.variable;
    const uint64_t size = variable.size();
    const uint64_t alignment = std::max<uint64_t>({variable.alignment, 1u, size >= 16 ? 16u : 1u});
    const uint64_t offset = (info_.block_size + alignment - 1) / alignment * alignment;
    if (offset + size > largest_block) throw Error(variable.where, "the variables of the module are too large");
    info_.block_size = offset + size;
    info_.globals.push_back({placed.name, offset, size, static_cast<uint32_t>(alignment),
                             variable.space == Space::constant, variable.managed, placed.visible});
    relocate(variable, offset);
    if (variable.bytes.empty()) return;
    info_.initial_data.resize(offset + variable.bytes.size());
    std::copy(variable.bytes.begin(), variable.bytes.end(),
              info_.initial_data.begin() + static_cast<std::ptrdiff_t>(offset));
}

// Device code launches a kernel by its address, which must be one thing to all code and data of the module: kernels are
// translated one by one, so an address of code could not be it.
void Layout::place_kernels() {
    constexpr uint64_t bytes = 16;
    for (const Function* function : calls_.address_taken()) {
        if (!function->is_entry || !function->has_body) continue;
        const uint64_t offset = (info_.block_size + bytes - 1) / bytes * bytes;
        info_.globals.push_back({function->name, offset, bytes, bytes, false, false, false});
        info_.block_size = offset + bytes;
    }
}

void Layout::report_broken(Function& function, const Operand& operand) {
    if (operand.kind == Operand::Kind::symbol && operand.symbol_kind == Operand::SymbolKind::module)
        if (const auto found = broken_.find(operand.name); found != broken_.end()) {
            const std::string name = "variable '" + operand.name + "'";
            function.errors.push_back({operand.where, name + " " + found->second, Severity::error});
            if (unresolved_.insert(operand.name).second) info_.unresolved.push_back(name);
        }
    for (const Operand& element : operand.elements) report_broken(function, element);
}

void Layout::report_broken() {
    if (broken_.empty()) return;
    for (const auto& function : module_.functions)
        for (const Instruction& instruction : function->instructions)
            for (const Operand& operand : instruction.operands) report_broken(*function, operand);
}

void Layout::run() {
    collect();
    for (const bool wanted : {true, false})
        for (const Placed& placed : variables_)
            if (has_initial_data(*placed.variable) == wanted) place(placed);
    place_kernels();
    report_broken();
}

} // namespace

void layout_globals(Module& module, const CallGraph& calls, ModuleInfo& info) { Layout(module, calls, info).run(); }

std::string name_of_local_global(const Function& function, const Variable& local) {
    return function.name + ":" + std::to_string(local.where.line) + ":" + std::to_string(local.where.column) + ":" +
           local.name;
}

} // namespace ptx

#include "ast_to_ast/find_unresolved.h"

#include "isa/runtime_functions.h"

#include <unordered_set>

namespace ptx {
namespace {

class Search {
  public:
    Search(Module& module, const CallGraph& calls, ModuleInfo& info) : module_(module), calls_(calls), info_(info) {}

    void run() {
        for (const Variable& variable : module_.variables)
            if (variable.assumed) assumed_.insert(variable.name);
        for (const auto& function : module_.functions)
            for (const Instruction& instruction : function->instructions) look_at(*function, instruction);
    }

  private:
    void look_at(Function& function, const Instruction& instruction) {
        const bool is_call = instruction.opcode == Opcode::call && instruction.operands.size() > 1;
        for (size_t i = 0; i < instruction.operands.size(); ++i) {
            const Operand& operand = instruction.operands[i];
            if (is_call && i == 1)
                look_at_target(function, operand);
            else if (!is_call || i != 3) // 3: a prototype or a list of targets
                look_at(function, operand);
        }
    }

    void look_at_target(Function& function, const Operand& target) {
        if (target.kind != Operand::Kind::symbol || !runtime_function(target.name).name.empty()) return;
        require(function, target);
    }

    void look_at(Function& function, const Operand& operand) {
        if (operand.kind == Operand::Kind::symbol && operand.symbol_kind == Operand::SymbolKind::function)
            require(function, operand);
        if (operand.kind == Operand::Kind::symbol && operand.symbol_kind == Operand::SymbolKind::module &&
            assumed_.contains(operand.name) && known_.insert(operand.name).second)
            info_.unresolved.push_back("variable '" + operand.name + "'");
        for (const Operand& element : operand.elements) look_at(function, element);
    }

    void require(Function& function, const Operand& operand) {
        const Function* named = calls_.find(operand.name);
        if (named != nullptr && named->has_body) return;
        function.errors.push_back({operand.where, "unresolved function '" + operand.name + "'", Severity::error});
        if (known_.insert(operand.name).second) info_.unresolved.push_back("function '" + operand.name + "'");
    }

    Module& module_;
    const CallGraph& calls_;
    ModuleInfo& info_;
    std::unordered_set<std::string> known_, assumed_;
};

} // namespace

void find_unresolved(Module& module, const CallGraph& calls, ModuleInfo& info) { Search(module, calls, info).run(); }

} // namespace ptx

#include "ast_to_ast/call_graph.h"

#include <unordered_set>
#include <utility>

namespace ptx {

CallGraph::CallGraph(const Module& module) {
    for (const auto& function : module.functions) functions_.emplace(function->name, function.get());
    // An alias may name another alias that stands before it. PTX ISA 11.6.
    for (const Alias& alias : module.aliases)
        if (const Function* target = find(alias.target)) functions_[alias.name] = target;
    for (const auto& function : module.functions) scan(*function);
    const auto scan_data = [this](const std::vector<Variable>& variables) {
        for (const Variable& variable : variables)
            for (const Relocation& relocation : variable.relocations) take_address(find(relocation.symbol));
    };
    scan_data(module.variables);
    for (const auto& function : module.functions) {
        scan_data(function->locals);
        if (is_taken_.contains(function.get())) address_taken_.push_back(function.get());
    }
}

const Function* CallGraph::find(std::string_view name) const {
    const auto found = functions_.find(name);
    return found == functions_.end() ? nullptr : found->second;
}

void CallGraph::take_address(const Function* function) {
    if (function != nullptr) is_taken_.emplace(function, true);
}

void CallGraph::take_addresses(const Function& function, const Operand& operand, Node& node) {
    if (operand.symbol_kind == Operand::SymbolKind::function && operand.kind == Operand::Kind::symbol) {
        take_address(find(operand.name));
        if (const Function* callee = find(operand.name)) node.callees.push_back(callee);
    }
    for (const Operand& element : operand.elements) take_addresses(function, element, node);
}

void CallGraph::scan_call(const Function& function, const Instruction& call, Node& node) {
    if (call.operands.size() < 2) return;
    if (call.operands[1].kind == Operand::Kind::symbol) {
        if (const Function* callee = find(call.operands[1].name)) node.callees.push_back(callee);
        return;
    }
    const std::string* list = call.operands.size() > 3 ? &call.operands[3].name : nullptr;
    for (const CallTargets& targets : function.call_targets) {
        if (list == nullptr || targets.name != *list) continue;
        for (const std::string& name : targets.functions)
            if (const Function* callee = find(name)) node.callees.push_back(callee);
        return;
    }
    node.calls_indirectly = true;
}

void CallGraph::scan(const Function& function) {
    Node& node = nodes_[&function];
    for (const CallTargets& targets : function.call_targets)
        for (const std::string& name : targets.functions) take_address(find(name));
    for (const Instruction& instruction : function.instructions) {
        const bool is_call = instruction.opcode == Opcode::call;
        if (is_call) scan_call(function, instruction, node);
        for (size_t i = 0; i < instruction.operands.size(); ++i)
            if (!is_call || i != 1) take_addresses(function, instruction.operands[i], node);
    }
}

std::vector<const Function*> CallGraph::reachable(const Function& root) const {
    std::vector<const Function*> out{&root};
    std::unordered_set<const Function*> seen{&root};
    bool indirect = false;
    const auto reach = [&](const std::vector<const Function*>& functions) {
        for (const Function* function : functions)
            if (!function->is_entry && seen.insert(function).second) out.push_back(function);
    };
    for (size_t i = 0; i < out.size(); ++i) {
        const auto node = nodes_.find(out[i]);
        if (node == nodes_.end()) continue;
        reach(node->second.callees);
        if (node->second.calls_indirectly && !std::exchange(indirect, true)) reach(address_taken_);
    }
    return out;
}

} // namespace ptx

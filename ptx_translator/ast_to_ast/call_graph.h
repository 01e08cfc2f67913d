#pragma once

#include "ast/ast.h"

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ptx {

/// Who may call whom. The module must outlive it and keep its functions.
class CallGraph {
  public:
    explicit CallGraph(const Module&);

    /// What `root` may execute: itself first, then callees, nearest first; functions without a body too. An indirect
    /// call without a list of targets may reach every function whose address is taken anywhere in the module. Kernels
    /// that it may launch are not among them.
    std::vector<const Function*> reachable(const Function& root) const;
    /// Functions and kernels whose address is taken, by code or initialised data, in the order of the module.
    const std::vector<const Function*>& address_taken() const { return address_taken_; }
    /// By name, through aliases; nullptr when there is none.
    const Function* find(std::string_view name) const;

  private:
    struct Node {
        std::vector<const Function*> callees;
        bool calls_indirectly = false;
    };

    void scan(const Function&);
    void scan_call(const Function&, const Instruction&, Node&);
    void take_addresses(const Function&, const Operand&, Node&);
    void take_address(const Function*);

    std::unordered_map<std::string_view, const Function*> functions_;
    std::unordered_map<const Function*, Node> nodes_;
    std::vector<const Function*> address_taken_;
    std::unordered_map<const Function*, bool> is_taken_;
};

} // namespace ptx

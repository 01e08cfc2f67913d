#include "ast_to_llvm/shared_layout.h"

#include <algorithm>
#include <functional>
#include <map>
#include <unordered_set>

namespace ptx::ast_to_llvm {
namespace {

using Variables = std::vector<const Variable*>;

class Layout {
  public:
    explicit Layout(const Prepared& prepared) : prepared_(prepared) {
        for (const Variable& variable : prepared.module->variables)
            if (variable.space == Space::shared) by_name_.emplace(variable.name, &variable);
        for (const auto& function : prepared.module->functions) scan(*function);
    }

    SharedLayout run() {
        if (used_.empty()) return {};
        for (const auto& function : prepared_.module->functions)
            if (function->is_entry && function->has_body) collect(*function);
        // What several kernels use comes first, so that a kernel's own variables close up behind it.
        std::multimap<size_t, const Variable*, std::greater<>> by_kernels;
        for (const Variable* variable : order_) by_kernels.emplace(kernels_of_[variable].size(), variable);
        for (const auto& [kernels, variable] : by_kernels) place(*variable);
        for (const auto& [kernel, alignment] : dynamic_alignment_) pad(result_.static_bytes[kernel], alignment);
        return std::move(result_);
    }

  private:
    static void pad(uint32_t& offset, uint32_t alignment) { offset = (offset + alignment - 1) / alignment * alignment; }

    void scan(const Function& function) {
        Variables found;
        std::unordered_set<const Variable*> seen;
        auto scan_operand = [&](auto& self, const Operand& operand) -> void {
            if (operand.kind == Operand::Kind::symbol)
                if (const Variable* variable = shared_variable(function, operand);
                    variable && seen.insert(variable).second)
                    found.push_back(variable);
            for (const Operand& element : operand.elements) self(self, element);
        };
        for (const Instruction& instruction : function.instructions)
            for (const Operand& operand : instruction.operands) scan_operand(scan_operand, operand);
        if (!found.empty()) used_.emplace(&function, std::move(found));
    }

    const Variable* shared_variable(const Function& function, const Operand& symbol) const {
        if (symbol.symbol_kind == Operand::SymbolKind::local) {
            const Variable& local = function.locals[static_cast<size_t>(symbol.local_id)];
            return local.space == Space::shared ? &local : nullptr;
        }
        if (symbol.symbol_kind != Operand::SymbolKind::module) return nullptr;
        auto found = by_name_.find(symbol.name);
        return found == by_name_.end() ? nullptr : found->second;
    }

    void collect(const Function& kernel) {
        for (const Function* function : prepared_.calls->reachable(kernel)) {
            auto found = used_.find(function);
            if (found == used_.end()) continue;
            for (const Variable* variable : found->second) add(*variable, kernel);
        }
    }

    void add(const Variable& variable, const Function& kernel) {
        if (variable.is_unsized) {
            uint32_t& alignment = dynamic_alignment_[&kernel];
            alignment = std::max({alignment, variable.alignment, 16u});
            return;
        }
        Variables& variables = variables_of_[&kernel];
        if (std::find(variables.begin(), variables.end(), &variable) != variables.end()) return;
        variables.push_back(&variable);
        auto& kernels = kernels_of_[&variable];
        if (kernels.empty()) order_.push_back(&variable);
        kernels.push_back(&kernel);
    }

    /// The lowest place where no variable is that a kernel uses together with this one.
    void place(const Variable& variable) {
        std::map<uint32_t, uint32_t> taken;
        for (const Function* kernel : kernels_of_[&variable])
            for (const Variable* other : variables_of_[kernel])
                if (auto found = result_.offsets.find(other); found != result_.offsets.end()) {
                    uint32_t& end = taken[found->second];
                    end = std::max(end, found->second + size_of_variable(*other));
                }
        uint32_t alignment = std::max<uint32_t>(variable.alignment, 1);
        uint32_t size = size_of_variable(variable), offset = 0;
        for (const auto& [begin, end] : taken) {
            if (offset + size <= begin) break;
            offset = std::max(offset, end);
            pad(offset, alignment);
        }
        result_.offsets[&variable] = offset;
        for (const Function* kernel : kernels_of_[&variable]) {
            uint32_t& bytes = result_.static_bytes[kernel];
            bytes = std::max(bytes, offset + size);
        }
    }

    static uint32_t size_of_variable(const Variable& variable) {
        if (variable.size() > UINT32_MAX / 4)
            throw Error(variable.where, "'" + variable.name + "' is too large for shared memory");
        return static_cast<uint32_t>(variable.size());
    }

    const Prepared& prepared_;
    std::unordered_map<std::string_view, const Variable*> by_name_;
    std::unordered_map<const Function*, Variables> used_;
    std::unordered_map<const Function*, Variables> variables_of_;
    std::unordered_map<const Variable*, std::vector<const Function*>> kernels_of_;
    std::unordered_map<const Function*, uint32_t> dynamic_alignment_;
    Variables order_;
    SharedLayout result_;
};

} // namespace

SharedLayout layout_shared(const Prepared& prepared) { return Layout(prepared).run(); }

} // namespace ptx::ast_to_llvm

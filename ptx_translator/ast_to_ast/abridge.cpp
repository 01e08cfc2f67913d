#include "ast_to_ast/abridge.h"

#include <string_view>
#include <unordered_set>

namespace ptx {
namespace {

/// Which instructions tell something that none before them did.
class News {
  public:
    bool in(const Instruction& instruction) {
        const bool is_call = instruction.opcode == Opcode::call && instruction.operands.size() > 1;
        bool out = false;
        for (size_t i = 0; i < instruction.operands.size(); ++i) {
            if (is_call && i == 1)
                out |= in_target(instruction);
            else if (!is_call || i != 3) // 3: a prototype or a list of targets
                out |= in(instruction.operands[i], named_);
        }
        return out;
    }

  private:
    using Names = std::unordered_set<std::string_view>;

    static bool in(const Operand& operand, Names& known) {
        bool out = false;
        if (operand.kind == Operand::Kind::symbol) {
            switch (operand.symbol_kind) {
            case Operand::SymbolKind::unresolved:
                return true;
            case Operand::SymbolKind::module:
            case Operand::SymbolKind::function:
                return known.insert(operand.name).second;
            case Operand::SymbolKind::local:
            case Operand::SymbolKind::parameter:
            case Operand::SymbolKind::result:
                return false;
            }
        }
        for (const Operand& element : operand.elements) out |= in(element, known);
        return out;
    }

    bool in_target(const Instruction& call) {
        if (call.operands[1].kind == Operand::Kind::symbol) return in(call.operands[1], called_);
        return lists_.insert(call.operands.size() > 3 ? std::string_view(call.operands[3].name) : "").second;
    }

    // A function that is called is not one whose address is taken.
    Names named_, called_, lists_;
};

/// What registers, labels and the body's own variables were is known no longer.
void forget_body(Operand& operand) {
    switch (operand.kind) {
    case Operand::Kind::reg:
    case Operand::Kind::label:
        operand.kind = Operand::Kind::sink;
        break;
    case Operand::Kind::symbol:
        if (operand.symbol_kind == Operand::SymbolKind::local) operand.kind = Operand::Kind::sink;
        break;
    case Operand::Kind::special:
    case Operand::Kind::integer:
    case Operand::Kind::floating:
    case Operand::Kind::address:
    case Operand::Kind::vector:
    case Operand::Kind::pair:
    case Operand::Kind::list:
    case Operand::Kind::sink:
        break;
    }
    for (Operand& element : operand.elements) forget_body(element);
}

template <class T> void drop(std::vector<T>& items) { std::vector<T>().swap(items); }

} // namespace

void abridge(Function& function) {
    std::vector<Instruction> kept;
    News news;
    for (Instruction& instruction : function.instructions)
        if (news.in(instruction)) kept.push_back(std::move(instruction));
    for (Instruction& instruction : kept) {
        instruction.predicate = none;
        for (Operand& operand : instruction.operands) forget_body(operand);
    }
    kept.shrink_to_fit();
    function.instructions = std::move(kept);
    std::erase_if(function.locals, [](const Variable& variable) {
        return variable.space != Space::global && variable.space != Space::constant;
    });
    function.locals.shrink_to_fit();
    drop(function.registers);
    drop(function.labels);
    drop(function.branch_targets);
    drop(function.prototypes);
    function.abridged = true;
}

} // namespace ptx

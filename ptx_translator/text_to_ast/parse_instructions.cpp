#include "text_to_ast/parser.h"

#include <algorithm>
#include <unordered_set>

// PTX ISA 4.3.2, 9: instructions.
namespace ptx::text_to_ast {
namespace {

/// First words of the opcodes that have dots.
bool starts_dotted_opcode(std::string_view word) {
    static const std::unordered_set<std::string_view> words = [] {
        std::unordered_set<std::string_view> out;
        const auto add = [&](std::string_view spelling) {
            if (const size_t dot = spelling.find('.'); dot != spelling.npos) out.insert(spelling.substr(0, dot));
        };
#define PTX_OPCODE(name, spelling) add(spelling);
#include "isa/opcodes.def"
        return out;
    }();
    return words.contains(word);
}

constexpr size_t longest_opcode = 5; ///< words: multimem.cp.reduce.async.bulk

} // namespace

void Parser::guarded_instruction() {
    Instruction out;
    if (!accept('@')) fail("expected an instruction, found " + found());
    out.predicate_negated = accept('!');
    const Position begin = where();
    const std::string_view name = expect_identifier("a predicate");
    const Symbol symbol = find(name);
    if (symbol.kind != Symbol::Kind::reg) fail_at(begin, "undeclared register " + quoted(name));
    out.predicate = symbol.id;
    const Token first = token_;
    expect_identifier("an instruction");
    instruction(out, first);
}

void Parser::opcode(Instruction& out, const Token& first) {
    words_.clear();
    for (; at(TokenKind::dotted); advance()) words_.push_back(token_);
    std::string text(first.text);
    size_t used = 0;
    if (starts_dotted_opcode(first.text)) {
        size_t ends[longest_opcode] = {text.size()};
        const size_t most = std::min(words_.size() + 1, longest_opcode);
        for (size_t i = 1; i < most; ++i) {
            text += '.';
            text += words_[i - 1].text.substr(0, 100);
            ends[i] = text.size();
        }
        for (used = most - 1; used > 0; --used)
            if (opcode_named(std::string_view(text).substr(0, ends[used])) != Opcode::unknown) break;
        if (used > 0 || opcode_named(first.text) != Opcode::unknown) text.resize(ends[used]);
    }
    out.where = position_of(first);
    out.file = file_;
    out.line = line_;
    out.opcode = opcode_named(text);
    if (out.opcode == Opcode::unknown) fail_at(out.where, "unknown instruction " + quoted(text));
    out.opcode_text = std::move(text);
    out.modifiers.reserve(words_.size() - used);
    for (; used < words_.size(); ++used) {
        const Modifier modifier = modifier_named(words_[used].text);
        if (modifier == Modifier::unknown)
            fail_at(position_of(words_[used]),
                    "unknown modifier " + quoted("." + std::string(words_[used].text.substr(0, 100))));
        out.modifiers.push_back(modifier);
    }
}

void Parser::instruction(Instruction& out, const Token& first) {
    opcode(out, first);
    opcode_ = out.opcode;
    if (out.opcode == Opcode::bra || out.opcode == Opcode::brx) {
        branch_operands(out);
    } else if (out.opcode == Opcode::call) {
        call_operands(out);
    } else if (!at(';')) {
        out.operands.reserve(4);
        do out.operands.push_back(operand());
        while (accept(','));
    }
    expect(';');
    Instruction& placed = function_->instructions.emplace_back(std::move(out));
    for (size_t i = 0; i < placed.operands.size(); ++i) note_pending(placed, placed.operands[i], i);
}

// `bra label;` and `brx.idx index, list;`. PTX ISA 9.7.12.3, 9.7.12.4.
void Parser::branch_operands(Instruction& out) {
    if (out.opcode == Opcode::brx) {
        out.operands.push_back(operand());
        expect(',');
    }
    Operand target;
    target.kind = out.opcode == Opcode::bra ? Operand::Kind::label : Operand::Kind::symbol;
    target.where = where();
    target.name = expect_identifier("a label");
    out.operands.push_back(std::move(target));
}

Operand Parser::argument_list() {
    Operand list;
    list.kind = Operand::Kind::list;
    list.where = where();
    expect('(');
    if (accept(')')) return list;
    do list.elements.push_back(operand());
    while (accept(','));
    expect(')');
    return list;
}

// `call (results), target, (arguments), prototype;` with everything but the target optional. PTX ISA 9.7.12.5.
void Parser::call_operands(Instruction& out) {
    Operand none_given;
    none_given.kind = Operand::Kind::list;
    none_given.where = where();
    out.operands.reserve(4);
    out.operands.push_back(at('(') ? argument_list() : none_given);
    if (!out.operands[0].elements.empty() || !at(TokenKind::identifier)) expect(',');
    if (!at(TokenKind::identifier)) fail("expected a function, found " + found());
    out.operands.push_back(operand_without_pair());
    out.operands.push_back(std::move(none_given));
    if (!accept(',')) return;
    if (at('(')) {
        out.operands[2] = argument_list();
        if (!accept(',')) return;
    }
    Operand prototype;
    prototype.kind = Operand::Kind::symbol;
    prototype.where = where();
    prototype.name = expect_identifier("a prototype or list of targets");
    out.operands.push_back(std::move(prototype));
}

void Parser::note_pending(const Instruction& instruction, Operand& operand, size_t index) {
    const bool is_call = instruction.opcode == Opcode::call;
    const bool names_list = (instruction.opcode == Opcode::brx && index == 1) || (is_call && index == 3);
    if (names_list) return;
    if (is_call && index == 1 && operand.kind == Operand::Kind::symbol) {
        if (operand.symbol_kind == Operand::SymbolKind::unresolved) unresolved_.push_back({function_, &operand, true});
        return;
    }
    note_pending(operand);
}

} // namespace ptx::text_to_ast

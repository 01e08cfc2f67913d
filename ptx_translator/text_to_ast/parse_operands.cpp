#include "text_to_ast/parser.h"

#include <utility>

// PTX ISA 6.4: operands.
namespace ptx::text_to_ast {

Operand Parser::operand() {
    Operand first = operand_without_pair();
    return at('|') ? pair(std::move(first)) : first;
}

// `p|q`, `{a, b}|p`. PTX ISA 9.7.6.2.
Operand Parser::pair(Operand first) {
    advance();
    Operand out;
    out.kind = Operand::Kind::pair;
    out.where = first.where;
    out.elements.reserve(2);
    out.elements.push_back(std::move(first));
    out.elements.push_back(operand_without_pair());
    return out;
}

Operand Parser::operand_without_pair() {
    const Nested nested(*this);
    if (at(TokenKind::identifier)) return named_operand();
    if (at('{')) return vector_operand();
    if (at('[')) return address_operand();
    if (at('!') || at('-')) return negated_operand();
    Operand out;
    out.where = where();
    return constant_operand(std::move(out), constant_expression());
}

Operand Parser::constant_operand(Operand out, const Constant& value) {
    if (!value.is_floating()) {
        out.kind = Operand::Kind::integer;
        out.integer = value.bits;
        out.is_unsigned = value.kind == Constant::Kind::unsigned_integer;
        return out;
    }
    out.kind = Operand::Kind::floating;
    out.floating = value.value;
    out.is_single = value.is_single;
    out.single_bits = value.single_bits;
    out.double_bits = value.double_bits;
    return out;
}

// `!p`, `-%r1`, or a constant expression that begins so.
Operand Parser::negated_operand() {
    Operand out;
    out.where = where();
    const char sign = token_.text.front();
    advance();
    if (at(TokenKind::identifier) && token_.text != "WARP_SZ") {
        Operand negated = named_operand();
        negated.negated = true;
        return negated;
    }
    const auto value = apply(sign, unary_constant());
    if (!value) fail_at(out.where, "cannot negate this");
    return constant_operand(std::move(out), conditional_constant(binary_constant(*value, 1)));
}

Operand Parser::named_operand() {
    Operand out;
    out.where = where();
    const std::string_view name = token_.text;
    if (name == "_") {
        advance();
        return out;
    }
    if (name == "WARP_SZ") {
        const Token before = token_;
        advance();
        out.kind = Operand::Kind::special;
        out.special = SpecialRegister::warp_sz;
        if (precedence(token_) == 0 && !at('?')) return out;
        lexer_.rewind(before);
        advance();
        return constant_operand(std::move(out), constant_expression());
    }
    advance();
    resolve_name(out, name);
    if (out.kind == Operand::Kind::reg) {
        if (at(TokenKind::dotted)) component(out);
        return out;
    }
    if (out.kind != Operand::Kind::symbol) return out;
    if (at('[')) return accessed_element(element_of_array(std::move(out)));
    out.offset = byte_offset();
    return out;
}

void Parser::resolve_name(Operand& out, std::string_view name) {
    const Symbol symbol = find(name);
    if (symbol.kind == Symbol::Kind::reg) {
        out.kind = Operand::Kind::reg;
        out.register_id = symbol.id;
        return;
    }
    if (symbol.kind == Symbol::Kind::nothing && name.front() == '%') {
        out.special = special_register_named(name);
        out.kind = Operand::Kind::special;
        if (out.special == SpecialRegister::none) fail_at(out.where, "undeclared register " + quoted(name));
        if (!at(TokenKind::dotted)) return;
        out.special = special_register_named(std::string(name) + "." + std::string(token_.text));
        if (out.special == SpecialRegister::none)
            fail("there is no " + quoted(std::string(name) + "." + std::string(token_.text)));
        return advance();
    }
    out.kind = Operand::Kind::symbol;
    out.name = name;
    out.local_id = symbol.id;
    switch (symbol.kind) {
    case Symbol::Kind::local:
        out.symbol_kind = Operand::SymbolKind::local;
        return;
    case Symbol::Kind::parameter:
        out.symbol_kind = Operand::SymbolKind::parameter;
        return;
    case Symbol::Kind::result:
        out.symbol_kind = Operand::SymbolKind::result;
        return;
    case Symbol::Kind::reg:
    case Symbol::Kind::nothing:
        resolve_in_module(out);
    }
}

bool Parser::resolve_in_module(Operand& out) const {
    const auto found = module_symbols_.find(out.name);
    if (found == module_symbols_.end()) return false;
    out.symbol_kind = found->second.is_function ? Operand::SymbolKind::function : Operand::SymbolKind::module;
    return true;
}

// `.x` of a vector register, or the selector of a video instruction. PTX ISA 6.4.3, 9.7.19.
void Parser::component(Operand& reg) {
    static constexpr std::string_view letters = "xyzwrgba";
    const std::string_view text = token_.text;
    const Register& declared = function_->registers[static_cast<size_t>(reg.register_id)];
    if (text.size() == 1 && letters.find(text.front()) != letters.npos) {
        reg.component = static_cast<int8_t>(letters.find(text.front()) % 4);
        if (reg.component >= declared.lanes) fail(quoted(declared.name) + " has no component " + found());
        return advance();
    }
    const bool selector = text.size() >= 2 && text.size() <= 5 && (text[0] == 'b' || text[0] == 'h') &&
                          text.find_first_not_of("0123456789", 1) == text.npos;
    if (!selector) fail("unknown component " + found());
    reg.name = text;
    advance();
}

// `+ 4 * 2 - 1`, or nothing: 0.
int64_t Parser::byte_offset() {
    constexpr int additive = 9;
    if (!at('+') && !at('-')) return 0;
    const Position begin = where();
    const Constant value = binary_constant(Constant::integer(0), additive);
    if (value.is_floating()) fail_at(begin, "an offset must be an integer");
    return static_cast<int64_t>(value.bits);
}

// `{a, b, _, 0}`
Operand Parser::vector_operand() {
    Operand out;
    out.kind = Operand::Kind::vector;
    out.where = where();
    advance();
    do out.elements.push_back(operand());
    while (accept(','));
    expect('}');
    return out;
}

Operand Parser::address_base() {
    Operand base;
    base.where = where();
    if (!at(TokenKind::identifier)) return constant_operand(std::move(base), constant_expression());
    const std::string_view name = token_.text;
    advance();
    resolve_name(base, name);
    if (base.kind == Operand::Kind::reg && at(TokenKind::dotted)) component(base);
    if (at('[') && base.kind == Operand::Kind::symbol) return element_of_array(std::move(base));
    return base;
}

// `[base + offset]`, `[texture, sampler, {x, y}]`. PTX ISA 6.4.1.
Operand Parser::address_operand() {
    Operand out;
    out.kind = Operand::Kind::address;
    out.where = where();
    advance();
    out.elements.push_back(address_base());
    const auto inner = static_cast<uint64_t>(std::exchange(out.elements.front().offset, 0));
    out.offset = static_cast<int64_t>(inner + static_cast<uint64_t>(byte_offset()));
    while (accept(',')) out.elements.push_back(operand());
    expect(']');
    return out;
}

// `table[3]` is the address of an element. PTX ISA 6.4.2.
Operand Parser::element_of_array(Operand symbol) {
    const Position begin = where();
    advance();
    const Variable* variable = nullptr;
    switch (symbol.symbol_kind) {
    case Operand::SymbolKind::local:
        variable = &function_->locals[static_cast<size_t>(symbol.local_id)];
        break;
    case Operand::SymbolKind::parameter:
        variable = &function_->parameters[static_cast<size_t>(symbol.local_id)];
        break;
    case Operand::SymbolKind::result:
        variable = &function_->results[static_cast<size_t>(symbol.local_id)];
        break;
    case Operand::SymbolKind::module:
        variable = &module_->variables[module_symbols_.at(symbol.name).index];
        break;
    case Operand::SymbolKind::unresolved:
    case Operand::SymbolKind::function:
        fail_at(symbol.where, quoted(symbol.name) + " is no array");
    }
    const Constant index = constant_expression();
    if (index.is_floating()) fail_at(begin, "an index must be an integer");
    symbol.offset = static_cast<int64_t>(index.bits * variable->lanes * size_of(variable->type));
    expect(']');
    return symbol;
}

// `ld.global.u32 r, table[3]` reads the element, `mov.u64 r, table[3]` takes its address.
Operand Parser::accessed_element(Operand symbol) const {
    if (opcode_ == Opcode::mov || opcode_ == Opcode::cvta) return symbol;
    Operand out;
    out.kind = Operand::Kind::address;
    out.where = symbol.where;
    out.offset = std::exchange(symbol.offset, 0);
    out.elements.push_back(std::move(symbol));
    return out;
}

void Parser::note_pending(Operand& operand) {
    const bool waits = operand.kind == Operand::Kind::label || (operand.kind == Operand::Kind::symbol &&
                                                                operand.symbol_kind == Operand::SymbolKind::unresolved);
    // The name is in the operand for good, so a view of it lasts.
    if (waits) pending_.push_back({&operand, 0, 0, operand.name, operand.where});
    for (Operand& element : operand.elements) note_pending(element);
}

} // namespace ptx::text_to_ast

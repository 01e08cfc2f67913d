#include "text_to_ast/parser.h"

// PTX ISA 4.5: constant expressions, by precedence climbing.
namespace ptx::text_to_ast {

Constant Parser::constant_expression() { return conditional_constant(binary_constant(unary_constant(), 1)); }

Constant Parser::conditional_constant(Constant condition) {
    if (!at('?')) return condition;
    const Nested nested(*this);
    advance();
    const Constant yes = constant_expression();
    expect(':');
    const Constant no = constant_expression();
    return condition.truth() ? yes : no;
}

Constant Parser::binary_constant(Constant left, int lowest) {
    for (;;) {
        if (at(TokenKind::identifier) && token_.text.front() == '%') token_ = lexer_.percent(token_);
        const int binds = precedence(token_);
        if (binds == 0 || binds < lowest) return left;
        const Token operation = token_;
        advance();
        // One level of recursion per level of precedence, and per parenthesis, which counts.
        const Constant right = binary_constant(unary_constant(), binds + 1);
        const auto value = apply(operation.text, left, right);
        if (!value) fail_at(position_of(operation), "cannot compute '" + std::string(operation.text) + "' here");
        left = *value;
    }
}

Constant Parser::unary_constant() {
    if (!at('-') && !at('+') && !at('!') && !at('~')) return primary_constant();
    const Nested nested(*this);
    const Token operation = token_;
    advance();
    const auto value = apply(operation.text.front(), unary_constant());
    if (!value) fail_at(position_of(operation), "cannot compute '" + std::string(operation.text) + "' here");
    return *value;
}

Constant Parser::primary_constant() {
    if (at('(')) return parenthesized_constant();
    if (at(TokenKind::identifier) && token_.text == "WARP_SZ") {
        advance();
        return Constant::integer(32);
    }
    if (at(TokenKind::dotted) && token_.text.front() >= '0' && token_.text.front() <= '9')
        token_ = lexer_.renumber(token_);
    if (!at(TokenKind::number)) fail("expected a constant, found " + found());
    const auto value = literal(token_.text);
    if (!value) fail("malformed constant " + quoted(token_.text));
    advance();
    return *value;
}

// `(expression)` or a cast: `(.s64) x`, `(.u64) x`. PTX ISA 4.5.5.
Constant Parser::parenthesized_constant() {
    const Nested nested(*this);
    advance();
    if (!at(TokenKind::dotted) || type_of(modifier_named(token_.text)) == Type::none) {
        const Constant value = constant_expression();
        expect(')');
        return value;
    }
    const Token cast = token_;
    const Type type = type_of(modifier_named(token_.text));
    advance();
    expect(')');
    const Constant value = unary_constant();
    if (type == Type::f64) return Constant::floating(value.as_double());
    if (type != Type::s64 && type != Type::u64) fail_at(position_of(cast), "constants can be cast to .s64 and .u64");
    if (!value.is_floating()) return Constant::integer(value.bits, type == Type::u64);
    if (!(value.value > -0x1p63 && value.value < 0x1p63)) fail_at(position_of(cast), "the constant is out of range");
    return Constant::integer(static_cast<uint64_t>(static_cast<int64_t>(value.value)), type == Type::u64);
}

} // namespace ptx::text_to_ast

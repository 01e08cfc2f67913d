#include "text_to_ast/parser.h"

namespace ptx::text_to_ast {

Parser::Nested::Nested(Parser& parser) : parser_(parser) {
    if (parser.depth_ >= deepest) parser.fail("nested too deep");
    ++parser.depth_;
}

void Parser::fail_at(Position where, const std::string& message) const { throw Error(where, message); }

std::string Parser::found() const {
    switch (token_.kind) {
    case TokenKind::end:
        return "the end of the text";
    case TokenKind::dotted:
        return quoted("." + std::string(token_.text.substr(0, 100)));
    case TokenKind::string:
        return "a string";
    case TokenKind::identifier:
    case TokenKind::number:
    case TokenKind::punctuation:
        break;
    }
    return quoted(token_.text);
}

bool Parser::accept(char punctuation) {
    if (!at(punctuation)) return false;
    advance();
    return true;
}

bool Parser::accept_dotted(std::string_view text) {
    if (!at_dotted(text)) return false;
    advance();
    return true;
}

void Parser::expect(char punctuation) {
    if (!accept(punctuation)) fail(std::string("expected '") + punctuation + "', found " + found());
}

std::string_view Parser::expect_identifier(const char* what) {
    if (!at(TokenKind::identifier)) fail(std::string("expected ") + what + ", found " + found());
    const std::string_view text = token_.text;
    advance();
    return text;
}

uint64_t Parser::expect_count(const char* what) {
    const Position begin = where();
    const Constant value = constant_expression();
    if (value.kind == Constant::Kind::floating ||
        (value.kind == Constant::Kind::signed_integer && static_cast<int64_t>(value.bits) < 0))
        fail_at(begin, std::string(what) + " must be a positive integer");
    return value.bits;
}

} // namespace ptx::text_to_ast

#pragma once

#include "ast/position.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace ptx::text_to_ast {

/// PTX ISA 4: the words of PTX text.
enum class TokenKind : uint8_t {
    end,
    identifier,  ///< `add`, `%r1`, `$L__BB0_1`, `_`
    dotted,      ///< `.visible`, `.f32`, `.shared::cta`, `.2d`; text has no dot
    number,      ///< any constant, not yet converted
    string,      ///< text is what stands between the quotes
    punctuation, ///< one or two characters
};

struct Token {
    TokenKind kind = TokenKind::end;
    uint32_t line = 1, column = 1;
    const char* begin = nullptr; ///< of the whole token, dot and quote included
    std::string_view text;

    bool is(std::string_view punctuation) const { return kind == TokenKind::punctuation && text == punctuation; }
    bool is(char punctuation) const {
        return kind == TokenKind::punctuation && text.size() == 1 && text.front() == punctuation;
    }
};

/// The text as a whole is no PTX: not caught per function.
class MalformedText : public Error {
  public:
    using Error::Error;
};

/// Cuts text into tokens, in one pass. A NUL byte ends the text. Throws MalformedText.
class Lexer {
  public:
    Lexer(std::string_view text, uint16_t source);

    Token next();
    /// Reads `token`, which this lexer made, once more.
    void rewind(const Token& token);
    /// Reads a `dotted` token that starts with a digit as the number it is (`.5e-3`).
    Token renumber(const Token& token);
    /// Reads an identifier that begins with a percent sign as the operator; what follows comes next (`7%3`).
    Token percent(const Token& token);
    /// Goes behind the semicolon of the instruction that begins with `first`, the token read last, if its operands are
    /// registers, constants and labels alone. If they may name anything else, or it is no plain instruction, the answer
    /// is false and nothing happened.
    bool skip_plain_instruction(const Token& first);
    uint16_t source() const { return source_; }

  private:
    void skip_space();
    void skip_block_comment();
    void skip_line();
    void new_line();
    Token make(TokenKind kind, const char* begin, std::string_view text) const;
    Token number();
    Token string();
    Token dotted();
    Token punctuation();
    [[noreturn]] void fail(const char* at, const std::string& message) const;

    const char* cursor_;
    const char* end_;
    const char* line_begin_;
    uint32_t line_ = 1;
    uint16_t source_;
};

/// Text as it may stand in a message: short, printable.
std::string quoted(std::string_view text);

} // namespace ptx::text_to_ast

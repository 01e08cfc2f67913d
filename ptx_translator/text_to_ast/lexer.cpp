#include "text_to_ast/lexer.h"

#include <array>
#include <utility>

namespace ptx::text_to_ast {
namespace {

enum CharacterClass : uint8_t { other = 0, word = 1, digit = 2, first = 4 };

constexpr std::array<uint8_t, 256> classes = [] {
    std::array<uint8_t, 256> table{};
    for (int c = 'a'; c <= 'z'; ++c) table[c] = word | first;
    for (int c = 'A'; c <= 'Z'; ++c) table[c] = word | first;
    for (int c = '0'; c <= '9'; ++c) table[c] = word | digit;
    table['_'] = table['$'] = word | first;
    return table;
}();

bool is(char c, uint8_t wanted) { return (classes[static_cast<unsigned char>(c)] & wanted) != 0; }

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f'; }

bool is_radix_letter(char c) {
    switch (c) {
    case 'x':
    case 'X':
    case 'b':
    case 'B':
    case 'f':
    case 'F':
    case 'd':
    case 'D':
        return true;
    default:
        return false;
    }
}

} // namespace

std::string quoted(std::string_view text) {
    constexpr size_t longest = 80;
    std::string out = "'";
    for (char c : text.substr(0, longest)) out += c >= ' ' && c < 127 ? c : '?';
    if (text.size() > longest) out += "...";
    return out + "'";
}

Lexer::Lexer(std::string_view text, uint16_t source)
    : cursor_(text.data()), end_(text.data() + text.size()), line_begin_(text.data()), source_(source) {
    if (const size_t nul = text.find('\0'); nul != text.npos) end_ = text.data() + nul;
    if (text.starts_with("\xef\xbb\xbf")) cursor_ = line_begin_ = cursor_ + 3;
}

bool Lexer::skip_plain_instruction(const Token& first) {
    const char* at = first.begin;
    const char* line_begin = line_begin_;
    uint32_t line = line_;
    unsigned braces = 0;
    bool is_opcode = true, is_branch = false;
    for (; at != end_; ++at) {
        switch (*at) {
        case ';':
            cursor_ = at + 1;
            line_ = line;
            line_begin_ = line_begin;
            return true;
        case '\n':
            ++line;
            line_begin = at + 1;
            continue;
        case '{':
            ++braces;
            continue;
        case '}':
            if (braces-- == 0) return false;
            continue;
        case '%':
        case '.':
            // A register or a modifier: none of its letters begins a name. `shared::cta` belongs together.
            while (at + 1 != end_ && (is(at[1], word) || (at[1] == ':' && at + 2 != end_ && at[2] == ':') ||
                                      (at[1] == ':' && *at == ':')))
                ++at;
            continue;
        // A label, a call's lists, a comment, a string.
        case ':':
        case '(':
        case '/':
        case '"':
            return false;
        default:
            break;
        }
        if (!is(*at, word)) continue;
        const char* begin = at;
        while (at + 1 != end_ && is(at[1], word)) ++at;
        if (*begin == '$' || is(*begin, digit) || is_branch) continue;
        const std::string_view name(begin, static_cast<size_t>(at - begin) + 1);
        if (!std::exchange(is_opcode, false) || name == "call" || name == "brx") return false;
        is_branch = name == "bra";
    }
    return false;
}

void Lexer::fail(const char* at, const std::string& message) const {
    throw MalformedText({line_, static_cast<uint32_t>(at - line_begin_ + 1), source_}, message);
}

void Lexer::new_line() {
    ++cursor_;
    ++line_;
    line_begin_ = cursor_;
}

void Lexer::skip_line() {
    while (cursor_ != end_ && *cursor_ != '\n') ++cursor_;
}

void Lexer::skip_block_comment() {
    const Token start = make(TokenKind::punctuation, cursor_, {});
    cursor_ += 2;
    for (;;) {
        if (cursor_ == end_) throw MalformedText({start.line, start.column, source_}, "comment without end");
        if (*cursor_ == '\n') {
            new_line();
        } else if (*cursor_ == '*' && end_ - cursor_ > 1 && cursor_[1] == '/') {
            cursor_ += 2;
            return;
        } else {
            ++cursor_;
        }
    }
}

void Lexer::skip_space() {
    while (cursor_ != end_) {
        const char c = *cursor_;
        const char after = end_ - cursor_ > 1 ? cursor_[1] : '\0';
        if (c == '\n') {
            new_line();
        } else if (is_space(c)) {
            ++cursor_;
        } else if (c == '/' && after == '/') {
            skip_line();
        } else if (c == '/' && after == '*') {
            skip_block_comment();
        } else if (c == '@' && after == '@') {
            skip_line(); // "@@DWARF ...": debug information of PTX ISA 1.x
        } else if (c == '#' &&
                   (after == ' ' || is(after, digit) || std::string_view(cursor_, end_).starts_with("#line"))) {
            skip_line(); // line marker of a preprocessor
        } else {
            return;
        }
    }
}

Token Lexer::make(TokenKind kind, const char* begin, std::string_view text) const {
    return {kind, line_, static_cast<uint32_t>(begin - line_begin_ + 1), begin, text};
}

void Lexer::rewind(const Token& token) {
    cursor_ = token.begin;
    line_ = token.line;
    line_begin_ = token.begin - (token.column - 1);
}

Token Lexer::next() {
    skip_space();
    const char* begin = cursor_;
    if (cursor_ == end_) return make(TokenKind::end, begin, {});
    const char c = *cursor_;
    const char after = end_ - cursor_ > 1 ? cursor_[1] : '\0';
    if (is(c, first) || (c == '%' && is(after, word))) {
        do ++cursor_;
        while (cursor_ != end_ && is(*cursor_, word));
        return make(TokenKind::identifier, begin, {begin, cursor_});
    }
    if (is(c, digit)) return number();
    if (c == '.') return dotted();
    if (c == '"') return string();
    return punctuation();
}

Token Lexer::renumber(const Token& token) {
    rewind(token);
    return number();
}

Token Lexer::percent(const Token& token) {
    rewind(token);
    return punctuation();
}

// PTX ISA 4.5.1, 4.5.2. Takes everything that could belong to a number; conversion complains about the rest.
Token Lexer::number() {
    const char* begin = cursor_;
    const bool radix = *cursor_ == '0' && end_ - cursor_ > 1 && is_radix_letter(cursor_[1]);
    while (cursor_ != end_) {
        const char c = *cursor_;
        const bool exponent_sign = !radix && (c == '+' || c == '-') && (cursor_[-1] == 'e' || cursor_[-1] == 'E');
        if (!is(c, word) && !(c == '.' && !radix) && !(exponent_sign && cursor_ != begin)) break;
        ++cursor_;
    }
    return make(TokenKind::number, begin, {begin, cursor_});
}

Token Lexer::dotted() {
    const char* begin = cursor_++;
    while (cursor_ != end_) {
        if (is(*cursor_, word)) {
            ++cursor_;
        } else if (end_ - cursor_ > 2 && cursor_[0] == ':' && cursor_[1] == ':' && is(cursor_[2], word)) {
            cursor_ += 3;
        } else {
            break;
        }
    }
    if (cursor_ == begin + 1) fail(begin, "a name must follow '.'");
    return make(TokenKind::dotted, begin, {begin + 1, cursor_});
}

Token Lexer::string() {
    const char* begin = cursor_++;
    while (cursor_ != end_ && *cursor_ != '"' && *cursor_ != '\n') {
        const bool escape = *cursor_ == '\\' && end_ - cursor_ > 1 && cursor_[1] != '\n';
        cursor_ += escape ? 2 : 1;
    }
    if (cursor_ == end_ || *cursor_ != '"') fail(begin, "string without end");
    ++cursor_;
    return make(TokenKind::string, begin, {begin + 1, cursor_ - 1});
}

Token Lexer::punctuation() {
    static constexpr std::string_view pairs[] = {"<<", ">>", "<=", ">=", "==", "!=", "&&", "||"};
    static constexpr std::string_view singles = "{}()[],;:=+-*/%<>!~&|^?@";
    const char* begin = cursor_;
    const std::string_view two(begin, std::min<size_t>(2, end_ - begin));
    for (std::string_view pair : pairs) {
        if (two != pair) continue;
        cursor_ += 2;
        return make(TokenKind::punctuation, begin, two);
    }
    if (singles.find(*begin) == singles.npos) fail(begin, "unexpected character " + quoted({begin, 1}));
    ++cursor_;
    return make(TokenKind::punctuation, begin, {begin, 1});
}

} // namespace ptx::text_to_ast

#pragma once

#include "text_to_ast/lexer.h"

#include <cstdint>
#include <optional>
#include <string>

namespace ptx::text_to_ast {

/// The value of a constant expression. PTX ISA 4.5.
struct Constant {
    enum class Kind : uint8_t { signed_integer, unsigned_integer, floating };
    Kind kind = Kind::signed_integer;
    uint64_t bits = 0;      ///< of integers
    double value = 0;       ///< of floating-point constants
    bool is_single = false; ///< written as 0f
    uint32_t single_bits = 0;
    uint64_t double_bits = 0;

    bool is_floating() const { return kind == Kind::floating; }
    bool truth() const { return is_floating() ? value != 0 : bits != 0; }
    double as_double() const;
    static Constant integer(uint64_t bits, bool is_unsigned = false);
    static Constant floating(double value);
};

/// The value of a literal; nothing when it is none (`08`, `0f12`, `1x`, too large).
std::optional<Constant> literal(std::string_view text);

/// How tightly a binary operator binds, 0 for what is none. C's order.
int precedence(const Token& operation);
/// Nothing for a division by zero and for operators that floating-point operands do not have.
std::optional<Constant> apply(std::string_view operation, const Constant& left, const Constant& right);
/// `+ - ! ~`
std::optional<Constant> apply(char operation, const Constant& operand);

} // namespace ptx::text_to_ast

#include "text_to_ast/constant.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace ptx::text_to_ast {
namespace {

std::optional<uint64_t> digits(std::string_view text, int base) {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc() || end != text.data() + text.size() || text.empty()) return {};
    return value;
}

// PTX ISA 4.5.2: 0f and eight, or 0d and sixteen hexadecimal digits are the exact bits.
std::optional<Constant> exact_floating(std::string_view hexadecimal, bool single) {
    const auto bits = digits(hexadecimal, 16);
    if (!bits || hexadecimal.size() != (single ? 8u : 16u)) return {};
    if (!single) {
        Constant out = Constant::floating(std::bit_cast<double>(*bits));
        out.double_bits = *bits;
        return out;
    }
    Constant out = Constant::floating(std::bit_cast<float>(static_cast<uint32_t>(*bits)));
    out.is_single = true;
    out.single_bits = static_cast<uint32_t>(*bits);
    return out;
}

std::optional<Constant> decimal_floating(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end != text.data() + text.size()) return {};
    // from_chars leaves the value alone when it is too large or too small for a double.
    if (error == std::errc::result_out_of_range)
        value = std::strtod(std::string(text).c_str(), nullptr);
    else if (error != std::errc())
        return {};
    return Constant::floating(value);
}

std::optional<Constant> divide(uint64_t left, uint64_t right, bool is_unsigned, bool remainder) {
    if (right == 0) return {};
    if (is_unsigned) return Constant::integer(remainder ? left % right : left / right, true);
    const auto a = static_cast<int64_t>(left), b = static_cast<int64_t>(right);
    if (b == -1) return Constant::integer(remainder ? 0 : 0 - left);
    return Constant::integer(static_cast<uint64_t>(remainder ? a % b : a / b));
}

uint64_t shift_right(uint64_t left, uint64_t count, bool is_unsigned) {
    if (is_unsigned) return count < 64 ? left >> count : 0;
    return static_cast<uint64_t>(static_cast<int64_t>(left) >> (count < 64 ? count : 63));
}

template <class T> std::optional<Constant> compare(std::string_view operation, T left, T right) {
    if (operation == "<") return Constant::integer(left < right);
    if (operation == "<=") return Constant::integer(left <= right);
    if (operation == ">") return Constant::integer(left > right);
    if (operation == ">=") return Constant::integer(left >= right);
    if (operation == "==") return Constant::integer(left == right);
    if (operation == "!=") return Constant::integer(left != right);
    return {};
}

std::optional<Constant> apply_floating(std::string_view operation, double left, double right) {
    if (operation == "+") return Constant::floating(left + right);
    if (operation == "-") return Constant::floating(left - right);
    if (operation == "*") return Constant::floating(left * right);
    if (operation == "/") return Constant::floating(left / right);
    return compare(operation, left, right);
}

} // namespace

Constant Constant::integer(uint64_t bits, bool is_unsigned) {
    Constant out;
    out.kind = is_unsigned ? Kind::unsigned_integer : Kind::signed_integer;
    out.bits = bits;
    return out;
}

Constant Constant::floating(double value) {
    Constant out;
    out.kind = Kind::floating;
    out.value = value;
    out.double_bits = std::bit_cast<uint64_t>(value);
    return out;
}

double Constant::as_double() const {
    switch (kind) {
    case Kind::floating:
        return value;
    case Kind::signed_integer:
        return static_cast<double>(static_cast<int64_t>(bits));
    case Kind::unsigned_integer:
        return static_cast<double>(bits);
    }
    return 0;
}

std::optional<Constant> literal(std::string_view text) {
    const char radix = text.size() > 1 && text[0] == '0' ? static_cast<char>(text[1] | 0x20) : '\0';
    if (radix == 'f' || radix == 'd') return exact_floating(text.substr(2), radix == 'f');
    if (radix != 'x' && radix != 'b' && text.find_first_of(".eE") != text.npos) return decimal_floating(text);
    const bool is_unsigned = text.back() == 'U' || text.back() == 'u';
    if (is_unsigned) text.remove_suffix(1);
    std::optional<uint64_t> value;
    if (radix == 'x')
        value = digits(text.substr(2), 16);
    else if (radix == 'b')
        value = digits(text.substr(2), 2);
    else
        value = digits(text, text.size() > 1 && text[0] == '0' ? 8 : 10);
    if (!value) return {};
    return Constant::integer(*value, is_unsigned || *value >> 63 != 0);
}

int precedence(const Token& operation) {
    struct Row {
        std::string_view text;
        int binds;
    };
    static constexpr Row rows[] = {{"||", 1}, {"&&", 2}, {"|", 3},  {"^", 4},  {"&", 5},  {"==", 6},
                                   {"!=", 6}, {"<", 7},  {"<=", 7}, {">", 7},  {">=", 7}, {"<<", 8},
                                   {">>", 8}, {"+", 9},  {"-", 9},  {"*", 10}, {"/", 10}, {"%", 10}};
    if (operation.kind != TokenKind::punctuation) return 0;
    for (const Row& row : rows)
        if (row.text == operation.text) return row.binds;
    return 0;
}

// PTX ISA 4.5.5: integers are 64 bits wide; an operation is unsigned when one operand is.
std::optional<Constant> apply(std::string_view operation, const Constant& left, const Constant& right) {
    if (operation == "&&") return Constant::integer(left.truth() && right.truth());
    if (operation == "||") return Constant::integer(left.truth() || right.truth());
    if (left.is_floating() || right.is_floating())
        return apply_floating(operation, left.as_double(), right.as_double());
    const bool is_unsigned =
        left.kind == Constant::Kind::unsigned_integer || right.kind == Constant::Kind::unsigned_integer;
    const bool left_unsigned = left.kind == Constant::Kind::unsigned_integer;
    const uint64_t a = left.bits, b = right.bits;
    if (operation == "+") return Constant::integer(a + b, is_unsigned);
    if (operation == "-") return Constant::integer(a - b, is_unsigned);
    if (operation == "*") return Constant::integer(a * b, is_unsigned);
    if (operation == "/") return divide(a, b, is_unsigned, false);
    if (operation == "%") return divide(a, b, is_unsigned, true);
    if (operation == "<<") return Constant::integer(b < 64 ? a << b : 0, left_unsigned);
    if (operation == ">>") return Constant::integer(shift_right(a, b, left_unsigned), left_unsigned);
    if (operation == "&") return Constant::integer(a & b, is_unsigned);
    if (operation == "|") return Constant::integer(a | b, is_unsigned);
    if (operation == "^") return Constant::integer(a ^ b, is_unsigned);
    if (is_unsigned) return compare(operation, a, b);
    return compare(operation, static_cast<int64_t>(a), static_cast<int64_t>(b));
}

std::optional<Constant> apply(char operation, const Constant& operand) {
    const bool is_unsigned = operand.kind == Constant::Kind::unsigned_integer;
    switch (operation) {
    case '+':
        return operand;
    case '!':
        return Constant::integer(!operand.truth());
    case '~':
        if (operand.is_floating()) return {};
        return Constant::integer(~operand.bits, is_unsigned);
    case '-':
        break;
    default:
        return {};
    }
    if (!operand.is_floating()) return Constant::integer(0 - operand.bits, is_unsigned);
    Constant out = operand;
    // Flips the sign bit itself, so that NaNs keep their bits.
    out.value = -operand.value;
    out.double_bits ^= uint64_t{1} << 63;
    out.single_bits ^= operand.is_single ? uint32_t{1} << 31 : 0;
    return out;
}

} // namespace ptx::text_to_ast

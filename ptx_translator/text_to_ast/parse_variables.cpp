#include "text_to_ast/parser.h"

#include <bit>

// PTX ISA 5.4: declarations.
namespace ptx::text_to_ast {

bool Parser::declaration_space(Variable& variable) {
    struct Row {
        std::string_view name;
        Space space;
    };
    static constexpr Row rows[] = {
        {"global", Space::global}, {"const", Space::constant}, {"shared", Space::shared}, {"local", Space::local},
        {"param", Space::param},   {"reg", Space::reg},        {"tex", Space::global},
    };
    for (const Row& row : rows) {
        if (token_.text != row.name) continue;
        if (variable.space != Space::generic) fail("a second state space");
        variable.space = row.space;
        // PTX ISA 1.x: `.tex .u32 name` declares what is a .global .texref now.
        if (row.name == "tex") variable.type = Type::texref;
        advance();
        if (variable.space == Space::constant && accept('[')) {
            expect_count("the constant bank");
            expect(']');
        }
        return true;
    }
    return false;
}

// `.attribute(.managed, .unified(1, 2))`. PTX ISA 5.4.8.
void Parser::attributes(Variable& variable) {
    expect('(');
    do {
        if (at_dotted("managed"))
            variable.managed = true;
        else if (!at_dotted("unified"))
            fail("unknown attribute " + found());
        advance();
        if (!accept('(')) continue;
        do constant_expression();
        while (accept(','));
        expect(')');
    } while (accept(','));
    expect(')');
}

// `.ptr{.space}{.align n}`. PTX ISA 11.2.1.
void Parser::pointer_attributes(Variable& variable) {
    Variable pointee;
    if (at(TokenKind::dotted)) declaration_space(pointee);
    variable.points_to = pointee.space;
    if (accept_dotted("align")) variable.pointee_alignment = static_cast<uint32_t>(expect_count("the alignment"));
}

bool Parser::declaration_part(Variable& variable) {
    if (declaration_space(variable)) return true;
    const Token word = token_;
    if (word.text == "align") {
        advance();
        const Position begin = where();
        const uint64_t alignment = expect_count("the alignment");
        if (!std::has_single_bit(alignment) || alignment > (1u << 20))
            fail_at(begin, "the alignment must be a power of two");
        variable.alignment = static_cast<uint32_t>(alignment);
        return true;
    }
    if (word.text == "attribute") {
        advance();
        attributes(variable);
        return true;
    }
    if (word.text == "ptr") {
        advance();
        pointer_attributes(variable);
        return true;
    }
    if (word.text == "v2" || word.text == "v4" || word.text == "v8") {
        variable.lanes = static_cast<uint8_t>(word.text[1] - '0');
        advance();
        return true;
    }
    const Type type = type_of(modifier_named(word.text));
    if (type == Type::none) return false;
    if (variable.type == Type::none)
        variable.type = type;
    else if (variable.type != Type::texref)
        fail("a second type");
    advance();
    return true;
}

Variable Parser::declaration_head() {
    Variable variable;
    const Token first = token_;
    while (at(TokenKind::dotted))
        if (!declaration_part(variable)) {
            if (token_.begin == first.begin) return variable; // no declaration at all: the caller knows better
            fail("unknown type or attribute " + found());
        }
    if (variable.space != Space::generic && variable.type == Type::none) fail("expected a type, found " + found());
    return variable;
}

// `[2][3]`, `[]`. The first may be open.
void Parser::dimensions(Variable& variable, std::vector<uint64_t>& extents) {
    variable.element_count = 1;
    while (at('[')) {
        const Position begin = where();
        advance();
        variable.is_array = true;
        if (at(']') && extents.empty()) {
            variable.is_unsized = true;
            extents.push_back(0);
        } else {
            extents.push_back(expect_count("the number of elements"));
            uint64_t& count = variable.element_count;
            if (__builtin_mul_overflow(count, extents.back(), &count) || count > largest_variable)
                fail_at(begin, "the array is too large");
        }
        expect(']');
        if (extents.size() > deepest) fail_at(begin, "too many dimensions");
    }
}

Variable Parser::declarator(const Variable& head) {
    Variable variable = head;
    variable.where = where();
    declared_name_ = expect_identifier("a name");
    const std::string_view name = declared_name_;
    variable.name = name;
    std::vector<uint64_t> extents;
    dimensions(variable, extents);
    if (variable.alignment == 0) variable.alignment = std::max(1u, variable.lanes * size_of(variable.type));
    const uint64_t inner = variable.element_count;
    if (variable.is_unsized) variable.element_count = 0;
    if (accept('=')) {
        if (variable.is_unsized) variable.element_count = inner;
        initializer(variable, std::move(extents));
    }
    declared_name_ = name;
    return variable;
}

Variable Parser::formal_parameter() {
    const Position begin = where();
    const Variable head = declaration_head();
    if (head.space != Space::param && head.space != Space::reg) fail_at(begin, "expected a .param or .reg declaration");
    return declarator(head);
}

// With both parentheses.
std::vector<Variable> Parser::formal_parameters() {
    std::vector<Variable> out;
    expect('(');
    if (accept(')')) return out;
    do out.push_back(formal_parameter());
    while (accept(','));
    expect(')');
    return out;
}

} // namespace ptx::text_to_ast

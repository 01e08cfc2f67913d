#include "text_to_ast/parser.h"

namespace ptx::text_to_ast {

void Parser::body_statement() {
    const Token begin = token_;
    depth_ = 0;
    try {
        if (accept(';')) return;
        if (at(TokenKind::dotted)) return body_directive();
        if (function_->abridged && skip_plain_instruction()) return;
        if (!at(TokenKind::identifier)) return guarded_instruction();
        advance();
        if (at(':')) return label(begin);
        Instruction out;
        instruction(out, begin);
    } catch (const MalformedText&) {
        throw;
    } catch (const Error& error) {
        function_->errors.push_back(error.diagnostic());
        recover(begin);
    }
}

bool Parser::skip_plain_instruction() {
    if (!lexer_.skip_plain_instruction(token_)) return false;
    advance();
    return true;
}

// Goes on behind the semicolon that ends the statement. A brace after a separator belongs to a vector; after anything
// else it opens a block, and the semicolon of the broken statement is what was missing.
void Parser::recover(const Token& begin) {
    lexer_.rewind(begin);
    advance();
    size_t open = 0;
    for (Token before; !at(TokenKind::end); advance()) {
        const bool separated =
            before.kind == TokenKind::dotted || before.is(',') || before.is('[') || before.is('(') || before.is('{');
        if (at('{') && open == 0 && !separated) return;
        if (at('{')) ++open;
        if (at('}') && open-- == 0) return;
        if (at(';')) return advance();
        before = token_;
    }
}

void Parser::body_directive() {
    if (accept_dotted("reg")) return register_declaration();
    if (accept_dotted("loc")) return location();
    if (accept_dotted("pragma")) return pragma();
    if (accept_dotted("file")) return file();
    const Token first = token_;
    const Linkage linked = linkage();
    const Variable head = declaration_head();
    if (head.space == Space::generic || head.space == Space::reg)
        fail_at(position_of(first), "unknown directive " + quoted("." + std::string(first.text.substr(0, 100))));
    do {
        Variable variable = declarator(head);
        variable.linkage = linked;
        add_local(std::move(variable));
    } while (accept(','));
    expect(';');
}

void Parser::add_local(Variable variable) {
    if (!symbols_.declare(declared_name_, {Symbol::Kind::local, static_cast<LocalId>(function_->locals.size())}))
        fail_at(variable.where, quoted(variable.name) + " is declared twice");
    function_->locals.push_back(std::move(variable));
}

// `.reg .v4 .f32 a, %r<100>;` PTX ISA 5.1.1, 5.4.6.
void Parser::register_declaration() {
    Register prototype;
    while (at(TokenKind::dotted)) {
        const Type type = type_of(modifier_named(token_.text));
        if (token_.text == "v2" || token_.text == "v4" || token_.text == "v8") {
            prototype.lanes = static_cast<uint8_t>(token_.text[1] - '0');
        } else if (token_.text == "align") {
            advance();
            expect_count("the alignment");
            continue;
        } else if (type != Type::none && prototype.type == Type::none) {
            prototype.type = type;
        } else {
            fail("expected a type, found " + found());
        }
        advance();
    }
    if (prototype.type == Type::none) fail("expected a type, found " + found());
    do {
        prototype.where = where();
        const std::string_view name = expect_identifier("the name of a register");
        if (!accept('<')) {
            add_register(prototype, name);
            continue;
        }
        // No expression: its '>' would be the bracket.
        if (!at(TokenKind::number)) fail("expected the number of registers, found " + found());
        add_register_range(prototype, name, primary_constant().bits);
        expect('>');
    } while (accept(','));
    expect(';');
}

void Parser::add_register(const Register& prototype, std::string_view name) {
    const auto id = static_cast<RegisterId>(function_->registers.size());
    if (!symbols_.declare(name, {Symbol::Kind::reg, id})) fail_at(prototype.where, quoted(name) + " is declared twice");
    function_->registers.push_back(prototype);
    function_->registers.back().name = name;
}

void Parser::add_register_range(const Register& prototype, std::string_view prefix, uint64_t count) {
    if (count > most_registers) fail_at(prototype.where, "too many registers");
    if (!symbols_.declare_range(prefix, prototype, static_cast<uint32_t>(count)))
        fail_at(prototype.where, quoted(prefix) + " is declared twice");
}

void Parser::label(const Token& name) {
    expect(':');
    if (at_dotted("branchtargets") || at_dotted("calltargets") || at_dotted("callprototype"))
        return labeled_directive(name);
    if (!symbols_.declare_label(name.text, static_cast<LabelId>(function_->labels.size())))
        return function_->errors.push_back(
            {position_of(name), "label " + quoted(name.text) + " is defined twice", Severity::error});
    function_->labels.push_back(
        {std::string(name.text), static_cast<int32_t>(function_->instructions.size()), position_of(name)});
}

// PTX ISA 11.3.
void Parser::labeled_directive(const Token& name) {
    if (accept_dotted("branchtargets")) return branch_targets(name.text);
    if (accept_dotted("calltargets")) return call_targets(name.text);
    advance();
    call_prototype(name.text);
}

void Parser::branch_targets(std::string_view name) {
    const size_t list = function_->branch_targets.size();
    function_->branch_targets.push_back({std::string(name), {}});
    do {
        Pending pending;
        pending.list = list;
        pending.element = function_->branch_targets[list].labels.size();
        pending.where = where();
        pending.name = expect_identifier("a label");
        // `L1, L2` or `L<4>`: the labels L0 .. L3.
        if (at('<')) fail("ranges of labels are not supported");
        function_->branch_targets[list].labels.push_back(none);
        pending_.push_back(pending);
    } while (accept(','));
    expect(';');
}

void Parser::call_targets(std::string_view name) {
    CallTargets out{std::string(name), {}};
    do out.functions.emplace_back(expect_identifier("the name of a function"));
    while (accept(','));
    expect(';');
    function_->call_targets.push_back(std::move(out));
}

void Parser::call_prototype(std::string_view name) {
    Function shape;
    Prototype out;
    out.name = name;
    if (at('(')) out.results = formal_parameters();
    expect_identifier("'_'");
    if (at('(')) out.parameters = formal_parameters();
    function_directives(shape);
    out.noreturn = shape.noreturn;
    expect(';');
    function_->prototypes.push_back(std::move(out));
}

} // namespace ptx::text_to_ast

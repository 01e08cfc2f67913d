#include "text_to_ast/parse.h"
#include "text_to_ast/parser.h"

#include <charconv>

// PTX ISA 11: the directives outside functions.
namespace ptx::text_to_ast {

Parser::Parser(std::string_view text, uint16_t source, Reading reading)
    : lexer_(text, source), reading_(std::move(reading)), outlines_(reading_.choose != nullptr),
      module_(std::make_unique<Module>()) {}

std::unique_ptr<Module> Parser::parse() {
    advance();
    header();
    while (!at(TokenKind::end)) statement();
    resolve_pending_module_names();
    if (reading_.choose) read_chosen();
    for (const auto& function : module_->functions) sort(function->errors);
    return std::move(module_);
}

void Parser::read_chosen() {
    outlines_ = false;
    unresolved_.clear();
    for (const Function* chosen : reading_.choose(*module_)) {
        const auto begin = bodies_.find(chosen);
        if (begin == bodies_.end()) continue;
        lexer_.rewind(begin->second);
        advance();
        Function& function = *const_cast<Function*>(chosen);
        function.registers.clear();
        function.locals.clear();
        function.labels.clear();
        function.branch_targets.clear();
        function.call_targets.clear();
        function.prototypes.clear();
        function.instructions.clear();
        function.errors.clear();
        body(function);
    }
    resolve_pending_module_names();
}

// PTX ISA 11.1: a module begins with .version, then .target.
void Parser::header() {
    if (!at_dotted("version")) fail("the text must begin with .version, found " + found());
    statement();
    while (at_dotted("file") || at_dotted("pragma")) statement();
    if (!at_dotted("target")) fail(".target must follow .version, found " + found());
    statement();
}

void Parser::statement() {
    struct Row {
        std::string_view name;
        void (Parser::*parse)();
    };
    static constexpr Row rows[] = {
        {"version", &Parser::version}, {"target", &Parser::target}, {"address_size", &Parser::address_size},
        {"file", &Parser::file},       {"loc", &Parser::location},  {"section", &Parser::section},
        {"pragma", &Parser::pragma},   {"alias", &Parser::alias},
    };
    if (accept(';')) return;
    if (!at(TokenKind::dotted)) fail("expected a directive, found " + found());
    for (const Row& row : rows) {
        if (token_.text != row.name) continue;
        advance();
        return (this->*row.parse)();
    }
    const Linkage linked = linkage();
    if (at_dotted("entry") || at_dotted("func")) return function(linked);
    module_variables(linked);
}

Linkage Parser::linkage() {
    Linkage out = Linkage::internal;
    for (;;) {
        if (at_dotted("visible"))
            out = Linkage::visible;
        else if (at_dotted("extern"))
            out = Linkage::external;
        else if (at_dotted("weak"))
            out = Linkage::weak;
        else if (at_dotted("common"))
            out = Linkage::common;
        else
            return out;
        advance();
    }
}

void Parser::version() {
    const std::string_view text = token_.text;
    const size_t dot = text.find('.');
    const auto number = [&](std::string_view digits, unsigned& out) {
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
        return error == std::errc() && end == digits.data() + digits.size() && out < 1000;
    };
    if (!at(TokenKind::number) || dot == text.npos || !number(text.substr(0, dot), module_->version_major) ||
        !number(text.substr(dot + 1), module_->version_minor))
        fail("expected a version such as 8.3, found " + found());
    advance();
}

void Parser::target() {
    do {
        const Position begin = where();
        const std::string_view name = expect_identifier("an architecture or option");
        if (name.starts_with("sm_") || name.starts_with("compute_"))
            module_->target = name;
        else
            module_->target_options.emplace_back(name);
        if (module_->target.empty()) fail_at(begin, "the first name of .target must be an architecture");
    } while (accept(','));
}

void Parser::address_size() {
    const Position begin = where();
    const uint64_t size = expect_count("the address size");
    if (size != 32 && size != 64) fail_at(begin, "the address size must be 32 or 64");
    module_->address_size = static_cast<unsigned>(size);
}

// `.file 1 "name"`, then optionally a time and a size. PTX ISA 11.5.3.
void Parser::file() {
    constexpr uint64_t most_files = 1 << 20;
    const Position begin = where();
    const uint64_t index = expect_count("the number of a file");
    if (index >= most_files) fail_at(begin, "the number of a file is too large");
    if (!at(TokenKind::string)) fail("expected the name of a file, found " + found());
    if (module_->files.size() <= index) module_->files.resize(index + 1);
    module_->files[index] = token_.text;
    advance();
    while (accept(',')) constant_expression();
}

// `.loc file line column`, then optionally `, function_name label {+ n}, inlined_at file line column`. PTX ISA 11.5.4.
void Parser::location() {
    const auto number = [this] {
        if (!at(TokenKind::number)) fail("expected a number, found " + found());
        return static_cast<uint32_t>(primary_constant().bits);
    };
    file_ = number();
    line_ = number();
    number();
    while (accept(',')) {
        const Position begin = where();
        const std::string_view what = expect_identifier("function_name or inlined_at");
        if (what == "function_name") {
            expect_identifier("a label");
            if (at('+') || at('-')) byte_offset();
        } else if (what == "inlined_at") {
            number(), number(), number();
        } else {
            fail_at(begin, "expected function_name or inlined_at, found " + quoted(what));
        }
    }
}

// DWARF as data. Nothing here reads it, so it is only skipped. PTX ISA 11.5.2.
void Parser::section() {
    while (!at('{')) {
        if (at(TokenKind::end) || at('}') || at(';')) fail("expected '{', found " + found());
        advance();
    }
    size_t open = 0;
    do {
        if (at('{')) ++open;
        if (at('}')) --open;
        if (at(TokenKind::end)) fail("expected '}', found " + found());
        advance();
    } while (open != 0);
}

// Hints to NVIDIA's own compiler. PTX ISA 11.4.8.
void Parser::pragma() {
    do {
        if (!at(TokenKind::string)) fail("expected a string, found " + found());
        advance();
    } while (accept(','));
    expect(';');
}

void Parser::alias() {
    Alias out;
    out.where = where();
    out.name = expect_identifier("the name of a function");
    expect(',');
    out.target = expect_identifier("the name of a function");
    expect(';');
    module_->aliases.push_back(std::move(out));
}

void Parser::module_variables(Linkage linkage) {
    const Token first = token_;
    const Variable head = declaration_head();
    switch (head.space) {
    case Space::global:
    case Space::constant:
    case Space::shared:
        break;
    case Space::generic:
        fail_at(position_of(first), "unknown directive " + quoted("." + std::string(first.text.substr(0, 100))));
    default:
        fail_at(position_of(first), "." + std::string(name_of(head.space)) + " is not possible outside functions");
    }
    do {
        Variable variable = declarator(head);
        variable.linkage = linkage;
        add_module_variable(std::move(variable));
    } while (accept(','));
    expect(';');
}

// A definition replaces a declaration (`.extern`, or `.common` without initial value) of the same name.
void Parser::add_module_variable(Variable variable) {
    const auto declares = [](const Variable& v) {
        return v.linkage == Linkage::external ||
               ((v.linkage == Linkage::common || v.linkage == Linkage::weak) && !v.has_initializer);
    };
    const std::string_view name = declared_name_;
    const auto [found, is_new] = module_symbols_.try_emplace(name, ModuleSymbol{false, module_->variables.size()});
    if (is_new) {
        module_->variables.push_back(std::move(variable));
        return;
    }
    if (found->second.is_function) fail_at(variable.where, quoted(name) + " is a function already");
    Variable& known = module_->variables[found->second.index];
    if (declares(variable)) return;
    if (!declares(known)) fail_at(variable.where, quoted(name) + " is defined twice");
    known = std::move(variable);
}

void Parser::resolve_pending_module_names() {
    for (const Unresolved& unresolved : unresolved_) {
        if (resolve_in_module(*unresolved.operand) || unresolved.is_call_target) continue;
        unresolved.function->errors.push_back(
            {unresolved.operand->where, "undeclared name " + quoted(unresolved.operand->name), Severity::error});
    }
}

} // namespace ptx::text_to_ast

namespace ptx {

std::unique_ptr<Module> parse(std::string_view text, uint16_t source) { return parse(text, source, Reading{}); }

std::unique_ptr<Module> parse(std::string_view text, uint16_t source, Reading reading) {
    return text_to_ast::Parser(text, source, std::move(reading)).parse();
}

} // namespace ptx

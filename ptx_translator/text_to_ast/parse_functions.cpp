#include "text_to_ast/parser.h"

// PTX ISA 11.2, 11.4: .entry, .func and their directives.
namespace ptx::text_to_ast {
namespace {

struct DirectiveRow {
    std::string_view name;
    unsigned fewest, most; ///< values
};

constexpr DirectiveRow directive_rows[] = {
    {"maxnreg", 1, 1},
    {"maxntid", 1, 3},
    {"reqntid", 1, 3},
    {"minnctapersm", 1, 1},
    {"maxnctapersm", 1, 1},
    {"maxclusterrank", 1, 1},
    {"reqnctapercluster", 0, 3},
    {"explicitcluster", 0, 0},
    {"blocksareclusters", 0, 0},
    {"abi_preserve", 1, 1},
    {"abi_preserve_control", 1, 1},
};

} // namespace

bool Parser::function_directive(Function& function) {
    if (accept_dotted("noreturn")) return function.noreturn = true;
    if (accept_dotted("pragma")) {
        // No semicolon is required here.
        do {
            if (!at(TokenKind::string)) fail("expected a string, found " + found());
            advance();
        } while (accept(','));
        if (at(';')) advance();
        return true;
    }
    if (accept_dotted("attribute")) {
        Variable ignored;
        attributes(ignored);
        return true;
    }
    for (const DirectiveRow& row : directive_rows) {
        if (!accept_dotted(row.name)) continue;
        PerformanceDirective out{std::string(row.name), {}};
        while (out.values.size() < row.most) {
            if (row.fewest == 0 && !at(TokenKind::number)) break;
            out.values.push_back(static_cast<uint32_t>(expect_count("the value of a directive")));
            if (out.values.size() == row.most || !accept(',')) break;
        }
        if (row.most == 3 && !out.values.empty()) out.values.resize(3, 1);
        function.directives.push_back(std::move(out));
        return true;
    }
    return false;
}

void Parser::function_directives(Function& function) {
    while (at(TokenKind::dotted))
        if (!function_directive(function)) fail("unknown directive " + found());
}

void Parser::function(Linkage linkage) {
    auto fresh = std::make_unique<Function>();
    fresh->linkage = linkage;
    fresh->is_entry = at_dotted("entry");
    advance();
    function_directives(*fresh);
    if (!fresh->is_entry && at('(')) fresh->results = formal_parameters();
    function_directives(*fresh);
    fresh->where = where();
    declared_name_ = expect_identifier("the name of a function");
    const std::string_view name = declared_name_;
    fresh->name = name;
    if (at('(')) fresh->parameters = formal_parameters();
    function_directives(*fresh);
    declared_name_ = name;
    if (accept(';')) {
        declare_function(std::move(fresh), false);
        return;
    }
    if (!at('{')) fail("expected '{' or ';', found " + found());
    fresh->has_body = true;
    body(declare_function(std::move(fresh), true));
}

// A definition takes the place of earlier prototypes, whose address others may have.
Function& Parser::declare_function(std::unique_ptr<Function> fresh, bool defines) {
    const auto [found, is_new] =
        module_symbols_.try_emplace(declared_name_, ModuleSymbol{true, module_->functions.size()});
    if (is_new) {
        module_->functions.push_back(std::move(fresh));
        return *module_->functions.back();
    }
    if (!found->second.is_function) fail_at(fresh->where, quoted(declared_name_) + " is a variable already");
    Function& known = *module_->functions[found->second.index];
    if (known.is_entry != fresh->is_entry)
        fail_at(fresh->where, quoted(declared_name_) + " is declared both as .entry and as .func");
    if (defines && known.has_body) fail_at(fresh->where, quoted(declared_name_) + " is defined twice");
    if (!defines) return known;
    if (fresh->linkage == Linkage::internal && known.linkage != Linkage::external) fresh->linkage = known.linkage;
    known = std::move(*fresh);
    return known;
}

void Parser::declare_formals() {
    const auto declare = [this](std::vector<Variable>& variables, Symbol::Kind kind) {
        for (size_t i = 0; i < variables.size(); ++i) {
            const Variable& variable = variables[i];
            Symbol symbol{kind, static_cast<int32_t>(i)};
            if (variable.space == Space::reg) {
                symbol = {Symbol::Kind::reg, static_cast<RegisterId>(function_->registers.size())};
                function_->registers.push_back({variable.name, variable.type, variable.lanes, variable.where});
            }
            if (variable.name != "_" && !symbols_.declare(variable.name, symbol))
                fail_at(variable.where, quoted(variable.name) + " is declared twice");
        }
    };
    declare(function_->results, Symbol::Kind::result);
    declare(function_->parameters, Symbol::Kind::parameter);
}

void Parser::body(Function& function) {
    function_ = &function;
    symbols_.clear();
    pending_.clear();
    pending_begin_.clear();
    file_ = line_ = 0;
    function.abridged = outlines_;
    if (outlines_) bodies_.emplace(&function, token_);
    declare_formals();
    do {
        if (at(TokenKind::end)) fail("'}' is missing at the end of " + quoted(function.name));
        if (at('{')) {
            if (symbols_.depth() > deepest_scope) fail("nested too deep");
            symbols_.open_scope();
            pending_begin_.push_back(pending_.size());
            advance();
        } else if (at('}')) {
            close_scope();
            advance();
        } else {
            body_statement();
        }
    } while (!pending_begin_.empty());
    function_ = nullptr;
    if (reading_.end_of_body) reading_.end_of_body(*module_, function);
}

void Parser::close_scope() {
    resolve_pending();
    pending_begin_.pop_back();
    symbols_.close_scope();
}

bool Parser::resolve_label(Pending& pending) {
    const LabelId label = symbols_.find_label(pending.name);
    if (label == none) return false;
    if (pending.operand == nullptr) {
        function_->branch_targets[pending.list].labels[pending.element] = label;
        return true;
    }
    pending.operand->kind = Operand::Kind::label;
    pending.operand->label_id = label;
    return true;
}

void Parser::give_up(Pending& pending) {
    if (pending.operand != nullptr && pending.operand->kind == Operand::Kind::symbol)
        return unresolved_.push_back({function_, pending.operand, false});
    function_->errors.push_back({pending.where, "undefined label " + quoted(pending.name), Severity::error});
}

// A label is visible in its block and the blocks within, before its definition too: names wait until a block closes.
void Parser::resolve_pending() {
    const size_t begin = pending_begin_.back();
    const bool outermost = pending_begin_.size() == 1;
    size_t kept = begin;
    for (size_t i = begin; i < pending_.size(); ++i) {
        if (resolve_label(pending_[i])) continue;
        if (outermost)
            give_up(pending_[i]);
        else
            pending_[kept++] = pending_[i];
    }
    pending_.resize(kept);
}

} // namespace ptx::text_to_ast

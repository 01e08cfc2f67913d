#pragma once

#include "ast/ast.h"
#include "text_to_ast/constant.h"
#include "text_to_ast/lexer.h"
#include "text_to_ast/parse.h"
#include "text_to_ast/symbols.h"

#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ptx::text_to_ast {

/// A recursive-descent parser of one text. Its functions throw Error at the offending token; the loop over the
/// statements of a function body turns that into a diagnostic of the function, unless it is a MalformedText.
/// Recursion is bounded by `deepest`. The member functions stand in parse_*.cpp by chapter.
class Parser {
  public:
    Parser(std::string_view text, uint16_t source, Reading reading);
    std::unique_ptr<Module> parse();

  private:
    static constexpr unsigned deepest = 100; ///< nesting of expressions, operands and braces
    static constexpr unsigned deepest_scope = 500;
    static constexpr uint64_t most_registers = 1u << 21;            ///< of a declaration
    static constexpr uint64_t most_initial_bytes = 512u << 20;      ///< of a module
    static constexpr uint64_t largest_variable = uint64_t{1} << 40; ///< bytes

    /// Counts a level of recursion for as long as it lives.
    class Nested {
      public:
        explicit Nested(Parser& parser);
        ~Nested() { --parser_.depth_; }
        Nested(const Nested&) = delete;
        Nested& operator=(const Nested&) = delete;

      private:
        Parser& parser_;
    };

    /// A name that may yet become a label (when its scope closes) or a later module symbol.
    struct Pending {
        Operand* operand = nullptr; ///< null for an entry of a branch target list
        size_t list = 0, element = 0;
        std::string_view name;
        Position where;
    };

    // tokens (parse_tokens.cpp)
    void advance() { token_ = lexer_.next(); }
    bool at(char punctuation) const { return token_.is(punctuation); }
    bool at(TokenKind kind) const { return token_.kind == kind; }
    bool at_dotted(std::string_view text) const { return token_.kind == TokenKind::dotted && token_.text == text; }
    bool accept(char punctuation);
    bool accept_dotted(std::string_view text);
    void expect(char punctuation);
    std::string_view expect_identifier(const char* what);
    uint64_t expect_count(const char* what);
    Position where() const { return position_of(token_); }
    Position position_of(const Token& token) const { return {token.line, token.column, lexer_.source()}; }
    std::string found() const;
    [[noreturn]] void fail(const std::string& message) const { fail_at(where(), message); }
    [[noreturn]] void fail_at(Position, const std::string& message) const;

    // constant expressions (parse_constants.cpp)
    Constant constant_expression();
    Constant binary_constant(Constant left, int lowest);
    Constant conditional_constant(Constant condition);
    Constant unary_constant();
    Constant primary_constant();
    Constant parenthesized_constant();

    // module (parse_module.cpp)
    void header();
    void statement();
    void version();
    void target();
    void address_size();
    void file();
    void location();
    void section();
    void pragma();
    void alias();
    void module_variables(Linkage);
    void add_module_variable(Variable);
    Linkage linkage();
    void resolve_pending_module_names();
    void read_chosen();

    // variables (parse_variables.cpp)
    /// What stands before the names of a declaration: space, alignment, attributes, vector length, type.
    Variable declaration_head();
    bool declaration_part(Variable&);
    bool declaration_space(Variable&);
    void pointer_attributes(Variable&);
    void attributes(Variable&);
    /// Name, dimensions and initialiser.
    Variable declarator(const Variable& head);
    void dimensions(Variable&, std::vector<uint64_t>& extents);
    Variable formal_parameter();
    std::vector<Variable> formal_parameters();

    // initialisers (parse_initializers.cpp)
    void initializer(Variable&, std::vector<uint64_t> extents);
    /// One pair of braces; returns how many scalars it covered.
    uint64_t initialize_aggregate(Variable&, const std::vector<uint64_t>& strides, size_t level, uint64_t first,
                                  uint64_t count);
    void initialize_element(Variable&, uint64_t index);
    void initialize_opaque(Variable&);
    void masked_element(Variable&, uint64_t offset, uint64_t mask);
    void symbol_address(Relocation&);
    void store(Variable&, uint64_t offset, const Constant&);
    void write_bytes(Variable&, uint64_t offset, uint64_t bits, unsigned bytes);

    // functions (parse_functions.cpp)
    void function(Linkage);
    Function& declare_function(std::unique_ptr<Function>, bool defines);
    void function_directives(Function&);
    bool function_directive(Function&);
    void body(Function&);
    void close_scope();
    void resolve_pending();
    bool resolve_label(Pending&);
    void give_up(Pending&);
    void declare_formals();

    // statements of a body (parse_statements.cpp)
    void body_statement();
    bool skip_plain_instruction();
    void recover(const Token& begin);
    void body_directive();
    void register_declaration();
    void add_register(const Register& prototype, std::string_view name);
    void add_register_range(const Register& prototype, std::string_view prefix, uint64_t count);
    void add_local(Variable);
    void label(const Token& name);
    void labeled_directive(const Token& name);
    void branch_targets(std::string_view name);
    void call_targets(std::string_view name);
    void call_prototype(std::string_view name);

    // instructions (parse_instructions.cpp)
    void guarded_instruction();
    void instruction(Instruction&, const Token& first);
    void opcode(Instruction&, const Token& first);
    void branch_operands(Instruction&);
    void call_operands(Instruction&);
    Operand argument_list();

    // operands (parse_operands.cpp)
    Operand operand();
    Operand operand_without_pair();
    Operand pair(Operand first);
    Operand named_operand();
    Operand negated_operand();
    Operand constant_operand(Operand, const Constant&);
    Operand vector_operand();
    Operand address_operand();
    Operand address_base();
    Operand element_of_array(Operand symbol);
    Operand accessed_element(Operand symbol) const;
    void component(Operand&);
    int64_t byte_offset();
    void resolve_name(Operand&, std::string_view name);
    Symbol find(std::string_view name) { return symbols_.find(name, function_->registers); }
    void note_pending(const Instruction&, Operand&, size_t index);
    void note_pending(Operand&);
    bool resolve_in_module(Operand&) const;

    Lexer lexer_;
    Token token_;
    Reading reading_;
    bool outlines_;                                     ///< bodies are abridged now
    std::unordered_map<const Function*, Token> bodies_; ///< of abridged functions: where they begin
    unsigned depth_ = 0;
    std::unique_ptr<Module> module_;

    struct ModuleSymbol {
        bool is_function = false;
        size_t index = 0;
    };
    std::unordered_map<std::string_view, ModuleSymbol> module_symbols_;
    uint64_t initial_bytes_ = 0;

    Function* function_ = nullptr;
    SymbolTable symbols_;
    std::vector<Pending> pending_;
    std::vector<size_t> pending_begin_; ///< per open scope
    struct Unresolved {
        Function* function;
        Operand* operand;
        bool is_call_target;
    };
    std::vector<Unresolved> unresolved_;
    std::string_view declared_name_; ///< of the last declarator, as it stands in the text
    uint32_t file_ = 0, line_ = 0;
    Opcode opcode_ = Opcode::unknown; ///< of the instruction at hand
    std::vector<Token> words_;
};

} // namespace ptx::text_to_ast

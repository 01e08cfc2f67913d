#pragma once

#include "ast/ast.h"

#include <string_view>
#include <unordered_map>
#include <vector>

namespace ptx::text_to_ast {

/// What a name of a function body stands for.
struct Symbol {
    enum class Kind : uint8_t { nothing, reg, local, parameter, result };
    Kind kind = Kind::nothing;
    int32_t id = none;
};

/// Names of one function, by nested scope (PTX ISA 5.4.1, 9.7.12.1). Names must outlive it; they point into the text.
class SymbolTable {
  public:
    SymbolTable() { clear(); }

    void clear();
    void open_scope();
    void close_scope();
    unsigned depth() const { return static_cast<unsigned>(scopes_.size()); }

    /// False when the innermost scope already has the name.
    bool declare(std::string_view name, Symbol symbol);
    /// `prefix<count>`: count registers like `prototype`, which exist once they are asked for.
    bool declare_range(std::string_view prefix, const Register& prototype, uint32_t count);
    bool declare_label(std::string_view name, LabelId label);

    /// A member of a range joins `registers`, those of the function, when it is asked for the first time.
    Symbol find(std::string_view name, std::vector<Register>& registers);
    /// Only labels of the innermost scope: outer ones are asked for when their scope closes.
    LabelId find_label(std::string_view name) const;

  private:
    template <class Value> struct Entry {
        Value value{};
        unsigned depth = 0; ///< 0: undeclared
    };
    struct Range {
        Register prototype;
        uint32_t count = 0;
        unsigned depth = 0;
        int32_t outer = none; ///< in all_ranges_: the one that it shadows, whose higher numbers stay visible
    };
    /// A map whose entries shadow and reappear.
    template <class Value> struct Names {
        std::unordered_map<std::string_view, Entry<Value>> entries;
        std::vector<std::pair<std::string_view, Entry<Value>>> shadowed;

        bool declare(std::string_view name, Value value, unsigned depth);
        void undo(size_t size);
        Entry<Value> find(std::string_view name) const;
    };
    struct Scope {
        size_t names, ranges, labels;
    };

    Names<Symbol> names_;
    Names<int32_t> ranges_; ///< in all_ranges_, by prefix
    std::vector<Range> all_ranges_;
    std::unordered_map<uint64_t, RegisterId> members_; ///< by place in all_ranges_, then number
    Names<LabelId> labels_;
    std::vector<Scope> scopes_;
};

} // namespace ptx::text_to_ast

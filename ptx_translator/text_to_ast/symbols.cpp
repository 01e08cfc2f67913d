#include "text_to_ast/symbols.h"

namespace ptx::text_to_ast {

template <class Value> bool SymbolTable::Names<Value>::declare(std::string_view name, Value value, unsigned depth) {
    Entry<Value>& entry = entries[name];
    if (entry.depth == depth) return false;
    shadowed.emplace_back(name, entry);
    entry = {value, depth};
    return true;
}

template <class Value> void SymbolTable::Names<Value>::undo(size_t size) {
    while (shadowed.size() > size) {
        entries[shadowed.back().first] = shadowed.back().second;
        shadowed.pop_back();
    }
}

template <class Value> SymbolTable::Entry<Value> SymbolTable::Names<Value>::find(std::string_view name) const {
    const auto found = entries.find(name);
    return found == entries.end() ? Entry<Value>{} : found->second;
}

void SymbolTable::clear() {
    names_ = {};
    ranges_ = {};
    all_ranges_.clear();
    members_.clear();
    labels_ = {};
    scopes_.assign(1, {0, 0, 0});
}

void SymbolTable::open_scope() {
    scopes_.push_back({names_.shadowed.size(), ranges_.shadowed.size(), labels_.shadowed.size()});
}

void SymbolTable::close_scope() {
    const Scope scope = scopes_.back();
    scopes_.pop_back();
    names_.undo(scope.names);
    ranges_.undo(scope.ranges);
    labels_.undo(scope.labels);
}

bool SymbolTable::declare(std::string_view name, Symbol symbol) { return names_.declare(name, symbol, depth()); }

bool SymbolTable::declare_range(std::string_view prefix, const Register& prototype, uint32_t count) {
    const Entry<int32_t> shadowed = ranges_.find(prefix);
    const auto index = static_cast<int32_t>(all_ranges_.size());
    all_ranges_.push_back({prototype, count, depth(), shadowed.depth == 0 ? none : shadowed.value});
    return ranges_.declare(prefix, index, depth());
}

bool SymbolTable::declare_label(std::string_view name, LabelId label) { return labels_.declare(name, label, depth()); }

LabelId SymbolTable::find_label(std::string_view name) const {
    const Entry<LabelId> entry = labels_.find(name);
    return entry.depth == depth() ? entry.value : none;
}

// A member of a range is found by its prefix, so that `%r<50000>` costs one entry. Prefixes may end in digits
// themselves (`%fd1<4>`), hence the loop; a number has no leading zeros.
Symbol SymbolTable::find(std::string_view name, std::vector<Register>& registers) {
    const Entry<Symbol> plain = names_.find(name);
    unsigned best = plain.depth;
    uint64_t number = 0, weight = 1, best_number = 0;
    int32_t best_range = none;
    for (size_t split = name.size(); split > 0 && name.size() - split < 8; --split) {
        const char c = name[split - 1];
        if (c < '0' || c > '9') break;
        number += weight * static_cast<unsigned>(c - '0');
        weight *= 10;
        if (c == '0' && split != name.size()) continue;
        const Entry<int32_t> entry = ranges_.find(name.substr(0, split - 1));
        for (int32_t i = entry.depth == 0 ? none : entry.value; i != none;) {
            const Range& range = all_ranges_[static_cast<size_t>(i)];
            if (range.depth <= best) break;
            if (number < range.count) {
                best = range.depth;
                best_range = i;
                best_number = number;
            }
            i = range.outer;
        }
    }
    if (best_range == none) return plain.value;
    const auto [found, is_new] = members_.try_emplace(static_cast<uint64_t>(best_range) << 32 | best_number,
                                                      static_cast<RegisterId>(registers.size()));
    if (is_new) {
        registers.push_back(all_ranges_[static_cast<size_t>(best_range)].prototype);
        registers.back().name = name;
    }
    return {Symbol::Kind::reg, found->second};
}

} // namespace ptx::text_to_ast

#include "isa/forms.h"

#include <map>

namespace ptx {
namespace {

using Members = std::bitset<1024>;

constexpr std::string_view opcode_spellings[] = {
#define PTX_OPCODE(name, spelling) spelling,
#include "isa/opcodes.def"
};
constexpr size_t opcode_count = std::size(opcode_spellings) + 1;

struct Row {
    std::string_view text, types;
    unsigned version, architecture;
    bool legacy;
};

constexpr Row rows[] = {
#define PTX_FORM(text, types, version, architecture) {text, types, version, architecture, false},
#define PTX_LEGACY(text, types, version, architecture) {text, types, version, architecture, true},
#include "isa/instructions.def"
};

class Table {
  public:
    Table() {
#define PTX_GROUP(name, members) groups_[#name] = set_of(members);
#include "isa/modifier_groups.def"
        for (const auto& [name, members] : groups_)
            if (modifier_named(name) != Modifier::unknown)
                errors_.push_back("a group is named like a modifier: " + name);
        for (const Row& row : rows) add(row);
    }

    const std::vector<InstructionForm>& forms(Opcode opcode) const { return forms_[static_cast<size_t>(opcode)]; }
    const std::vector<std::string>& errors() const { return errors_; }

  private:
    Members set_of(std::string_view words) {
        Members out;
        while (!words.empty()) {
            const size_t space = words.find(' ');
            const std::string_view word = words.substr(0, space);
            const Modifier modifier = modifier_named(word);
            if (modifier == Modifier::unknown)
                errors_.push_back("no modifier '" + std::string(word) + "'");
            else
                out.set(static_cast<size_t>(modifier));
            words = space == words.npos ? std::string_view{} : words.substr(space + 1);
        }
        return out;
    }

    void add(const Row& row);
    void add_opcode(InstructionForm&, std::string_view& rest);
    void add_places(InstructionForm&, std::string_view rest, std::string_view types);
    void add_operands(InstructionForm&, std::string_view rest);

    std::map<std::string, Members, std::less<>> groups_;
    std::vector<InstructionForm> forms_[opcode_count];
    std::vector<std::string> errors_;
};

// The longest run of plain words that is an opcode.
void Table::add_opcode(InstructionForm& form, std::string_view& rest) {
    const std::string_view words = rest.substr(0, rest.find('{'));
    for (size_t end = words.size();;) {
        form.opcode = opcode_named(words.substr(0, end));
        if (form.opcode != Opcode::unknown) {
            rest.remove_prefix(end);
            return;
        }
        if (end == 0 || end == words.npos) break;
        end = words.rfind('.', end - 1);
        if (end == words.npos) break;
    }
    errors_.push_back("no opcode: " + std::string(form.text));
}

void Table::add_places(InstructionForm& form, std::string_view rest, std::string_view types) {
    while (!rest.empty()) {
        ModifierPlace place;
        if (rest.front() == '{') {
            place.optional = true;
            rest.remove_prefix(1);
        }
        const size_t end = rest.find_first_of(".{}", 1);
        place.name = rest.substr(1, end == rest.npos ? rest.npos : end - 1);
        rest.remove_prefix(end == rest.npos ? rest.size() : end);
        if (place.optional && !rest.empty()) rest.remove_prefix(1);
        if (place.name == "type")
            place.members = set_of(types);
        else if (const auto group = groups_.find(place.name); group != groups_.end())
            place.members = group->second;
        else
            place.members = set_of(place.name);
        if (place.members.none()) errors_.push_back("nothing fits ." + place.name + ": " + std::string(form.text));
        form.places.push_back(std::move(place));
    }
}

void Table::add_operands(InstructionForm& form, std::string_view rest) {
    bool optional = false, in_brackets = false, fresh = true;
    for (char c : rest) {
        if (c == '{') optional = true;
        if (c == ',' && !in_brackets) fresh = true;
        if (c == '[') in_brackets = true;
        if (c == ']') in_brackets = false;
        if (c == ' ' || c == ',' || c == '{' || c == '}' || !fresh) continue;
        fresh = false;
        form.operands.push_back(c == '['   ? OperandShape::address
                                : c == '*' ? OperandShape::either
                                           : OperandShape::value);
        if (!optional) ++form.fewest_operands;
    }
}

void Table::add(const Row& row) {
    InstructionForm form;
    form.text = row.text;
    form.version = row.version;
    form.architecture = row.architecture;
    form.types = row.types;
    form.legacy = row.legacy;
    const size_t space = row.text.find(' ');
    std::string_view head = row.text.substr(0, space);
    add_opcode(form, head);
    add_places(form, head, row.types);
    if (space != row.text.npos) add_operands(form, row.text.substr(space));
    forms_[static_cast<size_t>(form.opcode)].push_back(std::move(form));
}

const Table& table() {
    static const Table table;
    return table;
}

bool fill(const InstructionForm& form, const std::vector<Modifier>& modifiers, size_t next, uint64_t used) {
    if (next == modifiers.size()) {
        for (size_t i = 0; i < form.places.size(); ++i)
            if (!form.places[i].optional && !(used >> i & 1)) return false;
        return true;
    }
    for (size_t i = 0; i < form.places.size(); ++i) {
        if (used >> i & 1 || !form.places[i].members.test(static_cast<size_t>(modifiers[next]))) continue;
        if (fill(form, modifiers, next + 1, used | uint64_t{1} << i)) return true;
    }
    return false;
}

} // namespace

bool InstructionForm::admits(const std::vector<Modifier>& modifiers) const {
    return modifiers.size() <= places.size() && fill(*this, modifiers, 0, 0);
}

const std::vector<InstructionForm>& forms_of(Opcode opcode) { return table().forms(opcode); }

std::vector<std::string> errors_in_forms() { return table().errors(); }

} // namespace ptx

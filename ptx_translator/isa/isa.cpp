#include "isa/isa.h"

#include <bit>
#include <iterator>
#include <vector>

namespace ptx {
namespace {

struct TypeFacts {
    std::string_view spelling;
    uint8_t bytes;
    TypeKind kind;
};

constexpr TypeFacts type_facts[] = {
    {"", 0, TypeKind::none},
#define PTX_TYPE(name, spelling, bytes, kind) {spelling, bytes, TypeKind::kind},
#include "isa/types.def"
};

constexpr std::string_view modifier_spellings[] = {
    "",
#define PTX_MODIFIER(name, spelling) spelling,
#include "isa/modifiers.def"
#define PTX_TYPE(name, spelling, bytes, kind) spelling,
#include "isa/types.def"
    "?",
};

constexpr std::string_view opcode_spellings[] = {
    "?",
#define PTX_OPCODE(name, spelling) spelling,
#include "isa/opcodes.def"
};

struct SpecialFacts {
    std::string_view spelling;
    Type type;
};

constexpr SpecialFacts special_facts[] = {
    {"", Type::none},
#define PTX_SPECIAL_REGISTER(name, spelling, type) {spelling, Type::type},
#include "isa/special_registers.def"
};

constexpr unsigned type_count = sizeof(type_facts) / sizeof(type_facts[0]);
constexpr unsigned modifier_count = sizeof(modifier_spellings) / sizeof(modifier_spellings[0]);
/// Types come last among the modifiers, before `unknown`.
constexpr unsigned first_type_modifier = modifier_count - 1 - (type_count - 1);

/// An open-addressing table from spelling to index; index 0 means absent.
class Spellings {
  public:
    template <class Range, class Projection> Spellings(const Range& range, Projection spelling) {
        slots_.resize(std::bit_ceil(std::size(range) * 4));
        for (uint16_t i = 1; i < std::size(range); ++i) insert(spelling(range[i]), i);
    }

    uint16_t find(std::string_view text) const {
        for (size_t i = hash(text);; ++i) {
            const Slot& slot = slots_[i & (slots_.size() - 1)];
            if (slot.index == 0 || slot.spelling == text) return slot.index;
        }
    }

  private:
    struct Slot {
        std::string_view spelling;
        uint16_t index = 0;
    };

    static size_t hash(std::string_view text) {
        uint32_t h = 2166136261u;
        for (unsigned char c : text) h = (h ^ c) * 16777619u;
        return h ^ (h >> 15);
    }

    void insert(std::string_view text, uint16_t index) {
        size_t i = hash(text);
        while (slots_[i & (slots_.size() - 1)].index != 0) ++i;
        slots_[i & (slots_.size() - 1)] = {text, index};
    }

    std::vector<Slot> slots_;
};

constexpr auto itself = [](std::string_view spelling) { return spelling; };
constexpr auto its_spelling = [](const auto& facts) { return facts.spelling; };

} // namespace

unsigned size_of(Type type) { return type_facts[static_cast<unsigned>(type)].bytes; }
TypeKind kind_of(Type type) { return type_facts[static_cast<unsigned>(type)].kind; }
std::string_view name_of(Type type) { return type_facts[static_cast<unsigned>(type)].spelling; }
std::string_view name_of(Modifier modifier) { return modifier_spellings[static_cast<unsigned>(modifier)]; }
std::string_view name_of(Opcode opcode) { return opcode_spellings[static_cast<unsigned>(opcode)]; }
std::string_view name_of(SpecialRegister special) { return special_facts[static_cast<unsigned>(special)].spelling; }
Type type_of(SpecialRegister special) { return special_facts[static_cast<unsigned>(special)].type; }

std::string_view name_of(Space space) {
    switch (space) {
    case Space::generic:
        return "generic";
    case Space::reg:
        return "reg";
    case Space::sreg:
        return "sreg";
    case Space::constant:
        return "const";
    case Space::global:
        return "global";
    case Space::local:
        return "local";
    case Space::param:
        return "param";
    case Space::shared:
        return "shared";
    case Space::shared_cluster:
        return "shared::cluster";
    }
    return "";
}

Type type_of(Modifier modifier) {
    const unsigned index = static_cast<unsigned>(modifier);
    if (index < first_type_modifier || index >= modifier_count - 1) return Type::none;
    return static_cast<Type>(index - first_type_modifier + 1);
}

Modifier modifier_named(std::string_view spelling) {
    // The last spelling belongs to `unknown` and cannot be written: '?' is no identifier character.
    static const Spellings table(modifier_spellings, itself);
    const uint16_t index = table.find(spelling);
    return index == 0 ? Modifier::unknown : static_cast<Modifier>(index);
}

Opcode opcode_named(std::string_view spelling) {
    static const Spellings table(opcode_spellings, itself);
    return static_cast<Opcode>(table.find(spelling));
}

SpecialRegister special_register_named(std::string_view spelling) {
    static const Spellings table(special_facts, its_spelling);
    return static_cast<SpecialRegister>(table.find(spelling));
}

} // namespace ptx

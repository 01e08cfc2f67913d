#include "isa/forms.h"
#include "isa/isa.h"

#include <gtest/gtest.h>

#include <string_view>
#include <utility>

using namespace ptx;

TEST(Isa, SpellingsFindTheirEntries) {
    EXPECT_EQ(modifier_named("L1::evict_last"), Modifier::l1_evict_last);
    EXPECT_EQ(modifier_named("2d"), Modifier::_2d);
    EXPECT_EQ(modifier_named("and"), Modifier::and_);
    EXPECT_EQ(modifier_named("f32"), Modifier::f32);
    EXPECT_EQ(modifier_named("f33"), Modifier::unknown);
    EXPECT_EQ(modifier_named(""), Modifier::unknown);
    EXPECT_EQ(opcode_named("cp.async.bulk"), Opcode::cp_async_bulk);
    EXPECT_EQ(opcode_named("cp"), Opcode::unknown);
    EXPECT_EQ(special_register_named("%tid.x"), SpecialRegister::tid_x);
    EXPECT_EQ(special_register_named("WARP_SZ"), SpecialRegister::warp_sz);
    EXPECT_EQ(special_register_named("%tid.q"), SpecialRegister::none);
}

TEST(Isa, EveryEntryIsFoundByItsOwnSpelling) {
    // Tables, not a statement per row: thousands of expanded macros in one function stall compilers.
    constexpr std::pair<std::string_view, Modifier> modifiers[] = {
#define PTX_MODIFIER(name, spelling) {spelling, Modifier::name},
#include "isa/modifiers.def"
    };
    constexpr std::pair<std::string_view, Opcode> opcodes[] = {
#define PTX_OPCODE(name, spelling) {spelling, Opcode::name},
#include "isa/opcodes.def"
    };
    constexpr std::pair<std::string_view, SpecialRegister> specials[] = {
#define PTX_SPECIAL_REGISTER(name, spelling, type) {spelling, SpecialRegister::name},
#include "isa/special_registers.def"
    };
    constexpr std::pair<std::string_view, Type> types[] = {
#define PTX_TYPE(name, spelling, bytes, kind) {spelling, Type::name},
#include "isa/types.def"
    };
    for (const auto& [spelling, entry] : modifiers) EXPECT_EQ(modifier_named(spelling), entry) << spelling;
    for (const auto& [spelling, entry] : opcodes) EXPECT_EQ(opcode_named(spelling), entry) << spelling;
    for (const auto& [spelling, entry] : specials) EXPECT_EQ(special_register_named(spelling), entry) << spelling;
    for (const auto& [spelling, entry] : types) EXPECT_EQ(type_of(modifier_named(spelling)), entry) << spelling;
}

TEST(Isa, OnlyTypesHaveAType) {
    EXPECT_EQ(type_of(Modifier::f64), Type::f64);
    EXPECT_EQ(type_of(Modifier::surfref), Type::surfref);
    EXPECT_EQ(type_of(Modifier::rn), Type::none);
    EXPECT_EQ(type_of(Modifier::none), Type::none);
    EXPECT_EQ(type_of(Modifier::unknown), Type::none);
    EXPECT_EQ(type_of(SpecialRegister::clock64), Type::u64);
}

TEST(Forms, TheTableHasNoMistake) {
    for (const std::string& error : errors_in_forms()) ADD_FAILURE() << error;
    EXPECT_EQ(forms_of(Opcode::call).size(), 0u);
    EXPECT_EQ(forms_of(Opcode::exit).size(), 1u);
}

TEST(Forms, ModifiersMayComeInAnyOrderTypesNot) {
    const InstructionForm& atom = forms_of(Opcode::atom).at(0);
    EXPECT_TRUE(atom.admits({Modifier::global, Modifier::sys, Modifier::add, Modifier::u32}));
    EXPECT_TRUE(atom.admits({Modifier::add, Modifier::relaxed, Modifier::gpu, Modifier::global, Modifier::u32}));
    EXPECT_FALSE(atom.admits({Modifier::global, Modifier::add}));
    EXPECT_FALSE(atom.admits({Modifier::global, Modifier::add, Modifier::u32, Modifier::u32}));
    const InstructionForm& dp4a = forms_of(Opcode::dp4a).at(0);
    EXPECT_TRUE(dp4a.admits({Modifier::u32, Modifier::s32}));
    EXPECT_FALSE(dp4a.admits({Modifier::u32}));
    EXPECT_FALSE(dp4a.admits({Modifier::u32, Modifier::f32}));
}

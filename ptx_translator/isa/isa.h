#pragma once

#include <cstdint>
#include <string_view>

/// The facts of the PTX ISA as enumerations made from tables: types.def, modifiers.def, opcodes.def and
/// special_registers.def. No behaviour beyond look-up lives here.
namespace ptx {

/// Fundamental, packed and opaque types. PTX ISA 5.2.
enum class Type : uint8_t {
    none,
#define PTX_TYPE(name, spelling, bytes, kind) name,
#include "isa/types.def"
};

enum class TypeKind : uint8_t { none, bits, unsigned_integer, signed_integer, floating, packed_floating, packed_integer, predicate, opaque };

/// State spaces. PTX ISA 5.1. `generic` is the absence of one.
enum class Space : uint8_t { generic, reg, sreg, constant, global, local, param, shared, shared_cluster };

/// Everything that may follow an opcode after a dot, types included.
enum class Modifier : uint16_t {
    none,
#define PTX_MODIFIER(name, spelling) name,
#include "isa/modifiers.def"
#define PTX_TYPE(name, spelling, bytes, kind) name,
#include "isa/types.def"
    unknown,
};

enum class Opcode : uint16_t {
    unknown,
#define PTX_OPCODE(name, spelling) name,
#include "isa/opcodes.def"
};

enum class SpecialRegister : uint8_t {
    none,
#define PTX_SPECIAL_REGISTER(name, spelling, type) name,
#include "isa/special_registers.def"
};

unsigned size_of(Type type);            ///< bytes; 1 for pred, 8 for opaque references
TypeKind kind_of(Type type);
std::string_view name_of(Type type);    ///< "f32"
std::string_view name_of(Modifier modifier);
std::string_view name_of(Opcode opcode);
std::string_view name_of(SpecialRegister special);   ///< "%tid.x"
std::string_view name_of(Space space);
Type type_of(SpecialRegister special);
Type type_of(Modifier modifier);        ///< Type::none when the modifier is no type

/// Look-up by spelling, without dot or percent sign; `unknown`/`none` when there is no such thing.
Modifier modifier_named(std::string_view spelling);
Opcode opcode_named(std::string_view spelling);
SpecialRegister special_register_named(std::string_view spelling);   ///< "%tid.x" with the percent sign

} // namespace ptx

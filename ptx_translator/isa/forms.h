#pragma once

#include "isa/isa.h"

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ptx {

/// One place for a modifier in a form: which modifiers may stand there, and whether one must.
struct ModifierPlace {
    std::bitset<1024> members;
    bool optional = false;
    std::string name; ///< as in the table: "rnd", "f32"
};

enum class OperandShape : uint8_t { value, address, either };

/// A row of instructions.def.
struct InstructionForm {
    std::string_view text;
    std::string_view types; ///< what `.type` stands for, separated by spaces
    Opcode opcode = Opcode::unknown;
    std::vector<ModifierPlace> places;
    std::vector<OperandShape> operands; ///< all of them
    unsigned fewest_operands = 0;       ///< without the optional ones, which come last
    unsigned version = 0;               ///< .version, times ten
    unsigned architecture = 0;          ///< sm_ number
    bool legacy = false;                ///< of PTX ISA 1.x alone, kept for old modules

    /// Whether `modifiers` fill the places: each modifier one place, each place that is not optional a modifier. Order
    /// counts among modifiers that fit the same places only.
    bool admits(const std::vector<Modifier>& modifiers) const;
};

/// The rows of an opcode; none for opcodes that the table does not know.
const std::vector<InstructionForm>& forms_of(Opcode);

/// What is wrong with the tables themselves, one message a row; for tests.
std::vector<std::string> errors_in_forms();

} // namespace ptx

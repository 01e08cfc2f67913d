#pragma once

#include "isa/forms.h"

#include <string>
#include <vector>

/// The table of instructions as PTX text.
namespace isa_test {

/// One instruction for every combination of the modifiers that a row allows ("add.rn.ftz.f32 %r0, %r1, %r2;"), with
/// registers of kernel_begin(); for rows of too many combinations each place is varied by itself. Empty for opcodes
/// whose operands are not known here: all but the scalar families.
std::vector<std::string> examples_of(const ptx::InstructionForm&);

/// A module of one kernel for each row, of PTX ISA 9.0 or what a row wants, `row0` ...; `lines` tells which instruction stands in which line (from 1).
struct Module {
    std::string text;
    std::vector<std::string> lines;
};
Module module_of(const std::vector<const ptx::InstructionForm*>&);

/// All rows of the scalar families that examples are known for, legacy ones only if asked.
std::vector<const ptx::InstructionForm*> scalar_forms(bool legacy);
/// All rows, in the table's order of opcodes.
std::vector<const ptx::InstructionForm*> all_forms();

} // namespace isa_test

#pragma once

#include "module.h"

#include <vector>

namespace spirv_machine {

/// What an instruction does, and what its words are.
struct Operation {
    uint16_t opcode;
    /// R: type and id of the result. v: the id of a value, V: of as many as there are; s: of one that is stored. l, L:
    /// literals. a: the indices of an access chain; A: those of one whose first index is of the pointer itself.
    const char* words;
    Execute execute;
};

/// Null for an instruction that the machine lacks.
const Operation* find_operation(uint16_t opcode);
/// Of the OpenCL.std extended instructions (OpenCL Extended Instruction Set, 2).
Execute find_extended(uint32_t number);
/// Of the functions that Intel's compiler has for modules that import them.
Execute find_function(const std::string& name);

// Each family adds its own.
using Operations = std::vector<Operation>;
void add_integer(Operations&);
void add_float(Operations&);
void add_conversions(Operations&);
void add_composites(Operations&);
void add_memory(Operations&);
void add_atomics(Operations&);
void add_groups(Operations&);

} // namespace spirv_machine

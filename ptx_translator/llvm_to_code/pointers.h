#pragma once

#include <llvm/ADT/STLFunctionalExtras.h>

#include <array>

namespace llvm {
class Function;
class Instruction;
class Value;
} // namespace llvm

/// Neutral pointers (docs/neutral_ir.md, "Registers and pointers") become a target's.
namespace ptx::code {

struct PointerMap {
    /// The target's address space for each neutral one.
    std::array<unsigned, 6> space;
    /// The pointer that shared offsets count from, in the target's space for shared.
    llvm::function_ref<llvm::Value*()> shared;
};

/// Changes every pointer of the function's body. Addresses made from a stack variable or a kernel parameter become
/// getelementptr of it. Loads of constant memory are marked invariant.
void map_pointers(llvm::Function&, const PointerMap&);

/// Of a load, store or atomic; null for others.
llvm::Value* pointer_operand(llvm::Instruction&);

} // namespace ptx::code

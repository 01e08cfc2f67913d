#include "ast_to_llvm/arithmetic.h"
#include "ast_to_llvm/operation.h"

// Opcodes that several chapters of the manual share: which chapter is told by the type and by `.cc`.
namespace ptx::ast_to_llvm {

void lower_arithmetic(Emitter& emitter, const Instruction& instruction) {
    if (is_floating(instruction.type())) return lower_floating_arithmetic(emitter, instruction);
    const bool extended = instruction.has(Modifier::cc);
    if (extended) return lower_extended(emitter, instruction);
    lower_integer_arithmetic(emitter, instruction);
}

} // namespace ptx::ast_to_llvm

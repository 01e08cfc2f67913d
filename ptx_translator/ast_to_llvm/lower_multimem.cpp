#include "ast_to_llvm/async_operands.h"

#include <algorithm>

/// multimem.*: accesses to the memories that a multicast object binds together, one of each device of its team. PTX ISA
/// 9.7.9.16. A device here is a team of its own, so that its memory is all there is to load, reduce and store.
namespace ptx::ast_to_llvm {
namespace {

Modifier bits_of_size(uint64_t bytes) {
    switch (bytes) {
    case 1:
        return Modifier::b8;
    case 2:
        return Modifier::b16;
    case 4:
        return Modifier::b32;
    default:
        return Modifier::b64;
    }
}

Opcode plain_opcode(Opcode opcode) {
    switch (opcode) {
    case Opcode::multimem_ld_reduce:
        return Opcode::ld;
    case Opcode::multimem_st:
        return Opcode::st;
    case Opcode::multimem_red:
        return Opcode::red;
    case Opcode::multimem_cp_async_bulk:
        return Opcode::cp_async_bulk;
    default:
        return Opcode::cp_reduce_async_bulk;
    }
}

} // namespace

void lower_multimem(Emitter& emitter, const Instruction& instruction) {
    require_operands(instruction, 2);
    Instruction plain = instruction;
    plain.opcode = plain_opcode(instruction.opcode);
    // What is loaded and stored is bits; only a reduction looks at the type.
    const Type type = instruction.type();
    if (plain.opcode == Opcode::ld || plain.opcode == Opcode::st)
        std::replace_if(
            plain.modifiers.begin(), plain.modifiers.end(), [&](Modifier m) { return type_of(m) == type; },
            bits_of_size(size_of(type)));
    lowering_of(plain.opcode)(emitter, plain);
}

} // namespace ptx::ast_to_llvm

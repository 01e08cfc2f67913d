#include "ast_to_llvm/operation.h"

// PTX ISA 9.7.9.3 to 9.7.9.5: mov in all its forms. Reading a vector packs it, writing one unpacks it.
namespace ptx::ast_to_llvm {

void lower_mov(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    op.result(op.source(0));
}

} // namespace ptx::ast_to_llvm

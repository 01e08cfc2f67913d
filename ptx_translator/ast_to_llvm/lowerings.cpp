#include "ast_to_llvm/emitter.h"

namespace ptx::ast_to_llvm {

#define PTX_LOWERING(opcode, function) void function(Emitter&, const Instruction&);
#include "ast_to_llvm/lowerings.def"

Lowering lowering_of(Opcode opcode) {
    switch (opcode) {
#define PTX_LOWERING(opcode, function)                                                                                 \
    case Opcode::opcode:                                                                                               \
        return function;
#include "ast_to_llvm/lowerings.def"
    default:
        return nullptr;
    }
}

} // namespace ptx::ast_to_llvm

#include "ast_to_llvm/operation.h"

namespace ptx::ast_to_llvm {

const Operand& Operation::operand(size_t n) const {
    if (n >= instruction.operands.size()) refuse("too few operands");
    return instruction.operands[n];
}

void Operation::refuse(const std::string& why) const {
    std::string text = instruction.opcode_text;
    for (Modifier modifier : instruction.modifiers) text += "." + std::string(name_of(modifier));
    throw Error(instruction.where, text + ": " + why);
}

bool is_floating(Type type) {
    return kind_of(type) == TypeKind::floating || kind_of(type) == TypeKind::packed_floating;
}

} // namespace ptx::ast_to_llvm

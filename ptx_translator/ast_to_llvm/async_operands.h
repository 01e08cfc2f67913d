#pragma once

#include "ast_to_llvm/emitter.h"

/// What the asynchronous families share. PTX ISA 9.7.9.25, 9.7.13.15.
namespace ptx::ast_to_llvm {

/// The generic address (i64) that an address operand of this space means.
llvm::Value* generic_address(Emitter&, const Operand& address, Space);
/// The first, second ... state space that the modifiers name; Space::generic when there are fewer.
Space space_at(const Instruction&, size_t index);
/// Throws unless there are that many operands.
void require_operands(const Instruction&, size_t count);
/// mbarrier.complete_tx on the barrier at this generic address.
void complete_transaction(Emitter&, llvm::Value* barrier, llvm::Value* bytes);

} // namespace ptx::ast_to_llvm

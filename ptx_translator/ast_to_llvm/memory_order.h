#pragma once

#include "ast/ast.h"

#include <llvm/IR/LLVMContext.h>
#include <llvm/Support/AtomicOrdering.h>

/// PTX ISA 8: the memory consistency model's qualifiers as LLVM's orderings and sync scopes.
namespace ptx::ast_to_llvm {

/// By .cta, .cluster, .gpu (also when none is given) and .sys. Shared memory is never seen outside of its CTA.
llvm::SyncScope::ID sync_scope(llvm::LLVMContext&, const Instruction&, Space);
/// By .relaxed (also .mmio), .acquire, .release, .acq_rel, .sc; `otherwise` when none is given.
llvm::AtomicOrdering ordering(const Instruction&, llvm::AtomicOrdering otherwise);

} // namespace ptx::ast_to_llvm

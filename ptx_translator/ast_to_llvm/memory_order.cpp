#include "ast_to_llvm/memory_order.h"

namespace ptx::ast_to_llvm {

llvm::SyncScope::ID sync_scope(llvm::LLVMContext& context, const Instruction& instruction, Space space) {
    if (space == Space::shared) return context.getOrInsertSyncScopeID("block");
    switch (instruction.first_of({Modifier::cta, Modifier::cluster, Modifier::gpu, Modifier::gl, Modifier::sys})) {
    case Modifier::cta:
        return context.getOrInsertSyncScopeID("block");
    case Modifier::cluster:
        return context.getOrInsertSyncScopeID("cluster");
    case Modifier::sys:
        return llvm::SyncScope::System;
    default:
        return context.getOrInsertSyncScopeID("device");
    }
}

llvm::AtomicOrdering ordering(const Instruction& instruction, llvm::AtomicOrdering otherwise) {
    switch (instruction.first_of(
        {Modifier::relaxed, Modifier::acquire, Modifier::release, Modifier::acq_rel, Modifier::sc, Modifier::mmio})) {
    case Modifier::relaxed:
    case Modifier::mmio:
        return llvm::AtomicOrdering::Monotonic;
    case Modifier::acquire:
        return llvm::AtomicOrdering::Acquire;
    case Modifier::release:
        return llvm::AtomicOrdering::Release;
    case Modifier::acq_rel:
        return llvm::AtomicOrdering::AcquireRelease;
    case Modifier::sc:
        return llvm::AtomicOrdering::SequentiallyConsistent;
    default:
        return otherwise;
    }
}

} // namespace ptx::ast_to_llvm

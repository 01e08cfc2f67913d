#pragma once

namespace llvm {
class Module;
} // namespace llvm

namespace ptx::ast_to_llvm {

/// Calls `cuttle.spin` in the latches of every loop that may wait for another thread: one whose exit depends on memory
/// read inside it by a volatile or atomic access, unless it is one that goes round only when others got on. Expects
/// registers promoted to SSA values.
void insert_spins(llvm::Module&);

} // namespace ptx::ast_to_llvm

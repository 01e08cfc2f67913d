#pragma once

#include <llvm/ADT/ArrayRef.h>
#include <llvm/ADT/StringRef.h>

namespace llvm {
class Function;
class Module;
} // namespace llvm

namespace ptx::code {

/// Makes the exported functions of a kernel (ptx/host_abi.h) around `body`, which runs one thread and loses its name
/// to them. With `fibers` only S, else S and S.block.
/// `note_stack`: some function asks whether an address is local, so the entry notes the end of its frame.
void make_entry(llvm::Function& body, bool fibers, bool note_stack);

/// Makes S.phase of a kernel that is cut into these functions, each with the Lane* before its other arguments;
/// there may be gaps. `brief`: less code for each; there are many, or warps run them.
void make_phase_entry(llvm::Module&, llvm::StringRef symbol, llvm::ArrayRef<llvm::Function*> phases, bool note_stack,
                      bool brief);

} // namespace ptx::code

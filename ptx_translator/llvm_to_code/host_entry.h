#pragma once

namespace llvm {
class Function;
}

namespace ptx::code {

/// Makes the exported functions of a kernel (ptx/host_abi.h) around `body`, which runs one thread and loses its name
/// to them. With `fibers` only S, else S and S.block.
/// `note_stack`: some function asks whether an address is local, so the entry notes the end of its frame.
void make_entry(llvm::Function& body, bool fibers, bool note_stack);

} // namespace ptx::code

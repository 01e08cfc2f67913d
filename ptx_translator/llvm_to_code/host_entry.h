#pragma once

#include "llvm_to_code/phases.h"

namespace llvm {
class Function;
}

namespace ptx::code {

/// Makes the exported functions of a kernel (ptx/host_abi.h) around `body`, which runs one thread and loses its name
/// to them. With `fibers` only S, else S and S.block.
/// `note_stack`: some function asks whether an address is local, so the entry notes the end of its frame.
void make_entry(llvm::Function& body, bool fibers, bool note_stack);

/// The same for a body that cut_into_phases made: the entry S.phase, with loops over threads for each state, and S.states.
void make_phase_entry(llvm::Function& body, const PhasedKernel&);

} // namespace ptx::code

#pragma once

#include <llvm/ADT/SmallPtrSet.h>

namespace llvm {
class Function;
class Instruction;
} // namespace llvm

/// Waits for which a wave may keep all of its lanes together.
namespace ptx::code {

/// Whether the instruction stands for waiting in the loop around it: `cuttle.spin`, or the question whether a phase of
/// an mbarrier is over.
bool is_wait(const llvm::Instruction&);

/// The waits of a kernel to which all lanes of a wave that are left come together, for the same thing, in a loop that
/// does nothing but wait for it: at a barrier at which all of them have arrived, or for a phase of an mbarrier that
/// they name by its parity. What ends such a loop is in the same word for all of them, and none does anything behind it
/// that another one waits for in it.
llvm::SmallPtrSet<const llvm::Instruction*, 8> waits_together(llvm::Function& kernel);

} // namespace ptx::code

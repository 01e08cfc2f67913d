#pragma once

namespace llvm {
class TargetPassConfig;
}

namespace ptx::code {

/// Branches farther than 128 KiB go through a pair of scalar registers. LLVM 22 takes the lowest pair that a function
/// does not use, and saves it for no caller: that may be the return address, and then the function returns into itself.
/// So in functions that may have such branches all registers that belong to callers are said to be overwritten, which
/// saves them. Kernels have no caller.
void save_registers_of_long_branches(llvm::TargetPassConfig&);

} // namespace ptx::code

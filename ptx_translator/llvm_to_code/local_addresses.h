#pragma once

namespace llvm {
class Function;
}

namespace ptx::code {

/// Makes addresses in local memory that are computed as integers from a stack variable getelementptr of it, through
/// additions, selections and phis, and compares such addresses by their offsets. LLVM's AMDGPUPromoteAlloca, which puts
/// small arrays in registers, follows no integers. An address that may be of either of two variables stays as it is.
/// As PTX has it, an address made from a variable's is used for that variable only (PTX ISA 5.1.5, 6.4.1).
void follow_local_addresses(llvm::Function&);

} // namespace ptx::code

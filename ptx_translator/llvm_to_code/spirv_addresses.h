#pragma once

namespace llvm {
class Function;
}

namespace ptx::code {

/// Pointers that move by bytes move by elements of what is read and written there, where the distances are multiples:
/// SPIR-V's pointers have types, and one to bytes must be cast at each access. The last thing to do before code is made:
/// LLVM's own passes count in bytes.
void count_in_elements(llvm::Function& function);

} // namespace ptx::code

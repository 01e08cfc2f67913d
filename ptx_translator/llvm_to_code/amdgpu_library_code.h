#pragma once

#include <string_view>
#include <vector>

namespace llvm {
class Module;
class TargetMachine;
} // namespace llvm

/// The device library's functions that would take longer to translate than the kernels that call them: textures' samples,
/// the commonest multiplications of matrices, traps, and what kernels ask of the host. The build has made machine code of
/// them for the processors that it knows; kernels call that. For other processors they come as bitcode.
namespace ptx::code {

/// Takes such functions out of what is linked as bitcode, and says what they want of their callers.
void declare_library_code(llvm::Module&, const llvm::TargetMachine&);

/// After all optimisations: the declarations become jumps into the machine code, from which LLVM learns how many
/// registers and how much stack is used there. Gives the objects to link.
std::vector<std::string_view> call_library_code(llvm::Module&, const llvm::TargetMachine&);

} // namespace ptx::code

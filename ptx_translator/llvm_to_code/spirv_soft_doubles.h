#pragma once

namespace llvm {
class Function;
class Module;
} // namespace llvm

/// For GPUs without doubles: 64-bit integers stand for them, and calls of the device library (spirv_doubles.cpp) for
/// what is done with them. After all that makes doubles, lower_small_floats and expand_memory_operations among it.
namespace ptx::code {

/// Whether anything in the function is a double, or has one in it.
bool has_doubles(const llvm::Function&);
/// The function's parameters have none. Throws ptx::Error for what the library has no function for.
void remove_doubles(llvm::Function&);
/// Of tables; before functions that use them.
void remove_doubles_of_globals(llvm::Module&);

} // namespace ptx::code

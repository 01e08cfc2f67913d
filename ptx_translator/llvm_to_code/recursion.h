#pragma once

#include <cstdint>

namespace llvm {
class Function;
class Module;
} // namespace llvm

/// Recursion for targets that cannot call. All functions of a circle of calls become one function, which goes through a
/// loop: each turn chooses where a lane goes on, at a function's start or behind a call. What is wanted behind a call,
/// and the functions' variables, lie in frames on a stack of the lane's own. Neutral IR before and after.
///
/// Lanes go their own ways through the loop. Where they want each other (shuffles, votes, barriers), a lane stays until
/// all that the operation names have come, whatever their depth; or, if they never do, until no other lane can go on.
namespace ptx::code {

/// One circle of which no other is called, in which all calls of other functions have been inlined. Afterwards none of
/// its functions calls itself, so that they can be inlined, too. False if there is none left. Throws ptx::Error, with
/// nothing changed, where a variable's size is not known.
bool make_loop_of_recursion(llvm::Module&, uint32_t stack_bytes);

/// The memory of the stacks in a kernel that everything has been inlined into.
void make_stacks(llvm::Function& kernel, uint32_t stack_bytes);

} // namespace ptx::code

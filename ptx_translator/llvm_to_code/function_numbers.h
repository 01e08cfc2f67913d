#pragma once

#include "ptx/image.h"

#include <vector>

namespace llvm {
class Module;
}

/// Addresses of functions for targets whose kernels are loaded one by one, so that a function is at another place in
/// each: an address is a number ("cuttle.number"), the same in all code made of a module.
namespace ptx::code {

/// Replaces addresses by numbers, and each indirect call by a choice among the functions of its type; a number that is
/// none of theirs stops the kernel.
void call_by_number(llvm::Module&);

/// The numbers of the functions that carry "cuttle.addressable", as symbols.
std::vector<FunctionSymbol> function_numbers(llvm::Module&);

} // namespace ptx::code

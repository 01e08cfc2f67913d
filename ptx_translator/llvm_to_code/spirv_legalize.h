#pragma once

#include <llvm/IR/IRBuilder.h>

namespace llvm {
class Function;
class Value;
} // namespace llvm

/// What LLVM's SPIR-V back end has no instructions for, or Intel's compiler refuses, written out. LLVM's optimiser
/// makes such things itself, so this comes after it, and after expand_memory_operations.
namespace ptx::code {

/// Throws ptx::Error for what it has no form for.
void legalize_for_spirv(llvm::Function&);

/// Integers of more than 64 bits, up to 128, as two halves.
void split_wide_integers(llvm::Function&);

/// Integers of widths that SPIR-V has not, below 64 bits, in the next wider ones. Before split_wide_integers.
void widen_odd_integers(llvm::Function&);

/// Whether a number is of one of the classes that the second operand of llvm.is.fpclass names.
llvm::Value* is_of_class(llvm::IRBuilder<>&, llvm::Value* number, llvm::Value* classes);

/// Throws ptx::Error with the value's text.
[[noreturn]] void refuse_form(const llvm::Value&);

/// bfloat, which is no type of SPIR-V's, as the integers that it is made of and floats. Before it, lower_small_floats.
void remove_bfloat(llvm::Function&);

} // namespace ptx::code

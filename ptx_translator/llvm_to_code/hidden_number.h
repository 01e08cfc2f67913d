#pragma once

#include <llvm/IR/IRBuilder.h>

namespace ptx::code {

/// A number of which LLVM does not know that it is that number, nor copies it to where it would make other loops of one
/// that chooses by it. `assembler`: constraints for a 32-bit value of a lane, "=v,0"; null: `i32 @cuttle.opaque(i32)`
/// instead, which the target takes for its argument once LLVM has optimised.
llvm::Value* hidden_number(llvm::IRBuilder<>&, unsigned number, const char* assembler);

} // namespace ptx::code

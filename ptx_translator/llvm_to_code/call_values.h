#pragma once

#include <llvm/IR/IRBuilder.h>

namespace ptx::code {

/// An integer or pointer as another integer or pointer type, by zero extension or truncation.
llvm::Value* convert(llvm::IRBuilder<>&, llvm::Value*, llvm::Type*);

/// What a C function gave as the type of a `cuttle.*` call: {value, predicate} is one 64-bit integer there, the predicate
/// its bit 32 (PTX ISA 9.7.9.6 and 9.7.13.10 have two destinations).
llvm::Value* as_result(llvm::IRBuilder<>&, llvm::Value*, llvm::Type*);

} // namespace ptx::code

#pragma once

#include <llvm/ADT/ArrayRef.h>
#include <llvm/ADT/StringRef.h>

namespace llvm {
class Function;
class Module;
class Type;
class Value;
} // namespace llvm

namespace ptx::ast_to_llvm {

/// The declaration of a `cuttle.*` function, made on first use with the attributes of cuttle_functions.def.
llvm::Function* cuttle_function(llvm::Module&, llvm::StringRef name, llvm::Type* result,
                                llvm::ArrayRef<llvm::Value*> arguments, bool convergent);

} // namespace ptx::ast_to_llvm

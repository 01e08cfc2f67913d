#pragma once

#include <llvm/ADT/DenseMap.h>
#include <llvm/IR/IRBuilder.h>

namespace ptx::code {

/// Whether a thread can have the value anew at any time, by a few instructions from special registers and parameters.
bool is_cheap(llvm::Instruction&);
/// Those instructions once more, where `ir` stands. `copies`: what is there already.
llvm::Instruction* copy_of(llvm::IRBuilder<>& ir, llvm::Instruction&,
                           llvm::DenseMap<llvm::Instruction*, llvm::Instruction*>& copies);

} // namespace ptx::code

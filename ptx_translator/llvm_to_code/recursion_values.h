#pragma once

#include <llvm/ADT/STLFunctionalExtras.h>
#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/IRBuilder.h>

namespace llvm {
class AllocaInst;
class BasicBlock;
class CallInst;
class Function;
} // namespace llvm

/// What recursion.cpp does with single values.
namespace ptx::code {

/// Uses of a variable become uses of what `place(ir)` gives there: a pointer of local space. Throws ptx::Error for uses
/// that neutral IR does not have.
void replace_variable(llvm::AllocaInst& variable, llvm::function_ref<llvm::Value*(llvm::IRBuilder<>&)> place);

/// Pointers are made of integers where they are used, in each block anew, and pairs are taken apart where they are made,
/// so that only numbers go from block to block.
void localize_pointers(llvm::Function&);

/// What goes from block to block moves to memory of the entry block.
llvm::SmallVector<llvm::AllocaInst*, 64> to_memory(llvm::Function&, llvm::BasicBlock& entry);

/// Predicates are bytes there.
llvm::Type* type_in_memory(llvm::Type* type);
/// `value`'s value to a place on a stack, and back.
void keep(llvm::IRBuilder<>&, llvm::AllocaInst& value, llvm::Value* place);
void take_back(llvm::IRBuilder<>&, llvm::AllocaInst& value, llvm::Value* place);

/// Which lanes an operation wants, as a mask of 32 bits; all where it does not say.
llvm::Value* lanes_of(llvm::CallInst& meeting);

} // namespace ptx::code

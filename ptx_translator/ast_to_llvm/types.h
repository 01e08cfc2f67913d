#pragma once

#include "ast/ast.h"

#include <llvm/IR/DerivedTypes.h>

#include <span>

/// PTX types as LLVM types. See docs/neutral_ir.md, "Functions" and "Registers and pointers".
namespace ptx::ast_to_llvm {

/// Address spaces of the neutral IR.
enum AddressSpace : unsigned {
    generic_space = 0,
    global_space = 1,
    shared_space = 3,
    constant_space = 4,
    local_space = 5
};

llvm::Type* llvm_type(llvm::LLVMContext&, Type);
/// Width of a register of this type; 1 for pred.
unsigned bit_width(Type);
llvm::IntegerType* register_type(llvm::LLVMContext&, Type);
/// True where extension to a wider register repeats the sign. PTX ISA 9.4.1.
bool is_signed(Type);

/// A parameter or result that travels as an integer, not as a pointer to a copy.
bool is_scalar(const Variable&);
/// The integer a scalar parameter travels as (`.pred` as i32).
llvm::IntegerType* scalar_type(llvm::LLVMContext&, const Variable&);
/// True when the first result is the LLVM return value.
bool returns_scalar(std::span<const Variable> results);
llvm::FunctionType* function_type(llvm::LLVMContext&, std::span<const Variable> results,
                                  std::span<const Variable> parameters);

} // namespace ptx::ast_to_llvm

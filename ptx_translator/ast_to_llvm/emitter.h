#pragma once

#include "ast/ast.h"

#include <llvm/ADT/StringRef.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <initializer_list>

/// What the functions that lower one instruction see of the function being made. See docs/neutral_ir.md.
namespace ptx::ast_to_llvm {

class Emitter {
  public:
    virtual ~Emitter() = default;

    virtual llvm::IRBuilder<>& ir() = 0;
    virtual llvm::Module& module() = 0;
    virtual const Module& source() = 0;
    virtual const Function& function() = 0;

    /// The LLVM type of a PTX type: iN for integers and bits, half, bfloat, float, double, <2 x half>, <2 x bfloat>,
    /// <2 x float>, <2 x i16>; i1 for pred; iN for the 8-bit and smaller floats.
    virtual llvm::Type* type_of(Type) = 0;
    /// The operand's value as type_of(type). A register wider than the type is truncated, a narrower one is extended by
    /// the type's signedness; constants are converted as PTX ISA 4.5 says (integer to integer, floating to floating:
    /// a 0f constant for f64 is widened, a decimal one for f32 rounded to nearest). WARP_SZ and special registers too.
    /// `negated` predicates and registers are negated.
    virtual llvm::Value* read(const Operand&, Type type) = 0;
    /// Stores to a register (or drops into `_`). `value` has type_of(type), or is an integer of that width. A wider
    /// register gets it sign-extended for signed types, else zero-extended (PTX ISA 9.4.1); a predicate takes i1.
    virtual void write(const Operand&, llvm::Value* value, Type type) = 0;
    /// The type a register operand was declared with; Type::none for other operands.
    virtual Type declared_type(const Operand&) = 0;
    /// Byte address of kind address operand as a pointer ready to access: `space` from the instruction.
    virtual llvm::Value* pointer(const Operand& address, Space space) = 0;
    /// The same as an integer (i32 for shared, i64 else).
    virtual llvm::Value* address(const Operand& address, Space space) = 0;

    /// The carry flag CC.CF of this function, an i1 in memory (PTX ISA 9.7.2): load and store it with ir().
    virtual llvm::Value* carry_flag() = 0;

    /// Declares (once) and calls a `cuttle.*` function.
    virtual llvm::CallInst* call(llvm::StringRef name, llvm::Type* result, llvm::ArrayRef<llvm::Value*> arguments,
                                 bool convergent = false) = 0;
};

/// Lowers one instruction without its guard predicate, which the caller has turned into control flow or a select.
/// Throws ptx::Error at instruction.where for what it cannot do.
using Lowering = void (*)(Emitter&, const Instruction&);

/// nullptr when the opcode has no lowering yet. Rows of lowerings.def.
Lowering lowering_of(Opcode);

} // namespace ptx::ast_to_llvm

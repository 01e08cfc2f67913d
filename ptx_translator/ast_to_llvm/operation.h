#pragma once

#include "ast_to_llvm/emitter.h"

#include <string>

/// What the arithmetic lowerings share: an instruction with one result and sources that mostly have one type.
namespace ptx::ast_to_llvm {

struct Operation {
    Operation(Emitter& emitter, const Instruction& instruction)
        : emitter(emitter), instruction(instruction), ir(emitter.ir()), type(instruction.type()) {}

    Emitter& emitter;
    const Instruction& instruction;
    llvm::IRBuilder<>& ir;
    Type type; ///< the first type of the instruction; Type::none when it has none

    /// Sources count from 0, after the destination.
    size_t source_count() const { return instruction.operands.size() - 1; }
    const Operand& operand(size_t n) const;
    llvm::Value* source(size_t n) const { return source(n, type); }
    llvm::Value* source(size_t n, Type as) const { return emitter.read(operand(n + 1), as); }
    void result(llvm::Value* value) const { result(value, type); }
    void result(llvm::Value* value, Type as) const { emitter.write(operand(0), value, as); }

    bool has(Modifier modifier) const { return instruction.has(modifier); }
    bool is_signed() const { return kind_of(type) == TypeKind::signed_integer || type == Type::s16x2; }
    unsigned bits() const { return 8 * size_of(type); }
    /// A constant of the same type as `like`, a splat if that is a vector.
    llvm::Value* constant(llvm::Value* like, uint64_t value) const {
        return llvm::ConstantInt::get(like->getType(), value);
    }

    /// Throws: this form of the instruction is wrong or not supported.
    [[noreturn]] void refuse(const std::string& why) const;
};

bool is_floating(Type); ///< scalar or packed floating point

} // namespace ptx::ast_to_llvm

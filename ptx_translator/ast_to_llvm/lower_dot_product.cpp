#include "ast_to_llvm/operation.h"

#include <llvm/ADT/SmallVector.h>

// PTX ISA 9.7.1.22, 9.7.1.23: dp4a and dp2a. Each source has a signedness of its own; sums wrap.
namespace ptx::ast_to_llvm {
namespace {

using llvm::Value;

bool is_signed(Type type) { return kind_of(type) == TypeKind::signed_integer; }

/// The elements of a 32-bit source, each extended to 32 bits.
Value* elements(const Operation& op, size_t n, Type type, unsigned count) {
    Value* packed =
        op.ir.CreateBitCast(op.source(n, type), llvm::FixedVectorType::get(op.ir.getIntNTy(32 / count), count));
    llvm::Type* wide = llvm::FixedVectorType::get(op.ir.getInt32Ty(), count);
    return is_signed(type) ? op.ir.CreateSExt(packed, wide) : op.ir.CreateZExt(packed, wide);
}

void accumulate(const Operation& op, Value* a, Value* b) {
    const Type sum = is_signed(op.type) || is_signed(op.instruction.type(1)) ? Type::s32 : Type::u32;
    op.result(op.ir.CreateAdd(op.source(2, sum), op.ir.CreateAddReduce(op.ir.CreateMul(a, b))), sum);
}

} // namespace

void lower_dp4a(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    accumulate(op, elements(op, 0, op.type, 4), elements(op, 1, instruction.type(1), 4));
}

// Two half-words of a by two bytes of b: the lower or the upper ones.
void lower_dp2a(Emitter& emitter, const Instruction& instruction) {
    const Operation op(emitter, instruction);
    const int first = op.has(Modifier::hi) ? 2 : 0;
    Value* bytes = elements(op, 1, instruction.type(1), 4);
    Value* chosen = op.ir.CreateShuffleVector(bytes, llvm::SmallVector<int, 2>{first, first + 1});
    accumulate(op, elements(op, 0, op.type, 2), chosen);
}

} // namespace ptx::ast_to_llvm

// By how much values grow from row to row: where that is known, addresses of all rows are one and a number of bytes.
#include "simt_to_simd/widener.h"

#include <llvm/Analysis/ValueTracking.h>
#include <llvm/IR/GetElementPtrTypeIterator.h>

namespace ptx::simd {

using llvm::dyn_cast;
using llvm::Instruction;
using llvm::Value;

std::optional<Widener::RowStep> Widener::sum(const std::optional<RowStep>& a, const std::optional<RowStep>& b) {
    if (!a || !b) return std::nullopt;
    if (a->count == 0) return b;
    if (b->count == 0) return a;
    if (a->times != b->times) return std::nullopt;
    return RowStep{a->times, a->count + b->count};
}

std::optional<Widener::RowStep> Widener::row_step(Value* value) {
    const Shape shape = shapes_.of(value);
    if (!shape.is_regular()) return std::nullopt;
    if (!shape.by_row) return RowStep{};
    if (shape.is_row && llvm::isa<llvm::Argument>(value)) return RowStep{nullptr, 1};
    auto* instruction = dyn_cast<Instruction>(value);
    if (!instruction) return std::nullopt;
    if (const auto found = row_steps_.find(value); found != row_steps_.end()) return found->second;
    row_steps_[value] = std::nullopt; // of loops nothing is known
    return row_steps_[value] = row_step_of(*instruction);
}

std::optional<Widener::RowStep> Widener::row_step_of(Instruction& instruction) {
    const auto step = [&](unsigned i) { return row_step(instruction.getOperand(i)); };
    const auto times = [](std::optional<RowStep> one, int64_t factor) {
        if (one) one->count *= factor;
        return one;
    };
    const auto* constant =
        instruction.getNumOperands() > 1 ? dyn_cast<llvm::ConstantInt>(instruction.getOperand(1)) : nullptr;
    switch (instruction.getOpcode()) {
    case Instruction::Add:
        return sum(step(0), step(1));
    case Instruction::Sub:
        return sum(step(0), times(step(1), -1));
    case Instruction::Mul: {
        if (constant) return times(step(0), constant->getSExtValue());
        const unsigned which = shapes_.of(instruction.getOperand(0)).is_uniform();
        const auto one = step(which);
        Value* other = instruction.getOperand(1 - which);
        if (!one || one->times || !shapes_.of(other).is_uniform()) return std::nullopt;
        return RowStep{other, one->count};
    }
    case Instruction::Shl:
        return constant && constant->getValue().ult(32) ? times(step(0), int64_t(1) << constant->getZExtValue())
                                                        : std::nullopt;
    case Instruction::SExt:
    case Instruction::ZExt: {
        const auto one = step(0);
        const llvm::KnownBits known = llvm::computeKnownBits(instruction.getOperand(0), data_);
        return one && !one->times && known.isNonNegative() ? one : std::nullopt;
    }
    case Instruction::IntToPtr:
    case Instruction::PtrToInt: {
        const auto one = step(0);
        return one && !one->times ? one : std::nullopt;
    }
    case Instruction::GetElementPtr: {
        auto all = step(0);
        for (auto at = llvm::gep_type_begin(instruction); at != llvm::gep_type_end(instruction); ++at) {
            const auto one = row_step(at.getOperand());
            if (at.isStruct()) continue;
            if (one && one->count && !at.getOperand()->getType()->isIntegerTy(64)) return std::nullopt;
            all = sum(all, times(one, int64_t(at.getSequentialElementStride(data_).getFixedValue())));
        }
        return all && !all->times ? all : std::nullopt;
    }
    default:
        return std::nullopt;
    }
}

/// The regular value of a row behind the first, from those before; null: it is not known so.
Value* Widener::from_rows_before(Instruction& instruction, llvm::ArrayRef<Value*> before) {
    llvm::Type* type = instruction.getType();
    const auto step = before.empty() ? std::nullopt : row_step(&instruction);
    if (!step || step->count == 0 || !(type->isPointerTy() || type->isIntegerTy(32) || type->isIntegerTy(64)))
        return nullptr;
    const int64_t way = step->times ? step->count : step->count * int64_t(before.size());
    if (type->isPointerTy()) return ir_.CreateConstGEP1_64(ir_.getInt8Ty(), before[0], uint64_t(way));
    Value* number = llvm::ConstantInt::get(type, uint64_t(way), true, true);
    if (!step->times) return ir_.CreateAdd(before[0], number);
    return ir_.CreateAdd(before.back(), ir_.CreateMul(base(step->times), number));
}

} // namespace ptx::simd

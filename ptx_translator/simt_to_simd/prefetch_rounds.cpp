// In loops, what a later round loads is asked for where the round is long, for it goes lane by lane: then the processor
// does not look as far ahead as that.
#include "simt_to_simd/widener.h"

#include <llvm/IR/PatternMatch.h>

namespace ptx::simd {

using llvm::dyn_cast;
using llvm::Instruction;
using llvm::isa;
using llvm::Value;

namespace {

/// Rounds of 32 atomics take about 50 cycles, memory some hundred. More lines than the ways of a cache may fall into
/// one set.
constexpr unsigned rounds_ahead = 4;
constexpr int64_t line = 64;

bool goes_lane_by_lane(const llvm::Loop& loop) {
    for (const llvm::BasicBlock* block : loop.blocks())
        for (const Instruction& instruction : *block)
            if (isa<llvm::AtomicRMWInst>(instruction)) return true;
    return false;
}

} // namespace

/// What the value in the row's first column grows by from round to round, if that is the same number in all rounds but
/// not known before; null: it is not, or there is no telling. Zero: the value is the same in all rounds.
Value* Widener::growth(Value* value, unsigned row, const llvm::Loop& loop) {
    Value* none = ir_.getInt64(0);
    auto* instruction = dyn_cast<Instruction>(value);
    if (!instruction || !loop.contains(instruction)) return none;
    if (!shapes_.of(value).is_regular()) return nullptr;
    if (auto* phi = dyn_cast<llvm::PHINode>(instruction)) {
        if (phi->getParent() != loop.getHeader() || !loop.getLoopLatch() || !phi->getType()->isIntegerTy())
            return nullptr;
        Value *next = phi->getIncomingValueForBlock(loop.getLoopLatch()), *step = nullptr;
        if (!llvm::PatternMatch::match(next, llvm::PatternMatch::m_c_Add(llvm::PatternMatch::m_Specific(phi),
                                                                         llvm::PatternMatch::m_Value(step))) ||
            !loop.isLoopInvariant(step) || isa<llvm::Constant>(step))
            return nullptr;
        return ir_.CreateSExtOrTrunc(base(step, row), ir_.getInt64Ty());
    }
    const auto of = [&](unsigned operand) { return growth(instruction->getOperand(operand), row, loop); };
    switch (instruction->getOpcode()) {
    case Instruction::SExt:
    case Instruction::ZExt:
    case Instruction::Freeze:
    case Instruction::IntToPtr:
    case Instruction::PtrToInt:
        return of(0);
    case Instruction::Add: {
        Value *left = of(0), *right = left ? of(1) : nullptr;
        return right ? ir_.CreateAdd(left, right) : nullptr;
    }
    case Instruction::Shl:
    case Instruction::Mul: {
        auto* factor = dyn_cast<llvm::ConstantInt>(instruction->getOperand(1));
        Value* grown = factor ? of(0) : nullptr;
        if (!grown) return nullptr;
        Value* by = ir_.getInt64(factor->getZExtValue());
        return instruction->getOpcode() == Instruction::Shl ? ir_.CreateShl(grown, by) : ir_.CreateMul(grown, by);
    }
    case Instruction::GetElementPtr: {
        auto* address = llvm::cast<llvm::GetElementPtrInst>(instruction);
        if (address->getNumIndices() != 1) return nullptr;
        Value *pointer = of(0), *index = pointer ? of(1) : nullptr;
        if (!index) return nullptr;
        const uint64_t size = data_.getTypeAllocSize(address->getSourceElementType()).getFixedValue();
        return ir_.CreateAdd(pointer, ir_.CreateMul(index, ir_.getInt64(size)));
    }
    default:
        return nullptr;
    }
}

/// For a load of neighbours by all lanes.
void Widener::prefetch_round(llvm::LoadInst& load) {
    const llvm::Loop* loop = loops_.getLoopFor(load.getParent());
    if (!machine_.looks_ahead || !loop || !goes_lane_by_lane(*loop)) return;
    Value* pointer = load.getPointerOperand();
    const int64_t bytes = int64_t(data_.getTypeStoreSize(load.getType()).getFixedValue()) * tile_.columns;
    for (unsigned row = 0; row < rows_of(pointer); ++row) {
        Value* grown = growth(pointer, row, *loop);
        if (!grown || isa<llvm::Constant>(grown)) return;
        Value* later =
            ir_.CreateGEP(ir_.getInt8Ty(), base(pointer, row), ir_.CreateMul(grown, ir_.getInt64(rounds_ahead)));
        for (int64_t byte = 0; byte < bytes; byte += line)
            ir_.CreateIntrinsic(llvm::Intrinsic::prefetch, {ir_.getPtrTy()},
                                {ir_.CreateConstGEP1_64(ir_.getInt8Ty(), later, uint64_t(byte)), ir_.getInt32(0),
                                 ir_.getInt32(3), ir_.getInt32(1)});
    }
}

} // namespace ptx::simd

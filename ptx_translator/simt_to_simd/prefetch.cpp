// What later blocks load and store is asked for ahead of time. The processor does so by itself where a thread of its
// own goes on from line to line, but blocks begin elsewhere, and at barriers it waits.
#include "simt_to_simd/widener.h"

#include "ptx/host_abi.h"

#include <llvm/Analysis/VectorUtils.h>
#include <llvm/IR/GetElementPtrTypeIterator.h>

#include <cstddef>

namespace ptx::simd {

using llvm::dyn_cast;
using llvm::Instruction;
using llvm::isa;
using llvm::Value;

namespace {

/// Measured with a stencil: one block ahead is too late, four are too many for the first cache.
constexpr unsigned blocks_ahead = 2;
constexpr unsigned line_bits = 6; ///< of an address in what memory gives at once

bool is_arithmetic(const Instruction& instruction) {
    if (instruction.isIntDivRem()) return false;
    if (const auto* call = dyn_cast<llvm::CallInst>(&instruction))
        return call->doesNotAccessMemory() && llvm::isTriviallyVectorizable(call->getIntrinsicID());
    return isa<llvm::BinaryOperator, llvm::CastInst, llvm::GetElementPtrInst, llvm::SelectInst, llvm::ICmpInst,
               llvm::FreezeInst>(instruction);
}

} // namespace

/// Whether it is the Lane's field.
bool Widener::is_lane_field(const Value* value, uint64_t field) const {
    const auto* load = dyn_cast<llvm::LoadInst>(value);
    llvm::APInt offset(64, 0);
    return load &&
           load->getPointerOperand()->stripAndAccumulateConstantOffsets(data_, offset, true) == scalar_.getArg(0) &&
           offset == field;
}

/// The first column's value in the row later: in a block that comes later by %ctaid.x if `blocks`, and with what is
/// known to be different then. The value itself if nothing is, and null if there is more to it than arithmetic says.
Value* Widener::in_later(Value* value, unsigned row, bool blocks, Later& known) {
    auto* instruction = dyn_cast<Instruction>(value);
    if (!instruction) return base(value, row);
    if (!shapes_.of(value).is_regular()) return nullptr;
    if (const auto found = known.find(value); found != known.end()) return found->second;
    Value* now = base(value, row);
    if (const Value* test = shapes_.picked_row(value)) {
        llvm::SmallVector<Value*, 4> rows;
        bool differs = false;
        for (unsigned i = 0; i < shapes_.tile().rows; ++i) {
            Later of_row = known;
            rows.push_back(in_later(instruction->getOperand(0), i, blocks, of_row));
            if (!rows.back()) return known[value] = nullptr;
            differs |= rows.back() != base(instruction->getOperand(0), i);
        }
        return known[value] = differs ? in_row(test, rows) : now;
    }
    known[value] = now;
    if (blocks && is_lane_field(value, offsetof(host::Lane, block)))
        return known[value] = ir_.CreateAdd(now, ir_.getInt32(blocks_ahead));
    if (!is_arithmetic(*instruction)) return now;
    llvm::SmallVector<Value*, 4> operands;
    bool differs = false;
    for (Value* operand : instruction->operands()) {
        operands.push_back(isa<llvm::Function>(operand) ? operand : in_later(operand, row, blocks, known));
        if (!operands.back()) return known[value] = nullptr;
        differs |= operands.back() != base(operand, row);
    }
    if (!differs) return now;
    Instruction* copy = instruction->clone();
    for (unsigned i = 0; i < operands.size(); ++i) copy->setOperand(i, operands[i]);
    return known[value] = ir_.Insert(copy);
}

/// By how much the value differs in a block that comes later by %ctaid.x, if that is a number that is known. What wraps
/// around on the way is somewhere else: what is prefetched need not be there.
std::optional<int64_t> Widener::way_to_later(const Value* value, unsigned depth) const {
    constexpr unsigned deepest = 16;
    const auto* instruction = dyn_cast<Instruction>(value);
    if (!instruction) return 0;
    if (depth > deepest || !shapes_.of(value).is_regular()) return std::nullopt;
    if (is_lane_field(value, offsetof(host::Lane, block))) return blocks_ahead;
    if (!is_arithmetic(*instruction)) return 0;
    const auto of = [&](const Value* one) { return way_to_later(one, depth + 1); };
    const auto times = [](std::optional<int64_t> way, int64_t factor) {
        if (way) *way *= factor;
        return way;
    };
    const auto sum = [](std::optional<int64_t> a, std::optional<int64_t> b) {
        return a && b ? std::optional(*a + *b) : std::nullopt;
    };
    const auto* constant =
        instruction->getNumOperands() > 1 ? dyn_cast<llvm::ConstantInt>(instruction->getOperand(1)) : nullptr;
    switch (instruction->getOpcode()) {
    case Instruction::Add:
        return sum(of(instruction->getOperand(0)), of(instruction->getOperand(1)));
    case Instruction::Sub:
        return sum(of(instruction->getOperand(0)), times(of(instruction->getOperand(1)), -1));
    case Instruction::SExt:
    case Instruction::ZExt:
    case Instruction::IntToPtr:
    case Instruction::PtrToInt:
    case Instruction::Freeze:
        return of(instruction->getOperand(0));
    case Instruction::Mul:
        if (constant) return times(of(instruction->getOperand(0)), constant->getSExtValue());
        break;
    case Instruction::Shl:
        if (constant && constant->getValue().ult(32))
            return times(of(instruction->getOperand(0)), int64_t(1) << constant->getZExtValue());
        break;
    case Instruction::GetElementPtr: {
        auto all = of(instruction->getOperand(0));
        for (auto at = llvm::gep_type_begin(*instruction); at != llvm::gep_type_end(*instruction); ++at)
            if (!at.isStruct())
                all =
                    sum(all, times(of(at.getOperand()), int64_t(at.getSequentialElementStride(data_).getFixedValue())));
        return all;
    }
    default:
        break;
    }
    for (const Value* operand : instruction->operands())
        if (of(operand) != 0) return std::nullopt;
    return 0;
}

/// Where the address will be when threads come here again, if that is made of what they keep in slots and change now.
Value* Widener::in_next_round(Value* pointer, unsigned row) {
    Later known;
    for (const auto& [load, next] : slots_.advances)
        if (shapes_.of(next).is_regular() && bases_.contains(load) &&
            (isa<llvm::Constant>(next) || bases_.contains(next)))
            known[const_cast<Value*>(load)] = base(next, row);
    return known.empty() ? nullptr : in_later(pointer, row, false, known);
}

/// For a load or store of neighbours by all lanes, outside of loops: in those it costs more than it gains.
void Widener::prefetch(Instruction& access) {
    if (!machine_.looks_ahead || loops_.getLoopFor(access.getParent())) return;
    auto* pointer = const_cast<Value*>(llvm::getLoadStorePointerOperand(&access));
    llvm::APInt distance(64, 0);
    const Value* origin = pointer->stripAndAccumulateConstantOffsets(data_, distance, true);
    const int64_t bytes =
        int64_t(data_.getTypeStoreSize(llvm::getLoadStoreType(&access)).getFixedValue()) * tile_.columns;
    for (unsigned row = 0; row < rows_of(pointer); ++row) {
        Later known;
        Value* place = in_next_round(pointer, row);
        if (!place || place == base(pointer, row)) {
            const auto way = way_to_later(pointer);
            if (way == 0) return;
            place = way ? ir_.CreateConstGEP1_64(ir_.getInt8Ty(), base(pointer, row), uint64_t(*way))
                        : in_later(pointer, row, true, known);
        }
        if (!place || place == base(pointer, row)) return;
        for (int64_t byte = 0; byte < bytes; byte += int64_t(1) << line_bits) {
            if (!prefetched_.insert({origin, row, (distance.getSExtValue() + byte) >> line_bits}).second) continue;
            ir_.CreateIntrinsic(llvm::Intrinsic::prefetch, {ir_.getPtrTy()},
                                {ir_.CreateConstGEP1_64(ir_.getInt8Ty(), place, uint64_t(byte)),
                                 ir_.getInt32(isa<llvm::StoreInst>(access)), ir_.getInt32(3), ir_.getInt32(1)});
        }
    }
}

} // namespace ptx::simd

// Addresses of which only the first in each group of lanes is anybody's guess: a load for each group.
#include "simt_to_simd/runs.h"

#include "simt_to_simd/patterns.h"
#include "simt_to_simd/widener.h"

#include <llvm/Analysis/ValueTracking.h>
#include <llvm/Analysis/VectorUtils.h>
#include <llvm/IR/GetElementPtrTypeIterator.h>
#include <llvm/IR/InstrTypes.h>
#include <llvm/IR/Instructions.h>
#include <llvm/Support/KnownBits.h>

namespace ptx::simd {

using llvm::Instruction;
using llvm::isa;
using llvm::Value;

namespace {

constexpr unsigned most_depth = 24, largest_group = 16, least_run_bytes = 8, most_run_bytes = 64;

/// A lane's number less that of the first lane in its group, modulo 2 to the width.
using Distances = llvm::SmallVector<int64_t, 32>;

class Finder {
  public:
    Finder(const Shapes& shapes, const llvm::DataLayout& data, unsigned group)
        : shapes_(shapes), data_(data), group_(group) {}

    std::optional<Distances> find(const Value* value, unsigned depth = 0) {
        const auto [known, is_new] = known_.try_emplace(value);
        if (!is_new) return known->second;
        auto found = find_anew(value, depth);
        return known_[value] = std::move(found);
    }

  private:
    unsigned lanes() const { return shapes_.tile().lanes(); }
    unsigned first_of(unsigned lane) const { return lane - lane % group_; }
    static bool is_zero(const Distances& distances) {
        return llvm::all_of(distances, [](int64_t distance) { return distance == 0; });
    }

    std::optional<Distances> find_anew(const Value* value, unsigned depth) {
        Distances result(lanes(), 0);
        if (isa<llvm::Constant>(value)) return result;
        const Shape shape = shapes_.of(value);
        if (shape.is_regular() && !shape.assumed) {
            for (unsigned lane = 0; lane < lanes(); ++lane) result[lane] = shape.stride * int64_t(lane % group_);
            return result;
        }
        if (const auto pattern = pattern_of(shapes_, data_, value)) {
            for (unsigned lane = 0; lane < lanes(); ++lane)
                result[lane] = pattern->offsets[lane] - pattern->offsets[first_of(lane)];
            return result;
        }
        const auto* instruction = llvm::dyn_cast<Instruction>(value);
        if (!instruction || depth > most_depth) return std::nullopt;
        if (const auto* address = llvm::dyn_cast<llvm::GetElementPtrInst>(value)) return of_address(*address, depth);
        if (!isa<llvm::BinaryOperator, llvm::CastInst, llvm::CmpInst, llvm::SelectInst, llvm::UnaryOperator>(value))
            return std::nullopt;
        llvm::SmallVector<Distances, 3> operands;
        for (const Value* operand : instruction->operands()) {
            auto distances = find(operand, depth + 1);
            if (!distances) return std::nullopt;
            operands.push_back(std::move(*distances));
        }
        if (llvm::all_of(operands, is_zero)) return result;
        if (isa<llvm::ZExtInst, llvm::SExtInst>(instruction))
            return extended(instruction->getOperand(0), isa<llvm::SExtInst>(instruction), depth);
        return of_unequal(*instruction, operands);
    }

    /// Of a number in a wider type, if it is clear that nothing is carried out of its own.
    std::optional<Distances> extended(const Value* value, bool is_signed, unsigned depth) {
        auto distances = find(value, depth + 1);
        if (!distances || is_zero(*distances)) return distances;
        if (const auto pattern = pattern_of(shapes_, data_, value); pattern && never_carries(*pattern))
            return distances;
        const auto* operation = llvm::dyn_cast<llvm::BinaryOperator>(value);
        if (!operation || !keeps_within(*operation, is_signed)) return std::nullopt;
        for (const Value* operand : operation->operands())
            if (!isa<llvm::Constant>(operand) && !extended(operand, is_signed, depth + 1)) return std::nullopt;
        return distances;
    }

    /// Sums and multiples that are no other numbers in a wider type.
    bool keeps_within(const llvm::BinaryOperator& operation, bool is_signed) const {
        const bool shifts = operation.getOpcode() == Instruction::Shl;
        if (!shifts && !is_sum(operation)) return false;
        if (!shifts && operation.getOpcode() != Instruction::Add) return true;
        if (is_signed ? operation.hasNoSignedWrap() : operation.hasNoUnsignedWrap()) return true;
        const auto most = [&](unsigned operand) {
            return llvm::computeKnownBits(operation.getOperand(operand), data_).getMaxValue();
        };
        bool overflows = false;
        const llvm::APInt all = shifts ? most(0).ushl_ov(most(1), overflows) : most(0).uadd_ov(most(1), overflows);
        return !overflows && !(is_signed && all.isNegative());
    }

    static bool is_sum(const llvm::BinaryOperator& operation) {
        const auto* bits = llvm::dyn_cast<llvm::PossiblyDisjointInst>(&operation);
        return operation.getOpcode() == Instruction::Add || (bits && bits->isDisjoint());
    }

    /// Of operands that are not the same in all lanes of a group.
    std::optional<Distances> of_unequal(const Instruction& instruction, llvm::ArrayRef<Distances> operands) const {
        const auto* factor =
            llvm::dyn_cast<llvm::ConstantInt>(instruction.getOperand(instruction.getNumOperands() - 1));
        const auto each = [&](auto&& f) {
            Distances result;
            for (unsigned lane = 0; lane < lanes(); ++lane) result.push_back(int64_t(f(lane)));
            return std::optional(result);
        };
        const auto left = [&](unsigned lane) { return uint64_t(operands[0][lane]); };
        const auto* operation = llvm::dyn_cast<llvm::BinaryOperator>(&instruction);
        if (operation && is_sum(*operation))
            return each([&](unsigned lane) { return left(lane) + uint64_t(operands[1][lane]); });
        switch (instruction.getOpcode()) {
        case Instruction::Sub:
            return each([&](unsigned lane) { return left(lane) - uint64_t(operands[1][lane]); });
        case Instruction::Mul:
            if (!factor || factor->getBitWidth() > 64) return std::nullopt;
            return each([&](unsigned lane) { return left(lane) * factor->getZExtValue(); });
        case Instruction::Shl:
            if (!factor || factor->getValue().uge(64)) return std::nullopt;
            return each([&](unsigned lane) { return left(lane) << factor->getZExtValue(); });
        case Instruction::IntToPtr:
        case Instruction::PtrToInt:
            if (data_.getTypeSizeInBits(instruction.getType()) != 64 ||
                data_.getTypeSizeInBits(instruction.getOperand(0)->getType()) != 64)
                return std::nullopt;
            return operands[0];
        default:
            return std::nullopt;
        }
    }

    std::optional<Distances> of_address(const llvm::GetElementPtrInst& address, unsigned depth) {
        auto result = find(address.getPointerOperand(), depth + 1);
        for (auto at = llvm::gep_type_begin(address); result && at != llvm::gep_type_end(address); ++at) {
            if (at.isStruct() || at.getOperand()->getType()->getScalarSizeInBits() != 64) return std::nullopt;
            const auto index = find(at.getOperand(), depth + 1);
            if (!index) return std::nullopt;
            const uint64_t size = at.getSequentialElementStride(data_).getFixedValue();
            for (unsigned lane = 0; lane < lanes(); ++lane)
                (*result)[lane] = int64_t(uint64_t((*result)[lane]) + uint64_t((*index)[lane]) * size);
        }
        return result;
    }

    const Shapes& shapes_;
    const llvm::DataLayout& data_;
    const unsigned group_;
    llvm::DenseMap<const Value*, std::optional<Distances>> known_;
};

} // namespace

std::optional<unsigned> run_of(const Shapes& shapes, const llvm::DataLayout& data, const Value* pointer,
                               llvm::Type* type) {
    const uint64_t bits = data.getTypeSizeInBits(type).getFixedValue();
    if (bits % 8 != 0 || !llvm::isPowerOf2_64(bits) || data.getTypeSizeInBits(pointer->getType()) != 64)
        return std::nullopt;
    const unsigned size = unsigned(bits / 8);
    for (unsigned group = std::min(largest_group, most_run_bytes / size); group >= 2 && group * size >= least_run_bytes;
         group /= 2) {
        if (shapes.tile().columns % group != 0) continue;
        const auto distances = Finder(shapes, data, group).find(pointer);
        if (!distances) continue;
        bool is_run = true;
        for (unsigned lane = 0; lane < distances->size(); ++lane)
            is_run &= (*distances)[lane] == int64_t(lane % group * size);
        if (is_run) return group;
    }
    return std::nullopt;
}

/// For memory that all lanes may read.
Value* Widener::load_runs(llvm::LoadInst& load, unsigned group) {
    auto* run = llvm::FixedVectorType::get(load.getType(), group);
    llvm::SmallVector<Value*, 16> parts;
    for (unsigned lane = 0; lane < lanes_; lane += group) {
        Value* first = in_lane(load.getPointerOperand(), ir_.getInt32(lane));
        parts.push_back(ir_.CreateAlignedLoad(run, first, load.getAlign()));
    }
    return llvm::concatenateVectors(ir_, parts);
}

} // namespace ptx::simd

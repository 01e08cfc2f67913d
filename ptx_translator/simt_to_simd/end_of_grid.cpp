#include "simt_to_simd/end_of_grid.h"

#include "ptx/host_abi.h"

#include <llvm/ADT/SmallPtrSet.h>
#include <llvm/Analysis/LoopInfo.h>
#include <llvm/Analysis/PostDominators.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/PatternMatch.h>

#include <cstddef>
#include <optional>

namespace ptx::simd {
namespace {

using host::Grid;
using host::Lane;
using llvm::Instruction;
using llvm::Value;
using namespace llvm::PatternMatch;

enum Argument : unsigned { argument_lane, argument_x, argument_y };

class Grids {
  public:
    explicit Grids(llvm::Function& scalar) : scalar_(scalar) {}

    bool have_one_dimension() const {
        return scalar_.getArg(argument_y)->use_empty() &&
               llvm::none_of(llvm::instructions(scalar_), [&](const Instruction& instruction) {
                   const auto offset = offset_in_lane(&instruction);
                   return offset && (*offset == offsetof(Lane, thread) + 4 || *offset == offsetof(Lane, thread) + 8 ||
                                     *offset == offsetof(Lane, block) + 4 || *offset == offsetof(Lane, block) + 8);
               });
    }

    /// A thread's number, or one by a constant further on.
    bool is_number(const Value* value) const {
        const Value *one = nullptr, *other = nullptr;
        if (match(value, m_ZExtOrSExt(m_Value(one)))) return is_number(one);
        if (!match(value, m_AddLike(m_Value(one), m_Value(other)))) return false;
        for ([[maybe_unused]] unsigned way : {0u, 1u}) {
            if (llvm::isa<llvm::ConstantInt>(other) && is_number(one)) return true;
            if (one == scalar_.getArg(argument_x) && is_first_of_block(other)) return true;
            std::swap(one, other);
        }
        return false;
    }

    /// What is the same for all of the grid: made of parameters.
    bool is_of_grid(const Value* value) const {
        if (llvm::isa<llvm::Constant>(value)) return true;
        const auto* instruction = llvm::dyn_cast<Instruction>(value);
        if (!instruction) return false;
        if (llvm::isa<llvm::LoadInst>(instruction)) return is_parameter(instruction);
        return (llvm::isa<llvm::BinaryOperator, llvm::CastInst>(instruction)) &&
               llvm::all_of(instruction->operands(), [&](const llvm::Use& use) { return is_of_grid(use.get()); });
    }

  private:
    std::optional<uint64_t> offset_in_lane(const Value* value) const {
        return offset_from(value, scalar_.getArg(argument_lane));
    }

    std::optional<uint64_t> offset_from(const Value* value, const Value* base) const {
        const auto* load = llvm::dyn_cast<llvm::LoadInst>(value);
        llvm::APInt offset(64, 0);
        if (!load ||
            load->getPointerOperand()->stripAndAccumulateConstantOffsets(scalar_.getDataLayout(), offset, true) != base)
            return std::nullopt;
        return offset.getZExtValue();
    }

    const Value* base_of(const Value* value) const {
        const auto* load = llvm::dyn_cast<llvm::LoadInst>(value);
        llvm::APInt offset(64, 0);
        return load
                   ? load->getPointerOperand()->stripAndAccumulateConstantOffsets(scalar_.getDataLayout(), offset, true)
                   : nullptr;
    }

    bool is_grid(const Value* value) const { return offset_in_lane(value) == offsetof(Lane, grid); }

    bool is_parameter(const Value* value) const {
        const Value* parameters = base_of(value);
        const Value* grid = parameters ? base_of(parameters) : nullptr;
        return grid && is_grid(grid) && offset_from(parameters, grid) == offsetof(Grid, parameters);
    }

    bool is_first_of_block(const Value* value) const {
        const Value *one = nullptr, *other = nullptr;
        if (!match(value, m_Mul(m_Value(one), m_Value(other)))) return false;
        for ([[maybe_unused]] unsigned way : {0u, 1u}) {
            const Value* grid = base_of(other);
            if (offset_in_lane(one) == offsetof(Lane, block) && grid && is_grid(grid) &&
                offset_from(other, grid) == offsetof(Grid, block_dim))
                return true;
            std::swap(one, other);
        }
        return false;
    }

    llvm::Function& scalar_;
};

/// Made of what lanes load from here and there.
bool hangs_on_data(const Value* value, const Shapes& shapes) {
    llvm::SmallVector<const Value*, 16> open{value};
    llvm::SmallPtrSet<const Value*, 16> seen;
    while (!open.empty()) {
        const auto* instruction = llvm::dyn_cast<Instruction>(open.pop_back_val());
        if (!instruction || !seen.insert(instruction).second || shapes.of(instruction).is_uniform()) continue;
        if (instruction->mayReadFromMemory()) return true;
        open.append(instruction->op_begin(), instruction->op_end());
    }
    return false;
}

} // namespace

bool refuses_only_end_of_grid(llvm::Function& scalar, Tile tile, llvm::ArrayRef<Shape> arguments) {
    const Grids grids(scalar);
    if (!grids.have_one_dimension()) return false;
    const llvm::DominatorTree dominators(scalar);
    const llvm::PostDominatorTree post(scalar);
    const llvm::LoopInfo loops(dominators);
    const Shapes shapes(scalar, loops, post, tile, arguments);
    // Bounds, by which tiles may be refused as well.
    for (const Instruction& instruction : llvm::instructions(scalar))
        if (llvm::isa<llvm::MinMaxIntrinsic>(instruction) && !shapes.of(&instruction).is_uniform()) return false;
    // What lanes agree on in most tiles is asked at the beginning, be it for a branch or not.
    return llvm::all_of(llvm::instructions(scalar), [&](const Instruction& instruction) {
        const Value* condition = nullptr;
        if (llvm::isa<llvm::ICmpInst>(instruction) && shapes.is_monotone(&instruction)) condition = &instruction;
        if (instruction.isTerminator() && shapes.is_divergent(instruction.getParent()))
            condition = llvm::cast<llvm::BranchInst>(instruction).getCondition();
        if (!condition || shapes.of(condition).is_uniform() || hangs_on_data(condition, shapes)) return true;
        const auto* compare = llvm::dyn_cast<llvm::ICmpInst>(condition);
        if (!compare || compare->isEquality()) return false;
        const Value *one = compare->getOperand(0), *other = compare->getOperand(1);
        return (grids.is_number(one) && grids.is_of_grid(other)) || (grids.is_number(other) && grids.is_of_grid(one));
    });
}

} // namespace ptx::simd

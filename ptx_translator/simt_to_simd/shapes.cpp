#include "simt_to_simd/shapes.h"

#include "simt_to_simd/directed.h"
#include "simt_to_simd/warp_operations.h"

#include <llvm/ADT/PostOrderIterator.h>
#include <llvm/Analysis/LoopInfo.h>
#include <llvm/Analysis/PostDominators.h>
#include <llvm/Analysis/ValueTracking.h>
#include <llvm/IR/CFG.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/DataLayout.h>
#include <llvm/IR/GetElementPtrTypeIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/KnownBits.h>

#include <algorithm>

namespace ptx::simd {
namespace {

using Block = llvm::BasicBlock;
using llvm::cast;
using llvm::dyn_cast;
using llvm::Instruction;
using llvm::isa;

unsigned width_of(const llvm::Type* type) { return type->isPointerTy() ? 64 : type->getIntegerBitWidth(); }

int64_t wrapped(int64_t stride, const llvm::Type* type) {
    const unsigned width = width_of(type);
    return width >= 64 ? stride : llvm::SignExtend64(uint64_t(stride), width);
}

bool has_integer_lanes(const llvm::Type* type) {
    return (type->isIntegerTy() && type->getIntegerBitWidth() <= 64) || type->isPointerTy();
}

} // namespace

Shapes::Shapes(llvm::Function& function, const llvm::LoopInfo& loops, const llvm::PostDominatorTree& post, Tile tile,
               llvm::ArrayRef<Shape> arguments, Guesses guesses, Agreed agreed, Marks marks)
    : function_(function), data_(function.getParent()->getDataLayout()), loops_(loops), post_(post), tile_(tile),
      guesses_(std::move(guesses)), agreed_(std::move(agreed)), marks_(std::move(marks)) {
    for (llvm::Argument& argument : function.args()) shapes_[&argument] = arguments[argument.getArgNo()];
    run();
}

Shape Shapes::of(const llvm::Value* value) const {
    if (isa<llvm::Constant>(value) || !isa<llvm::Instruction, llvm::Argument>(value)) return Shape::regular();
    return shapes_.lookup(value);
}

bool Shapes::is_divergent(const llvm::Loop* loop) const {
    llvm::SmallVector<Block*, 8> exits;
    loop->getExitingBlocks(exits);
    return llvm::any_of(exits, [&](const Block* block) { return is_divergent(block); });
}

/// Shapes only get worse, and with them more branches divergent, until nothing changes.
void Shapes::run() {
    const llvm::ReversePostOrderTraversal<llvm::Function*> order(&function_);
    for (bool changed = true; changed;) {
        changed = false;
        for (const Block* block : order) {
            for (const Instruction& instruction : *block) {
                if (instruction.getType()->isVoidTy()) continue;
                Shape& known = shapes_[&instruction];
                if (known.is_varying()) continue;
                const Shape shape = transfer(instruction);
                if (shape == known || shape.kind == Shape::Kind::unknown) continue;
                // A regular value that changes must not change back and forth.
                const bool worse = known.is_regular() && shape.is_regular() &&
                                   (shape.stride != known.stride || (known.by_row && !shape.by_row));
                known = worse ? Shape::varying() : shape;
                changed = true;
            }
            const auto* branch = dyn_cast<llvm::BranchInst>(block->getTerminator());
            if (!branch || !branch->isConditional() || divergent_.contains(block)) continue;
            const Shape condition = of(branch->getCondition());
            if (condition.kind == Shape::Kind::unknown || condition.is_uniform()) continue;
            part(block);
            changed = true;
        }
    }
}

/// Notes that lanes may go different ways at the end of the block.
void Shapes::part(const Block* block) {
    if (!divergent_.insert(block).second) return;
    const auto* node = post_.getNode(const_cast<Block*>(block));
    const Block* meet = node && node->getIDom() ? node->getIDom()->getBlock() : nullptr;
    // What each successor leads to before all ways are one again.
    llvm::DenseMap<const Block*, unsigned> reached;
    const auto* branch = cast<llvm::BranchInst>(block->getTerminator());
    for (unsigned i = 0; i < branch->getNumSuccessors(); ++i) {
        llvm::SmallVector<const Block*, 16> open{branch->getSuccessor(i)};
        while (!open.empty()) {
            const Block* next = open.pop_back_val();
            if (next == meet || (reached[next] & 1u << i)) continue;
            reached[next] |= 1u << i;
            open.append(llvm::succ_begin(next), llvm::succ_end(next));
        }
    }
    for (const auto& [next, ways] : reached) masked_.insert(next);
    const auto joins = [&](const Block* candidate) {
        if (loops_.isLoopHeader(candidate)) return false; // lanes in one round of a loop have come the same way
        unsigned all = 0, edges = 0;
        for (const Block* before : llvm::predecessors(candidate)) {
            unsigned ways = reached.lookup(before);
            for (unsigned i = 0; i < branch->getNumSuccessors(); ++i)
                if (before == block && branch->getSuccessor(i) == candidate) ways |= 1u << i;
            all |= ways;
            edges += ways != 0;
        }
        return all == 3 && edges > 1;
    };
    for (const auto& [next, ways] : reached)
        if (joins(next)) joins_.insert(next);
    if (meet && joins(meet)) joins_.insert(meet);
    // A loop that some lanes leave here, or that is left from where only some are, is left by some.
    for (const llvm::Loop* loop = loops_.getLoopFor(block); loop; loop = loop->getParentLoop()) {
        llvm::SmallVector<Block*, 8> exits;
        loop->getExitingBlocks(exits);
        for (const Block* exit : exits)
            if (reached.contains(exit)) part(exit);
    }
}

Shape Shapes::same_for_all(const Instruction& instruction) const {
    bool by_row = false;
    for (const llvm::Value* operand : instruction.operands()) {
        const Shape shape = of(operand);
        if (shape.kind == Shape::Kind::unknown) return {};
        if (shape.is_varying() || shape.stride != 0) return Shape::varying();
        by_row |= shape.by_row;
    }
    return Shape::regular(0, by_row);
}

Shape Shapes::transfer(const Instruction& instruction) const {
    if (is_of_one_lane(instruction.getParent()) || is_of_all(&instruction) || is_of_any_row(&instruction))
        return Shape::regular();
    if (picked_row(&instruction)) return of(instruction.getOperand(0)).in_one_row();
    if (const auto* phi = dyn_cast<llvm::PHINode>(&instruction)) return transfer_phi(*phi);
    if (isa<llvm::BinaryOperator>(instruction)) return transfer_binary(instruction);
    if (isa<llvm::ICmpInst>(instruction)) return transfer_compare(instruction);
    if (isa<llvm::CastInst>(instruction)) return transfer_cast(instruction);
    if (isa<llvm::GetElementPtrInst>(instruction)) return transfer_address(instruction);
    if (isa<llvm::LoadInst>(instruction)) return transfer_load(instruction);
    if (isa<llvm::FreezeInst>(instruction)) return of(instruction.getOperand(0));
    if (const auto* select = dyn_cast<llvm::SelectInst>(&instruction)) {
        const Shape condition = of(select->getCondition()), yes = of(select->getTrueValue()),
                    no = of(select->getFalseValue());
        if (condition.is_uniform() && yes.is_regular() && no.is_regular() && yes.stride == no.stride && !yes.assumed &&
            !no.assumed && yes.stride != 0)
            return Shape::regular(yes.stride, yes.by_row || no.by_row);
        return same_for_all(instruction);
    }
    if (const auto* call = dyn_cast<llvm::CallBase>(&instruction); call && warp_operation_of(*call)) {
        for (const llvm::Value* operand : call->args())
            if (of(operand).kind == Shape::Kind::unknown) return {};
        return gives_all_the_same(*call, *this) ? Shape::regular() : Shape::varying();
    }
    if (const auto* call = dyn_cast<llvm::CallBase>(&instruction))
        return (call->doesNotAccessMemory() && isa<llvm::IntrinsicInst>(call)) || directed_of(*call)
                   ? same_for_all(instruction)
                   : Shape::varying();
    if (instruction.mayReadOrWriteMemory()) return Shape::varying();
    return same_for_all(instruction);
}

Shape Shapes::transfer_phi(const llvm::PHINode& phi) const {
    const Block* block = phi.getParent();
    Shape result;
    const bool one_value = phi.hasConstantValue() != nullptr;
    for (unsigned i = 0; i < phi.getNumIncomingValues(); ++i) {
        const llvm::Value* value = phi.getIncomingValue(i);
        const Shape shape = of(value);
        if (shape.kind == Shape::Kind::unknown) continue;
        if (shape.is_varying() || shape.assumed) return Shape::varying();
        // Lanes leave a loop in different rounds, each with what it has then.
        if (const auto* made = dyn_cast<Instruction>(value))
            for (const llvm::Loop* loop = loops_.getLoopFor(made->getParent()); loop && !loop->contains(block);
                 loop = loop->getParentLoop())
                if (is_divergent(loop)) return Shape::varying();
        if (!result.is_regular())
            result = shape;
        else if (result.stride != shape.stride)
            return Shape::varying();
        else
            result.by_row |= shape.by_row, result.zero_bits = std::min(result.zero_bits, shape.zero_bits);
        if (shape.stride == 0) result.zero_bits = 0;
    }
    if (result.is_regular() && joins_.contains(block) && !one_value) return Shape::varying();
    // Too clever for a loop to settle on.
    if (loops_.isLoopHeader(block)) result.zero_bits = 0;
    return result;
}

unsigned Shapes::zero_bits(const llvm::Value* value) const {
    const Shape shape = of(value);
    return shape.stride != 0 ? shape.zero_bits : llvm::computeKnownBits(value, data_).countMinTrailingZeros();
}

/// Whether the steps never reach bits that the first lane's value has set.
bool Shapes::has_low_bits_to_itself(const llvm::Value*, const Shape& shape) const {
    return shape.is_regular() && shape.stride > 0 &&
           uint64_t(shape.stride) * (tile_.columns - 1) < uint64_t(1) << std::min<unsigned>(shape.zero_bits, 32);
}

Shape Shapes::transfer_binary(const Instruction& instruction) const {
    const llvm::Value *left = instruction.getOperand(0), *right = instruction.getOperand(1);
    const Shape a = of(left), b = of(right);
    if (a.kind == Shape::Kind::unknown || b.kind == Shape::Kind::unknown) return {};
    if (a.is_varying() || b.is_varying()) return Shape::varying();
    if ((a.stride == 0 && b.stride == 0) || !has_integer_lanes(instruction.getType())) return same_for_all(instruction);
    Shape result = Shape::regular(0, a.by_row || b.by_row);
    result.assumed = a.assumed || b.assumed;
    const auto* constant = dyn_cast<llvm::ConstantInt>(right);
    unsigned zeros = std::min(zero_bits(left), zero_bits(right));
    switch (instruction.getOpcode()) {
    case Instruction::Or:
        if (!cast<llvm::PossiblyDisjointInst>(instruction).isDisjoint()) return transfer_bits(instruction);
        [[fallthrough]];
    case Instruction::Add:
        result.stride = a.stride + b.stride;
        break;
    case Instruction::Sub:
        result.stride = a.stride - b.stride;
        break;
    case Instruction::Mul:
        if (!constant) return Shape::varying();
        result.stride = a.stride * constant->getValue().sextOrTrunc(64).getSExtValue();
        zeros = zero_bits(left) + unsigned(constant->getValue().countr_zero());
        break;
    case Instruction::Shl:
        if (!constant || constant->getValue().uge(64)) return Shape::varying();
        result.stride = int64_t(uint64_t(a.stride) << constant->getZExtValue());
        zeros = zero_bits(left) + unsigned(constant->getZExtValue());
        break;
    default:
        return transfer_bits(instruction);
    }
    result.stride = wrapped(result.stride, instruction.getType());
    result.zero_bits = uint8_t(std::min(zeros, 63u));
    return result;
}

/// Masks and right shifts by constants of what has its low bits to itself, base | step.
Shape Shapes::transfer_bits(const Instruction& instruction) const {
    const llvm::Value* value = instruction.getOperand(0);
    const Shape shape = of(value);
    const auto* constant = dyn_cast<llvm::ConstantInt>(instruction.getOperand(1));
    if (!constant || constant->getValue().getActiveBits() > 64 || !has_low_bits_to_itself(value, shape) ||
        shape.assumed)
        return Shape::varying();
    const uint64_t number = constant->getZExtValue(), last = uint64_t(shape.stride) * (tile_.columns - 1);
    // The bits in which lanes differ: LLVM leaves those below out of masks, as they are 0.
    const uint64_t lowest = uint64_t(shape.stride) & -uint64_t(shape.stride);
    const uint64_t steps = last ? (~uint64_t(0) >> llvm::countl_zero(last)) & -lowest : 0;
    Shape result = Shape::regular(0, shape.by_row);
    switch (instruction.getOpcode()) {
    case Instruction::And:
        if ((number & steps) == 0) return result;
        if ((number & steps) != steps) return Shape::varying();
        result.stride = shape.stride;
        result.zero_bits = shape.zero_bits;
        return result;
    case Instruction::LShr:
    case Instruction::AShr:
        if (number >= width_of(instruction.getType())) return Shape::varying();
        if (steps >> number == 0) return result;
        if (uint64_t(shape.stride) & ((uint64_t(1) << number) - 1)) return Shape::varying();
        result.stride = int64_t(uint64_t(shape.stride) >> number);
        result.zero_bits = uint8_t(shape.zero_bits - number);
        return result;
    default:
        return Shape::varying();
    }
}

/// base | step against a constant whose bits are none of the steps': the base decides.
Shape Shapes::transfer_compare(const Instruction& instruction) const {
    const Shape a = of(instruction.getOperand(0)), b = of(instruction.getOperand(1));
    if (a.kind == Shape::Kind::unknown || b.kind == Shape::Kind::unknown) return {};
    if (is_agreed(&instruction)) return Shape::regular();
    const auto* constant = dyn_cast<llvm::ConstantInt>(instruction.getOperand(1));
    if (a.is_regular() && a.stride != 0 && constant && !a.assumed &&
        has_low_bits_to_itself(instruction.getOperand(0), a)) {
        const auto predicate = cast<llvm::ICmpInst>(instruction).getPredicate();
        llvm::APInt edge = constant->getValue();
        if (predicate == llvm::CmpInst::ICMP_UGT || predicate == llvm::CmpInst::ICMP_ULE ||
            predicate == llvm::CmpInst::ICMP_SGT || predicate == llvm::CmpInst::ICMP_SLE)
            ++edge;
        if (!llvm::CmpInst::isEquality(predicate) && edge.countr_zero() >= a.zero_bits && !edge.isZero() &&
            !edge.isMinSignedValue())
            return Shape::regular(0, a.by_row);
    }
    return same_for_all(instruction);
}

bool Shapes::is_monotone(const llvm::Value* comparison) const {
    const auto* compare = dyn_cast<llvm::ICmpInst>(comparison);
    if (!compare || !compare->getOperand(0)->getType()->isIntegerTy() ||
        !has_integer_lanes(compare->getOperand(0)->getType()))
        return false;
    const unsigned width = width_of(compare->getOperand(0)->getType());
    bool steps = false;
    for (const llvm::Value* operand : compare->operands()) {
        const Shape shape = of(operand);
        if (!shape.is_regular() || shape.assumed || width < 8) return false;
        // The way through all columns must be short against the type, or wrapping around is not seen.
        if (uint64_t(std::abs(shape.stride)) >= (uint64_t(1) << (width - 1)) / tile_.columns) return false;
        steps |= shape.stride != 0;
    }
    return !steps || !compare->isEquality();
}

bool Shapes::is_of_block(const llvm::Value* value, const llvm::DataLayout& data) {
    constexpr unsigned bits = 11; // PTX ISA 10.1: no block has more than 1024 threads
    return llvm::computeKnownBits(value, data).countMaxActiveBits() <= bits;
}

bool Shapes::never_wraps(const llvm::Value* value, bool is_signed) const {
    const Shape shape = of(value);
    if (has_low_bits_to_itself(value, shape)) return true;
    const llvm::KnownBits known = llvm::computeKnownBits(value, data_);
    const unsigned width = known.getBitWidth();
    const llvm::APInt way(width + 1, uint64_t(shape.stride * int64_t(tile_.columns - 1)), true);
    const auto fits = [&](const llvm::APInt& first) {
        const llvm::APInt sum = (is_signed ? first.sext(width + 1) : first.zext(width + 1)) + way;
        return is_signed ? sum.isSignedIntN(width) : sum.isIntN(width);
    };
    return is_signed ? fits(known.getSignedMinValue()) && fits(known.getSignedMaxValue())
                     : fits(known.getMinValue()) && fits(known.getMaxValue());
}

Shape Shapes::transfer_cast(const Instruction& instruction) const {
    const llvm::Value* value = instruction.getOperand(0);
    Shape shape = of(value);
    if (!shape.is_regular()) return shape;
    if (shape.stride == 0) return same_for_all(instruction);
    const llvm::Type* type = instruction.getType();
    if (!has_integer_lanes(type) || !has_integer_lanes(value->getType())) return Shape::varying();
    switch (instruction.getOpcode()) {
    case Instruction::Trunc:
        shape.stride = wrapped(shape.stride, type);
        return shape.stride == 0 ? same_for_all(instruction) : shape;
    case Instruction::SExt:
    case Instruction::ZExt:
        // The way through all columns must be short against the type, or wrapping around is not seen.
        if (width_of(value->getType()) < 8 ||
            uint64_t(std::abs(shape.stride)) * tile_.columns >= uint64_t(1) << (width_of(value->getType()) - 1))
            return Shape::varying();
        // In the entry block the function as a whole depends on it: widen.h.
        if (instruction.getParent() != &function_.getEntryBlock())
            shape.assumed |= !never_wraps(value, instruction.getOpcode() == Instruction::SExt);
        return shape;
    case Instruction::PtrToInt:
    case Instruction::IntToPtr:
        return width_of(type) == 64 && width_of(value->getType()) == 64 ? shape : Shape::varying();
    default:
        return Shape::varying();
    }
}

Shape Shapes::transfer_address(const Instruction& instruction) const {
    const auto& address = cast<llvm::GetElementPtrInst>(instruction);
    Shape result = of(address.getPointerOperand());
    if (!result.is_regular()) return result;
    unsigned zeros = zero_bits(address.getPointerOperand());
    for (auto at = llvm::gep_type_begin(address); at != llvm::gep_type_end(address); ++at) {
        const Shape index = of(at.getOperand());
        if (!index.is_regular()) return index;
        result.by_row |= index.by_row;
        result.assumed |= index.assumed;
        if (at.isStruct()) continue;
        const uint64_t size = at.getSequentialElementStride(data_).getFixedValue();
        if (index.stride != 0 && width_of(at.getOperand()->getType()) != 64) return Shape::varying();
        result.stride += index.stride * int64_t(size);
        zeros = std::min(zeros, zero_bits(at.getOperand()) + unsigned(llvm::countr_zero(size)));
    }
    result.zero_bits = result.stride ? uint8_t(std::min(zeros, 63u)) : 0;
    return result;
}

Shape Shapes::transfer_load(const Instruction& instruction) const {
    const auto& load = cast<llvm::LoadInst>(instruction);
    if (const auto guess = guesses_.find(&load); guess != guesses_.end()) return guess->second;
    const Shape address = of(load.getPointerOperand());
    if (address.kind == Shape::Kind::unknown) return {};
    if (!load.isSimple() || !address.is_regular() || address.stride != 0 || address.assumed) return Shape::varying();
    return Shape::regular(0, address.by_row);
}

} // namespace ptx::simd

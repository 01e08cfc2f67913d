#include "simt_to_simd/few_lanes.h"

#include "simt_to_simd/warp_operations.h"

#include <llvm/ADT/SetVector.h>
#include <llvm/Analysis/PostDominators.h>
#include <llvm/Analysis/ValueTracking.h>
#include <llvm/IR/CFG.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/Transforms/Utils/Cloning.h>

#include <optional>

namespace ptx::simd {
namespace {

using llvm::BasicBlock;
using llvm::cast;
using llvm::dyn_cast;
using llvm::Instruction;
using llvm::Value;
using Region = llvm::SmallSetVector<BasicBlock*, 16>;

/// A comparison of base | step with a constant, where the base's low bits are zero.
struct Condition {
    Value* value = nullptr;
    llvm::APInt low, constant; ///< the steps' bits; what is compared with
    unsigned lane = 0;         ///< of an equation: the only one for which it may be true
    bool equation = false;     ///< or "less", unsigned
    unsigned successor = 0;    ///< where lanes go for which it is true
};

constexpr unsigned most_for_rows = 48; ///< instructions that each row gets a copy of

class Separator {
  public:
    Separator(const Shapes& shapes, const llvm::PostDominatorTree& post, const llvm::DominatorTree& dominators)
        : shapes_(shapes), post_(post), dominators_(dominators) {}

    Marks run(llvm::Function& function) {
        take_apart_early(function);
        const auto branches = parting(function, shapes_);
        // Regions are looked at before any block is made; no two of them have blocks in common.
        struct Found {
            llvm::BranchInst* branch;
            Condition condition;
            std::optional<Region> region;
        };
        llvm::SmallVector<Found, 8> all;
        llvm::SmallVector<std::pair<llvm::BranchInst*, Region>, 4> of_rows = single_rows(branches);
        for (llvm::BranchInst* branch : branches)
            if (const auto condition = condition_of(*branch))
                all.push_back({branch, *condition,
                               condition->equation ? region_of_one(*branch, condition->successor) : std::nullopt});
        for (auto& [branch, region] : of_rows) let_one_row_through(*branch, region);
        for (Found& found : all)
            if (!found.region)
                ask_first(*found.branch, found.condition);
            else if (shapes_.tile().rows == 1)
                let_one_through(*found.branch, found.condition, *found.region);
            else
                let_one_of_each_row_through(*found.branch, found.condition, *found.region);
        return std::move(result_);
    }

    /// Where lanes part that all came there.
    static llvm::SmallVector<llvm::BranchInst*, 16> parting(llvm::Function& function, const Shapes& shapes) {
        llvm::SmallVector<llvm::BranchInst*, 16> branches;
        for (BasicBlock& block : function)
            if (auto* branch = dyn_cast<llvm::BranchInst>(block.getTerminator());
                branch && shapes.is_divergent(&block) && !shapes.is_masked(&block))
                branches.push_back(branch);
        return branches;
    }

    /// What lies behind tests by which one row alone comes there.
    llvm::SmallVector<std::pair<llvm::BranchInst*, Region>, 4>
    single_rows(llvm::ArrayRef<llvm::BranchInst*> branches) const {
        llvm::SmallVector<std::pair<llvm::BranchInst*, Region>, 4> all;
        for (llvm::BranchInst* branch : branches) {
            const auto way = way_of_one_row(*branch);
            auto region = way ? region_of_one(*branch, *way) : std::nullopt;
            if (region && may_be_of_row(*region)) all.push_back({branch, std::move(*region)});
        }
        return all;
    }

  private:
    /// The successor that at most one row goes to.
    std::optional<unsigned> way_of_one_row(const llvm::BranchInst& branch) const {
        const auto* compare = dyn_cast<llvm::ICmpInst>(branch.getCondition());
        if (shapes_.tile().rows == 1 || !compare || !compare->isEquality() ||
            !llvm::isa<llvm::Argument>(compare->getOperand(0)) || !shapes_.of(compare->getOperand(0)).is_row ||
            !llvm::isa<llvm::ConstantInt>(compare->getOperand(1)))
            return std::nullopt;
        return compare->getPredicate() == llvm::CmpInst::ICMP_NE;
    }

    /// Whether lanes of a row stay together in the region, and access memory in order.
    bool may_be_of_row(const Region& region) const {
        const llvm::DataLayout& data = region[0]->getDataLayout();
        return llvm::all_of(region, [&](const BasicBlock* block) {
            for (const BasicBlock* next : llvm::successors(block))
                if (dominators_.dominates(next, block)) return false;
            return llvm::all_of(*block, [&](const Instruction& one) {
                for (const llvm::Use& use : one.operands()) {
                    const auto* made = dyn_cast<Instruction>(use.get());
                    if (made && !region.contains(made->getParent()) && shapes_.of(made).assumed) return false;
                }
                if (const auto* branch = dyn_cast<llvm::BranchInst>(&one))
                    return branch->isUnconditional() || parts_no_row(*branch->getCondition());
                if (!one.mayReadOrWriteMemory()) return !llvm::isa<llvm::CallBase, llvm::ReturnInst>(one);
                const Value* pointer = llvm::getLoadStorePointerOperand(&one);
                if (!pointer || one.isAtomic() || one.isVolatile()) return false;
                const Shape shape = shapes_.of(pointer);
                const auto size = int64_t(data.getTypeStoreSize(llvm::getLoadStoreType(&one)).getFixedValue());
                return shape.is_regular() &&
                       (shape.stride == size || (shape.stride == 0 && llvm::isa<llvm::LoadInst>(one)));
            });
        });
    }

    bool parts_no_row(const Value& condition) const {
        const auto* compare = dyn_cast<llvm::ICmpInst>(&condition);
        return compare && llvm::all_of(compare->operands(), [&](const llvm::Use& use) {
                   const Shape shape = shapes_.of(use.get());
                   return shape.is_regular() && shape.stride == 0 && !shape.assumed;
               });
    }

    /// Structures have no lanes to pick, but their fields have: LLVM moves these to where they are used.
    static void take_apart_early(llvm::Function& function) {
        for (BasicBlock& block : function)
            for (Instruction& instruction : llvm::make_early_inc_range(block)) {
                auto* part = dyn_cast<llvm::ExtractValueInst>(&instruction);
                auto* made = part ? dyn_cast<Instruction>(part->getAggregateOperand()) : nullptr;
                if (made && made->getParent() != &block && !llvm::isa<llvm::PHINode>(made)) part->moveAfter(made);
            }
    }

    std::optional<Condition> condition_of(const llvm::BranchInst& branch) const {
        const auto* compare = dyn_cast<llvm::ICmpInst>(branch.getCondition());
        const auto* constant = compare ? dyn_cast<llvm::ConstantInt>(compare->getOperand(1)) : nullptr;
        if (!constant || constant->getBitWidth() > 64) return std::nullopt;
        Condition result;
        result.value = compare->getOperand(0);
        const Shape shape = shapes_.of(result.value);
        const unsigned columns = shapes_.tile().columns, width = constant->getBitWidth();
        if (!shape.is_regular() || shape.stride <= 0 || shape.assumed || shape.by_row || shape.zero_bits >= width ||
            uint64_t(shape.stride) * (columns - 1) >= uint64_t(1) << shape.zero_bits)
            return std::nullopt;
        result.low = llvm::APInt::getLowBitsSet(width, shape.zero_bits);
        result.constant = constant->getValue();
        auto predicate = compare->getPredicate();
        if (llvm::ICmpInst::isSigned(predicate)) {
            const bool natural = llvm::computeKnownBits(result.value, branch.getDataLayout()).isNonNegative();
            if (!natural || constant->isNegative()) return std::nullopt;
            predicate = llvm::ICmpInst::getUnsignedPredicate(predicate);
        }
        switch (predicate) {
        case llvm::CmpInst::ICMP_EQ:
        case llvm::CmpInst::ICMP_NE: {
            const uint64_t step = (result.constant & result.low).getZExtValue();
            if (step % uint64_t(shape.stride) != 0 || step / uint64_t(shape.stride) >= columns) return std::nullopt;
            result.equation = true;
            result.lane = unsigned(step / uint64_t(shape.stride));
            result.successor = predicate == llvm::CmpInst::ICMP_NE;
            return result;
        }
        case llvm::CmpInst::ICMP_UGT:
            if (result.constant.isMaxValue()) return std::nullopt;
            ++result.constant;
            result.successor = 1;
            break;
        case llvm::CmpInst::ICMP_UGE:
            result.successor = 1;
            break;
        case llvm::CmpInst::ICMP_ULE:
            if (result.constant.isMaxValue()) return std::nullopt;
            ++result.constant;
            break;
        case llvm::CmpInst::ICMP_ULT:
            break;
        default:
            return std::nullopt;
        }
        // Only lanes of the first tile.
        return !result.constant.isZero() && result.constant.ule(result.low) ? std::optional(result) : std::nullopt;
    }

    /// The blocks that lanes come to only by that way, up to where it is one with the other way, on which nothing is.
    std::optional<Region> region_of_one(const llvm::BranchInst& branch, unsigned way) const {
        BasicBlock *from = const_cast<BasicBlock*>(branch.getParent()), *begin = branch.getSuccessor(way),
                   *join = branch.getSuccessor(1 - way);
        const auto* node = post_.getNode(from);
        if (begin == join || begin->getSinglePredecessor() != from || !node || !node->getIDom() ||
            node->getIDom()->getBlock() != join)
            return std::nullopt;
        const bool rows = shapes_.tile().rows > 1;
        if (rows && llvm::isa<llvm::PHINode>(join->front())) return std::nullopt;
        Region region;
        region.insert(begin);
        for (size_t i = 0; i < region.size(); ++i) {
            if (!dominators_.dominates(begin, region[i])) return std::nullopt;
            for (BasicBlock* next : llvm::successors(region[i]))
                if (next != join) region.insert(next);
        }
        unsigned length = 0;
        for (const BasicBlock* block : region) length += unsigned(block->size());
        const bool fine = (!rows || length <= most_for_rows) &&
                          llvm::all_of(region, [&](const BasicBlock* block) { return may_be_of_one(*block, region); });
        return fine ? std::optional(std::move(region)) : std::nullopt;
    }

    static bool may_be_of_one(const BasicBlock& block, const Region& region) {
        return llvm::all_of(block, [&](const Instruction& instruction) {
            const auto* call = dyn_cast<llvm::CallBase>(&instruction);
            if (call && warp_operation_of(*call)) return false;
            return llvm::none_of(instruction.operands(), [&](const llvm::Use& use) {
                const auto* made = dyn_cast<Instruction>(use.get());
                return made && made->getType()->isAggregateType() && !region.contains(made->getParent());
            });
        });
    }

    static Value* equal_base(llvm::IRBuilder<>& ir, const Condition& condition, llvm::CmpInst::Predicate predicate) {
        Value* base = ir.CreateAnd(condition.value, ir.getInt(~condition.low));
        return ir.CreateICmp(predicate, base, ir.getInt(condition.constant & ~condition.low));
    }

    /// Only whether the tile has the lane decides; in the region values are that lane's.
    void let_one_through(llvm::BranchInst& branch, const Condition& condition, const Region& region) {
        BasicBlock *from = branch.getParent(), *begin = region[0], *join = branch.getSuccessor(1 - condition.successor);
        while (auto* phi = dyn_cast<llvm::PHINode>(&begin->front())) {
            phi->replaceAllUsesWith(phi->getIncomingValue(0));
            phi->eraseFromParent();
        }
        // Other lanes keep what they have.
        Value* is_one = branch.getCondition();
        for (BasicBlock* block : region) {
            if (!llvm::is_contained(llvm::successors(block), join)) continue;
            BasicBlock* edge = BasicBlock::Create(block->getContext(), "", block->getParent(), join);
            block->getTerminator()->replaceSuccessorWith(join, edge);
            llvm::IRBuilder<> ir(edge);
            for (llvm::PHINode& phi : join->phis()) {
                const int place = phi.getBasicBlockIndex(block);
                Value *own = phi.getIncomingValue(unsigned(place)), *others = phi.getIncomingValueForBlock(from);
                phi.setIncomingBlock(unsigned(place), edge);
                if (own == others) continue;
                const bool first = condition.successor == 0;
                phi.setIncomingValue(unsigned(place),
                                     ir.CreateSelect(is_one, first ? own : others, first ? others : own));
            }
            ir.CreateBr(join);
        }
        pick(region, [&](Value* value) { result_.picks[value] = condition.lane; });
        for (BasicBlock* block : region) result_.of_one_lane.insert(block);
        ask_for_base(branch, condition);
    }

    static void ask_for_base(llvm::BranchInst& branch, const Condition& condition) {
        llvm::IRBuilder<> end(&branch);
        branch.setCondition(
            equal_base(end, condition, condition.successor == 0 ? llvm::CmpInst::ICMP_EQ : llvm::CmpInst::ICMP_NE));
    }

    /// Where there are several rows they come one after another, each by blocks of its own.
    void let_one_of_each_row_through(llvm::BranchInst& branch, const Condition& condition, const Region& region) {
        BasicBlock* join = branch.getSuccessor(1 - condition.successor);
        llvm::SmallVector<Region, 4> copies{region};
        for (unsigned row = 1; row < shapes_.tile().rows; ++row) {
            llvm::ValueToValueMapTy map;
            llvm::SmallVector<BasicBlock*, 16> blocks;
            for (BasicBlock* block : region) {
                blocks.push_back(llvm::CloneBasicBlock(block, map, "", block->getParent()));
                map[block] = blocks.back();
            }
            llvm::remapInstructionsInBlocks(blocks, map);
            copies.push_back(Region(blocks.begin(), blocks.end()));
        }
        for (unsigned row = 0; row < copies.size(); ++row) {
            BasicBlock* next = row + 1 < copies.size() ? copies[row + 1][0] : join;
            for (BasicBlock* block : copies[row]) block->getTerminator()->replaceSuccessorWith(join, next);
            const unsigned lane = row * shapes_.tile().columns + condition.lane;
            pick(copies[row], [&](Value* value) { result_.picks[value] = lane; });
            for (BasicBlock* block : copies[row]) result_.of_one_lane.insert(block);
        }
        ask_for_base(branch, condition);
    }

    /// Whether the tile has the row decides; in the region values are that row's.
    void let_one_row_through(llvm::BranchInst& branch, const Region& region) {
        auto* compare = cast<llvm::ICmpInst>(branch.getCondition());
        auto* test = new llvm::ICmpInst(branch.getIterator(), llvm::CmpInst::ICMP_EQ, compare->getOperand(0),
                                        compare->getOperand(1));
        auto* any = new llvm::FreezeInst(test, "", branch.getIterator());
        if (compare->getPredicate() == llvm::CmpInst::ICMP_NE) branch.swapSuccessors();
        branch.setCondition(any);
        result_.of_any_row.insert(any);
        pick(region, [&](Value* value) { result_.row_picks[value] = test; });
        for (BasicBlock* block : region) result_.of_one_row[block] = test;
    }

    /// Values from elsewhere that are not all lanes' become those of some, by instructions that are noted.
    void pick(const Region& region, llvm::function_ref<void(Value*)> note) {
        BasicBlock* begin = region[0];
        llvm::DenseMap<Value*, Value*> picked;
        llvm::IRBuilder<> ir(begin, begin->begin());
        llvm::SmallVector<llvm::Use*, 32> uses;
        for (BasicBlock* block : region)
            for (Instruction& instruction : *block)
                for (llvm::Use& use : instruction.operands()) uses.push_back(&use);
        for (llvm::Use* use : uses) {
            auto* made = dyn_cast<Instruction>(use->get());
            if (!made && !llvm::isa<llvm::Argument>(use->get())) continue;
            if (made && region.contains(made->getParent())) continue;
            const Shape shape = shapes_.of(use->get());
            if (shape.is_uniform() && !shape.assumed) continue;
            Value*& pick = picked[use->get()];
            if (!pick) {
                pick = ir.Insert(new llvm::FreezeInst(use->get()));
                note(pick);
            }
            use->set(pick);
        }
    }

    /// Tiles without such lanes go the other way; in others, it is known which ones they are.
    void ask_first(llvm::BranchInst& branch, const Condition& condition) {
        BasicBlock *from = branch.getParent(), *others = branch.getSuccessor(1 - condition.successor),
                   *these = branch.getSuccessor(condition.successor);
        if (these == others) return;
        BasicBlock* ask = BasicBlock::Create(from->getContext(), "", from->getParent(), from->getNextNode());
        llvm::IRBuilder<> ir(ask);
        Value* step = ir.CreateAnd(condition.value, ir.getInt(condition.low));
        Value* which = ir.CreateICmp(condition.equation ? llvm::CmpInst::ICMP_EQ : llvm::CmpInst::ICMP_ULT, step,
                                     ir.getInt(condition.constant & condition.low));
        ir.CreateCondBr(which, these, others);
        these->replacePhiUsesWith(from, ask);
        for (llvm::PHINode& phi : others->phis()) phi.addIncoming(phi.getIncomingValueForBlock(from), ask);
        llvm::IRBuilder<> end(&branch);
        Value* any = equal_base(end, condition, llvm::CmpInst::ICMP_EQ);
        end.CreateCondBr(any, ask, others);
        branch.eraseFromParent();
    }

    const Shapes& shapes_;
    const llvm::PostDominatorTree& post_;
    const llvm::DominatorTree& dominators_;
    Marks result_;
};

} // namespace

llvm::SmallPtrSet<const BasicBlock*, 8> blocks_of_single_rows(llvm::Function& function, const Shapes& shapes,
                                                              const llvm::PostDominatorTree& post,
                                                              const llvm::DominatorTree& dominators) {
    llvm::SmallPtrSet<const BasicBlock*, 8> all;
    const Separator separator(shapes, post, dominators);
    for (const auto& [branch, region] : separator.single_rows(Separator::parting(function, shapes))) {
        all.insert(branch->getParent());
        all.insert(region.begin(), region.end());
    }
    return all;
}

Marks separate_few_lanes(llvm::Function& function, const Shapes& shapes, const llvm::PostDominatorTree& post,
                         const llvm::DominatorTree& dominators) {
    return Separator(shapes, post, dominators).run(function);
}

} // namespace ptx::simd

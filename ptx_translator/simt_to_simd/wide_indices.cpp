#include "simt_to_simd/wide_indices.h"

#include "simt_to_simd/hoist.h"

#include <llvm/Analysis/AssumptionCache.h>
#include <llvm/Analysis/LoopInfo.h>
#include <llvm/Analysis/ScalarEvolutionExpressions.h>
#include <llvm/Analysis/TargetLibraryInfo.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/Transforms/Utils/ScalarEvolutionExpander.h>

#include <map>

namespace ptx::simd {
namespace {

using llvm::Instruction;
using llvm::SCEV;
using llvm::Value;

constexpr unsigned narrow_bits = 32; ///< so that a way of as many rounds and steps fits into 64

/// What an expression is made of that is no constant.
struct Leaves {
    llvm::SmallVector<Value*, 8> values;
    bool of_loops = false;
    bool follow(const SCEV* part) {
        if (const auto* unknown = llvm::dyn_cast<llvm::SCEVUnknown>(part)) values.push_back(unknown->getValue());
        of_loops |= llvm::isa<llvm::SCEVAddRecExpr, llvm::SCEVCouldNotCompute>(part);
        return !of_loops;
    }
    bool isDone() const { return of_loops; }
};

class Indices {
  public:
    Indices(llvm::Function& scalar, const Shapes& shapes, const llvm::LoopInfo& loops, llvm::DominatorTree& dominators,
            Agreed& agreed)
        : shapes_(shapes), loops_(loops), dominators_(dominators), agreed_(agreed),
          end_(scalar.getEntryBlock().getTerminator()), library_(scalar.getParent()->getTargetTriple()),
          library_of_function_(library_), assumptions_(scalar),
          evolution_(scalar, library_of_function_, assumptions_, dominators, const_cast<llvm::LoopInfo&>(loops)),
          expander_(evolution_, "") {}

    void widen(llvm::CastInst& extension) {
        const llvm::Loop* loop = loops_.getLoopFor(extension.getParent());
        Value* narrow = extension.getOperand(0);
        if (!loop || !loop->getLoopPreheader() || !loop->getLoopLatch() ||
            !narrow->getType()->isIntegerTy(narrow_bits) || !extension.getType()->isIntegerTy(2 * narrow_bits))
            return;
        const auto* steps = llvm::dyn_cast<llvm::SCEVAddRecExpr>(evolution_.getSCEV(narrow));
        if (!steps || !steps->isAffine() || steps->getLoop() != loop) return;
        const bool is_signed = llvm::isa<llvm::SExtInst>(extension);
        llvm::PHINode*& known = made_[{steps, is_signed}];
        if (!known) {
            const SCEV *start = steps->getStart(), *step = steps->getStepRecurrence(evolution_);
            if (!may_expand(start, false) || !may_expand(step, true)) return;
            Value* rounds = rounds_of(*loop);
            if (!rounds) return;
            known = count(*loop, expand(start), expand(step), rounds, is_signed);
        }
        extension.replaceAllUsesWith(known);
        extension.eraseFromParent();
    }

    Value* condition() const { return condition_; }

  private:
    /// How often the loop goes round at most, as 64 bits; null if that is not known at the beginning, for all lanes.
    Value* rounds_of(const llvm::Loop& loop) {
        if (const auto found = rounds_.find(&loop); found != rounds_.end()) return found->second;
        Value*& result = rounds_[&loop];
        llvm::SmallVector<const llvm::SCEVPredicate*, 4> predicates;
        const SCEV* count = evolution_.getPredicatedSymbolicMaxBackedgeTakenCount(&loop, predicates);
        if (!may_expand(count, true) || !count->getType()->isIntegerTy(narrow_bits)) return nullptr;
        for (const llvm::SCEVPredicate* one : predicates) {
            const auto* compare = llvm::dyn_cast<llvm::SCEVComparePredicate>(one);
            if (!compare || !may_expand(compare->getLHS(), true) || !may_expand(compare->getRHS(), true))
                return nullptr;
        }
        llvm::IRBuilder<> ir(end_);
        result = ir.CreateZExt(expand(count), ir.getInt64Ty());
        for (const llvm::SCEVPredicate* one : predicates) {
            prepare(llvm::cast<llvm::SCEVComparePredicate>(one)->getLHS());
            prepare(llvm::cast<llvm::SCEVComparePredicate>(one)->getRHS());
            require(loop, ir.CreateNot(expander_.expandCodeForPredicate(one, end_)));
        }
        return result;
    }

    /// Whether the expression may be computed at the end of the entry block, and is one for all lanes.
    bool may_expand(const SCEV* expression, bool uniform) const {
        Leaves leaves;
        llvm::visitAll(expression, leaves);
        if (leaves.of_loops || !expander_.isSafeToExpand(expression)) return false;
        return llvm::all_of(leaves.values, [&](Value* value) {
            auto* instruction = llvm::dyn_cast<Instruction>(value);
            return (!uniform || llvm::isa<llvm::Constant>(value) || shapes_.of(value).is_uniform()) &&
                   (!instruction || may_hoist(*instruction, end_));
        });
    }

    void prepare(const SCEV* expression) {
        Leaves leaves;
        llvm::visitAll(expression, leaves);
        for (Value* value : leaves.values)
            if (auto* instruction = llvm::dyn_cast<Instruction>(value)) hoist(*instruction, end_);
    }

    Value* expand(const SCEV* expression) {
        prepare(expression);
        return expander_.expandCodeFor(expression, expression->getType(), end_);
    }

    llvm::PHINode* count(const llvm::Loop& loop, Value* start, Value* step, Value* rounds, bool is_signed) {
        llvm::IRBuilder<> ir(end_);
        llvm::Type* wide = ir.getInt64Ty();
        start = is_signed ? ir.CreateSExt(start, wide) : ir.CreateZExt(start, wide);
        step = ir.CreateSExt(step, wide);
        // In equal steps, so the last is farthest from the first.
        Value* last = ir.CreateAdd(start, ir.CreateMul(rounds, step));
        const auto limit = [&](bool most) {
            const llvm::APInt edge =
                is_signed
                    ? (most ? llvm::APInt::getSignedMaxValue(narrow_bits) : llvm::APInt::getSignedMinValue(narrow_bits))
                          .sext(64)
                    : (most ? llvm::APInt::getMaxValue(narrow_bits).zext(64) : llvm::APInt::getZero(64));
            return llvm::ConstantInt::get(wide, edge);
        };
        for (bool most : {false, true}) {
            Value* within = most ? ir.CreateICmpSLE(last, limit(true)) : ir.CreateICmpSGE(last, limit(false));
            agreed_.insert(within);
            require(loop, within);
        }
        ir.SetInsertPoint(loop.getHeader(), loop.getHeader()->begin());
        llvm::PHINode* index = ir.CreatePHI(wide, 2);
        ir.SetInsertPoint(loop.getLoopLatch()->getTerminator());
        index->addIncoming(start, loop.getLoopPreheader());
        index->addIncoming(ir.CreateAdd(index, step), loop.getLoopLatch());
        return index;
    }

    /// Where the loop is come to.
    void require(const llvm::Loop& loop, Value* one) {
        llvm::IRBuilder<> ir(end_);
        if (Value* missed = misses(loop)) one = ir.CreateOr(one, missed);
        condition_ = condition_ ? ir.CreateAnd(condition_, one) : one;
    }

    /// Whether control surely does not come to the loop, by branches that say so for all lanes; null: it may.
    Value* misses(const llvm::Loop& loop) {
        if (const auto found = misses_.find(&loop); found != misses_.end()) return found->second;
        Value* result = nullptr;
        llvm::IRBuilder<> ir(end_);
        const llvm::BasicBlock* header = loop.getHeader();
        for (auto* node = dominators_.getNode(header)->getIDom(); node; node = node->getIDom()) {
            const auto* branch = llvm::dyn_cast<llvm::BranchInst>(node->getBlock()->getTerminator());
            if (!branch || branch->isUnconditional() || !shapes_.of(branch->getCondition()).is_uniform()) continue;
            auto* condition = llvm::dyn_cast<Instruction>(branch->getCondition());
            if (!condition || !may_hoist(*condition, end_)) continue;
            for (unsigned i : {0u, 1u}) {
                const llvm::BasicBlockEdge edge(node->getBlock(), branch->getSuccessor(i));
                if (!dominators_.dominates(edge, header)) continue;
                hoist(*condition, end_);
                Value* other = i == 0 ? ir.CreateNot(condition) : condition;
                result = result ? ir.CreateOr(result, other) : other;
            }
        }
        return misses_[&loop] = result;
    }

    const Shapes& shapes_;
    const llvm::LoopInfo& loops_;
    llvm::DominatorTree& dominators_;
    Agreed& agreed_;
    Instruction* end_;
    llvm::TargetLibraryInfoImpl library_;
    llvm::TargetLibraryInfo library_of_function_;
    llvm::AssumptionCache assumptions_;
    llvm::ScalarEvolution evolution_;
    llvm::SCEVExpander expander_;
    std::map<std::pair<const SCEV*, bool>, llvm::PHINode*> made_;
    llvm::DenseMap<const llvm::Loop*, Value*> rounds_, misses_;
    Value* condition_ = nullptr;
};

} // namespace

Value* count_in_wide_indices(llvm::Function& scalar, const Shapes& shapes, const llvm::LoopInfo& loops,
                             llvm::DominatorTree& dominators, Agreed& agreed) {
    llvm::SmallVector<llvm::CastInst*, 16> extensions;
    for (Instruction& instruction : llvm::instructions(scalar))
        if (llvm::isa<llvm::SExtInst, llvm::ZExtInst>(instruction) && shapes.of(&instruction).assumed &&
            loops.getLoopFor(instruction.getParent()))
            extensions.push_back(llvm::cast<llvm::CastInst>(&instruction));
    if (extensions.empty()) return nullptr;
    Indices indices(scalar, shapes, loops, dominators, agreed);
    for (llvm::CastInst* extension : extensions) indices.widen(*extension);
    // Of lanes that are elsewhere promises need not hold (prepare.cpp).
    for (Instruction& instruction : scalar.getEntryBlock()) instruction.dropPoisonGeneratingFlags();
    return indices.condition();
}

} // namespace ptx::simd

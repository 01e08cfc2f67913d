#include "simt_to_simd/widen.h"

#include "simt_to_simd/few_lanes.h"
#include "simt_to_simd/hoist.h"
#include "simt_to_simd/narrow_masks.h"
#include "simt_to_simd/passes.h"
#include "simt_to_simd/rounds_of_all.h"
#include "simt_to_simd/wide_indices.h"
#include "simt_to_simd/widener.h"
#include "simt_to_simd/worth.h"

#include <llvm/Analysis/PostDominators.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>
#include <llvm/Transforms/Scalar/Sink.h>
#include <llvm/Transforms/Utils/Local.h>

namespace ptx::simd {
namespace {

using llvm::Instruction;
using Blocks = llvm::SmallPtrSet<const llvm::BasicBlock*, 8>;

constexpr unsigned most_others_for_each_scattered = 16;

/// Loads whose shape is a guess are done and asked about before anything else; they change by nothing that comes
/// before.
void hoist_guesses(llvm::Function& scalar, Guesses& guesses) {
    Instruction* end = scalar.getEntryBlock().getTerminator();
    llvm::SmallVector<const llvm::Value*, 8> others;
    for (auto& [value, shape] : guesses) {
        auto* load = llvm::cast<llvm::LoadInst>(const_cast<llvm::Value*>(value));
        auto* pointer = llvm::dyn_cast<Instruction>(load->getPointerOperand());
        if (!shape.is_regular() || (pointer && !may_hoist(*pointer, end))) {
            others.push_back(value);
            continue;
        }
        if (pointer) hoist(*pointer, end);
        if (load->getParent() != end->getParent()) load->moveBefore(end->getIterator());
    }
    for (const llvm::Value* value : others) guesses.erase(value);
}

/// Comparisons with the size of the data: where most tiles are, all lanes are on one side.
Agreed find_agreed(llvm::Function& scalar, const Shapes& shapes, const Blocks& of_single_rows) {
    Instruction* end = scalar.getEntryBlock().getTerminator();
    Agreed agreed;
    llvm::SmallVector<Instruction*, 8> found;
    for (Instruction& instruction : llvm::instructions(scalar)) {
        if (!llvm::isa<llvm::ICmpInst>(instruction) || shapes.of(&instruction).is_uniform() ||
            of_single_rows.contains(instruction.getParent()) || !shapes.is_monotone(&instruction) ||
            !may_hoist(instruction, end))
            continue;
        if (llvm::all_of(instruction.operands(),
                         [&](llvm::Use& use) { return Shapes::is_of_block(use.get(), scalar.getDataLayout()); }))
            continue;
        agreed.insert(&instruction);
        found.push_back(&instruction);
    }
    for (Instruction* instruction : found) hoist(*instruction, end);
    return agreed;
}

/// A branch by which a thread ends before it has done anything.
struct EarlyExit {
    llvm::BranchInst* branch = nullptr;
    llvm::Value* condition = nullptr;
    bool value_of_exit = false; ///< of the condition

    /// Lanes stay only if this is true, too, which the entry block gives.
    void require(llvm::Value* one, llvm::Function& scalar) {
        llvm::IRBuilder<> ir(scalar.getEntryBlock().getTerminator());
        llvm::Value* stays = condition;
        if (stays && value_of_exit) stays = ir.CreateNot(stays);
        condition = stays ? ir.CreateAnd(stays, one) : one;
        value_of_exit = false;
    }
};

/// Whether a value of the entry block is made of what lanes load from here and there. Of the slots only predicates are
/// kept tests, mostly with sizes.
bool hangs_on_data(const llvm::Value* value, const Shapes& shapes, const Guesses& guesses) {
    llvm::SmallVector<const llvm::Value*, 16> open{value};
    llvm::SmallPtrSet<const llvm::Value*, 16> seen;
    while (!open.empty()) {
        const auto* instruction = llvm::dyn_cast<Instruction>(open.pop_back_val());
        if (!instruction || !seen.insert(instruction).second || shapes.of(instruction).is_uniform()) continue;
        if (instruction->mayReadFromMemory() &&
            !(guesses.contains(instruction) &&
              (instruction->getType()->isIntegerTy(8) || shapes.of(instruction).is_regular())))
            return true;
        open.append(instruction->op_begin(), instruction->op_end());
    }
    return false;
}

EarlyExit find_early_exit(llvm::Function& scalar, const Shapes& shapes, const Guesses& guesses) {
    Instruction* end = scalar.getEntryBlock().getTerminator();
    llvm::SmallPtrSet<const llvm::BasicBlock*, 8> seen;
    for (llvm::BasicBlock* block = &scalar.getEntryBlock(); block && seen.insert(block).second;
         block = block->getSingleSuccessor()) {
        if (block != end->getParent() &&
            llvm::any_of(*block, [](const Instruction& one) { return one.mayWriteToMemory(); }))
            return {};
        auto* branch = llvm::dyn_cast<llvm::BranchInst>(block->getTerminator());
        if (!branch || branch->isUnconditional()) continue;
        auto* condition = llvm::dyn_cast<Instruction>(branch->getCondition());
        if (!condition || !may_hoist(*condition, end) || hangs_on_data(condition, shapes, guesses)) return {};
        // By their place in the block few end in most tiles, or all.
        const bool by_place =
            llvm::isa<llvm::ICmpInst>(condition) && llvm::all_of(condition->operands(), [&](llvm::Use& use) {
                return Shapes::is_of_block(use.get(), scalar.getDataLayout());
            });
        if (by_place) return {};
        for (unsigned i : {0u, 1u})
            if (ends_at_once(branch->getSuccessor(i)) && branch->getSuccessor(0) != branch->getSuccessor(1)) {
                hoist(*condition, end);
                return {branch, condition, i == 0};
            }
        return {};
    }
    return {};
}

void remove(const EarlyExit& exit) {
    llvm::BasicBlock *from = exit.branch->getParent(), *to = exit.branch->getSuccessor(exit.value_of_exit ? 1 : 0);
    exit.branch->getSuccessor(exit.value_of_exit ? 0 : 1)->removePredecessor(from, true);
    exit.branch->eraseFromParent();
    llvm::BranchInst::Create(to, from);
}

llvm::CmpInst::Predicate predicate_of(llvm::Intrinsic::ID bound) {
    switch (bound) {
    case llvm::Intrinsic::smax:
        return llvm::CmpInst::ICMP_SGE;
    case llvm::Intrinsic::smin:
        return llvm::CmpInst::ICMP_SLE;
    case llvm::Intrinsic::umax:
        return llvm::CmpInst::ICMP_UGE;
    case llvm::Intrinsic::umin:
        return llvm::CmpInst::ICMP_ULE;
    default:
        return llvm::CmpInst::BAD_ICMP_PREDICATE;
    }
}

/// In most tiles all lanes are within the bounds that numbers of theirs are kept in, max(x - 8, 0): there the number is
/// taken for the result. Gives, by the bounds, whether a lane is within.
llvm::SmallVector<llvm::Value*, 4> take_for_bounded(llvm::Function& scalar, const Shapes& shapes) {
    Instruction* end = scalar.getEntryBlock().getTerminator();
    llvm::SmallVector<llvm::Value*, 4> within;
    for (Instruction& instruction : llvm::make_early_inc_range(llvm::instructions(scalar))) {
        const auto* call = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction);
        const auto predicate = call ? predicate_of(call->getIntrinsicID()) : llvm::CmpInst::BAD_ICMP_PREDICATE;
        if (predicate == llvm::CmpInst::BAD_ICMP_PREDICATE || shapes.is_masked(instruction.getParent())) continue;
        for (unsigned i : {0u, 1u}) {
            llvm::Value *number = call->getArgOperand(i), *bound = call->getArgOperand(1 - i);
            const Shape steps = shapes.of(number), edge = shapes.of(bound);
            if (!steps.is_regular() || steps.stride == 0 || !edge.is_regular() || edge.stride != 0) continue;
            const bool early = llvm::all_of(call->args(), [&](const llvm::Use& use) {
                auto* operand = llvm::dyn_cast<Instruction>(use.get());
                return !operand || may_hoist(*operand, end);
            });
            if (!early) continue;
            for (const llvm::Use& use : call->args())
                if (auto* operand = llvm::dyn_cast<Instruction>(use.get())) hoist(*operand, end);
            within.push_back(new llvm::ICmpInst(end->getIterator(), predicate, number, bound));
            instruction.replaceAllUsesWith(number);
            instruction.eraseFromParent();
            break;
        }
    }
    return within;
}

bool is_scattered(const Instruction& instruction, const Shapes& shapes) {
    const llvm::Value* pointer = llvm::getLoadStorePointerOperand(&instruction);
    if (!pointer) return false;
    const Shape shape = shapes.of(pointer);
    const auto size =
        int64_t(instruction.getDataLayout().getTypeStoreSize(llvm::getLoadStoreType(&instruction)).getFixedValue());
    return shape.is_varying() || (shape.stride != 0 && std::abs(shape.stride) != size);
}

/// A loop that lanes leave in different rounds, and that mostly loads from here and there, is as fast for one lane
/// after another: SpMV by rows.
bool is_serial_at_heart(const llvm::LoopInfo& loops, const Shapes& shapes) {
    for (const llvm::Loop* loop : loops.getLoopsInPreorder()) {
        if (!loop->isInnermost() || !shapes.is_divergent(loop)) continue;
        unsigned scattered = 0, others = 0;
        for (const llvm::BasicBlock* block : loop->blocks())
            for (const Instruction& instruction : *block) {
                if (llvm::isa<llvm::PHINode>(instruction) || instruction.isTerminator()) continue;
                ++(is_scattered(instruction, shapes) ? scattered : others);
            }
        if (scattered > 0 && others < most_others_for_each_scattered * scattered) return true;
    }
    return false;
}

/// What is computed in front of a look whether any lane is there is computed behind it, if that is where it is used.
void sink(llvm::Function& function) {
    Passes managers;
    llvm::FunctionPassManager passes;
    passes.addPass(llvm::EarlyCSEPass());
    passes.addPass(llvm::InstCombinePass());
    passes.addPass(llvm::SimplifyCFGPass());
    passes.addPass(llvm::SinkingPass());
    passes.run(function, managers.functions);
}

/// Bounds within bounds are seen one after another. `exit` becomes what all of them say, and what it said before.
void stay_within_bounds(llvm::Function& scalar, Tile tile, llvm::ArrayRef<Shape> arguments, const Guesses& guesses,
                        EarlyExit& exit) {
    for (;;) {
        const llvm::DominatorTree dominators(scalar);
        const llvm::PostDominatorTree post(scalar);
        const llvm::LoopInfo loops(dominators);
        const auto within = take_for_bounded(scalar, Shapes(scalar, loops, post, tile, arguments, guesses));
        if (within.empty()) return;
        for (llvm::Value* one : within) exit.require(one, scalar);
    }
}

} // namespace

bool ends_at_once(const llvm::BasicBlock* block) {
    for (;;) {
        for (const Instruction& instruction : *block)
            if (instruction.mayReadOrWriteMemory()) return false;
        if (llvm::isa<llvm::ReturnInst>(block->getTerminator())) return true;
        block = block->getSingleSuccessor();
        if (!block) return false;
    }
}

Outlook look_at(llvm::Function& scalar, Tile tile, llvm::ArrayRef<Shape> arguments, const Guesses& guesses) {
    const llvm::DominatorTree dominators(scalar);
    const llvm::PostDominatorTree post(scalar);
    const llvm::LoopInfo loops(dominators);
    const Shapes shapes(scalar, loops, post, tile, arguments, guesses);
    const Blocks of_single_rows = blocks_of_single_rows(scalar, shapes, post, dominators);
    Outlook outlook;
    for (const llvm::BasicBlock& block : scalar) {
        if (const auto* result = llvm::dyn_cast<llvm::ReturnInst>(block.getTerminator()))
            outlook.one_result = !result->getReturnValue() || shapes.of(result->getReturnValue()).is_uniform();
        if (!shapes.is_divergent(&block) || of_single_rows.contains(&block)) continue;
        const auto* compare =
            llvm::dyn_cast<llvm::ICmpInst>(llvm::cast<llvm::BranchInst>(block.getTerminator())->getCondition());
        const Shape shape = compare ? shapes.of(compare) : Shape::varying();
        outlook.parts_between_rows |= shape.is_regular() && shape.stride == 0 && shape.by_row &&
                                      llvm::all_of(compare->operands(), [&](const llvm::Use& use) {
                                          return Shapes::is_of_block(use.get(), scalar.getDataLayout());
                                      });
    }
    return outlook;
}

llvm::Function* widen(llvm::Function& scalar, Tile tile, llvm::ArrayRef<Shape> arguments, const Machine& machine,
                      Guesses guesses, bool all_alike, Results results, const SlotAccesses& slots) {
    // Up to where something may be written, a tile may still be refused.
    llvm::BasicBlock& entry = scalar.getEntryBlock();
    const auto first = llvm::find_if(entry, [](const Instruction& instruction) {
        return instruction.mayWriteToMemory() || instruction.isTerminator();
    });
    entry.splitBasicBlock(first);
    EarlyExit exit, end;
    if (all_alike) {
        const llvm::DominatorTree dominators(scalar);
        const llvm::PostDominatorTree post(scalar);
        const llvm::LoopInfo loops(dominators);
        exit = find_early_exit(scalar, Shapes(scalar, loops, post, tile, arguments, guesses), guesses);
        if (exit.condition) {
            remove(exit);
            llvm::removeUnreachableBlocks(scalar);
        }
        end = exit;
        stay_within_bounds(scalar, tile, arguments, guesses, exit);
        // What bounds were taken for it may hang on; phases say where their threads go on; and what tiles do is
        // counted.
        if (exit.condition != end.condition || !scalar.getReturnType()->isVoidTy() || machine.counts) end = {};
    }
    hoist_guesses(scalar, guesses);
    for (const auto& [access, by_row] : slots.abridged)
        if (llvm::isa<llvm::LoadInst>(access) && !guesses.contains(access)) return nullptr;
    Agreed agreed;
    Marks marks;
    {
        llvm::DominatorTree dominators(scalar);
        const llvm::PostDominatorTree post(scalar);
        const llvm::LoopInfo loops(dominators);
        {
            const Shapes shapes(scalar, loops, post, tile, arguments, guesses);
            const Blocks of_single_rows = blocks_of_single_rows(scalar, shapes, post, dominators);
            hoist_assumptions(scalar, shapes, of_single_rows);
            if (all_alike) agreed = find_agreed(scalar, shapes, of_single_rows);
        }
        if (all_alike && !exit.condition && agreed.empty()) return nullptr;
        if (!loops.empty()) {
            const Shapes shapes(scalar, loops, post, tile, arguments, guesses, agreed);
            if (llvm::Value* fits = count_in_wide_indices(scalar, shapes, loops, dominators, agreed))
                exit.require(fits, scalar);
        }
        const Shapes shapes(scalar, loops, post, tile, arguments, guesses, agreed);
        marks = separate_few_lanes(scalar, shapes, post, dominators);
    }
    {
        const llvm::DominatorTree dominators(scalar);
        const llvm::PostDominatorTree post(scalar);
        const llvm::LoopInfo loops(dominators);
        const Shapes shapes(scalar, loops, post, tile, arguments, guesses, agreed, marks);
        let_all_go_first(scalar, shapes, loops, marks);
    }
    const llvm::DominatorTree dominators(scalar);
    const llvm::PostDominatorTree post(scalar);
    const llvm::LoopInfo loops(dominators);
    const Shapes shapes(scalar, loops, post, tile, arguments, std::move(guesses), std::move(agreed), std::move(marks));
    for (const Instruction& instruction : llvm::instructions(scalar))
        if (const auto* call = llvm::dyn_cast<llvm::CallInst>(&instruction); call && warp_operation_of(*call))
            if (!why_not_together(*call, shapes).empty()) return nullptr;
    if (is_serial_at_heart(loops, shapes)) return nullptr;
    // What look_at() saw may not be seen any more once loops have copies and few lanes scalar code.
    if (results == Results::one)
        for (const llvm::BasicBlock& block : scalar)
            if (const auto* end = llvm::dyn_cast<llvm::ReturnInst>(block.getTerminator());
                end && end->getReturnValue() && !shapes.of(end->getReturnValue()).is_uniform())
                return nullptr;
    const Bundles bundles(scalar, shapes, scalar.getDataLayout(), slots);
    if (machine.only_if_faster && !pays(scalar, shapes, loops, machine, bundles)) return nullptr;
    llvm::Function* made = Widener(scalar, shapes, loops, dominators, post, machine, slots, bundles)
                               .run(exit.condition, exit.value_of_exit, end.condition, end.value_of_exit, results);
    if (!made) return nullptr;
    sink(*made);
    narrow_constant_masks(*made);
    return made;
}

} // namespace ptx::simd

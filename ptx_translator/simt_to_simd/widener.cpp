#include "simt_to_simd/widener.h"

#include "simt_to_simd/block_order.h"

#include <llvm/Analysis/PostDominators.h>
#include <llvm/IR/CFG.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/MDBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/Transforms/Utils/Local.h>
#include <llvm/Transforms/Utils/PromoteMemToReg.h>

namespace ptx::simd {

using llvm::BasicBlock;
using llvm::cast;
using llvm::dyn_cast;
using llvm::isa;

namespace {

constexpr unsigned most_harmless = 8;

/// Only lanes that are there have the address that a load or store says it has, and vectors begin at any element.
void align_as_elements(llvm::Function& function) {
    const llvm::DataLayout& data = function.getParent()->getDataLayout();
    for (llvm::Instruction& instruction : llvm::instructions(function)) {
        const auto size = [&](const llvm::Value* value) {
            return data.getTypeStoreSize(value->getType()).getFixedValue();
        };
        if (auto* load = dyn_cast<llvm::LoadInst>(&instruction))
            load->setAlignment(llvm::commonAlignment(load->getAlign(), size(load)));
        else if (auto* store = dyn_cast<llvm::StoreInst>(&instruction))
            store->setAlignment(llvm::commonAlignment(store->getAlign(), size(store->getValueOperand())));
    }
}

} // namespace

Widener::Widener(llvm::Function& scalar, const Shapes& shapes, const llvm::LoopInfo& loops,
                 const llvm::DominatorTree& dominators, const llvm::PostDominatorTree& post, const Machine& machine,
                 const SlotAccesses& slots, const Bundles& bundles)
    : scalar_(scalar), shapes_(shapes), loops_(loops), dominators_(dominators), post_(post), machine_(machine),
      slots_(slots), bundles_(bundles), data_(scalar.getParent()->getDataLayout()), context_(scalar.getContext()),
      tile_(shapes.tile()), lanes_(tile_.lanes()), ir_(context_) {}

llvm::Function* Widener::run(llvm::Value* exit, bool value_of_exit, llvm::Value* end, bool value_of_end,
                             Results results) {
    results_ = results;
    exit_ = exit;
    value_of_exit_ = value_of_exit;
    end_ = end;
    value_of_end_ = value_of_end;
    align_as_elements(scalar_);
    make_signature();
    blocks_ = order_blocks(scalar_, loops_);
    const size_t count = blocks_.size();
    for (unsigned i = 0; i < count; ++i) numbers_[blocks_[i]] = i;
    pending_.resize(count);
    masks_.resize(count);
    mask_variables_.resize(count);
    same_as_.resize(count);
    for (size_t i = 0; i < count; ++i) {
        entries_.push_back(BasicBlock::Create(context_, "", made_));
        bodies_.push_back(entries_.back());
    }
    find_equivalents();
    make_counters();
    make_variables();
    for (unsigned i = 0; i < count; ++i) {
        widen_block(i);
        end_block(i);
    }
    finish();
    if (!failed_) return made_;
    made_->eraseFromParent();
    return nullptr;
}

void Widener::make_signature() {
    llvm::SmallVector<llvm::Type*, 16> types;
    for (llvm::Argument& argument : scalar_.args()) types.append(rows_of(&argument), argument.getType());
    types.append({ir_.getPtrTy(), ir_.getInt1Ty()});
    auto* type = llvm::FunctionType::get(ir_.getInt1Ty(), types, false);
    made_ =
        llvm::Function::Create(type, llvm::Function::InternalLinkage, scalar_.getName() + ".simd", scalar_.getParent());
    made_->setAttributes(llvm::AttributeList::get(context_, llvm::AttributeList::FunctionIndex,
                                                  llvm::AttrBuilder(context_, scalar_.getAttributes().getFnAttrs())));
    results_place_ = made_->getArg(made_->arg_size() - 2);
    abridged_ = made_->getArg(made_->arg_size() - 1);
    entry_ = BasicBlock::Create(context_, "", made_);
    unsigned place = 0;
    for (llvm::Argument& argument : scalar_.args())
        for (unsigned row = 0; row < rows_of(&argument); ++row)
            bases_[&argument].push_back(aligned(argument, made_->getArg(place++)));
}

/// What is known of the argument's low bits, and those it cannot have, so that LLVM sees it.
llvm::Value* Widener::aligned(const llvm::Argument& argument, llvm::Value* given) {
    const unsigned zeros = shapes_.of(&argument).zero_bits;
    if (zeros == 0 || !argument.getType()->isIntegerTy()) return given;
    const unsigned width = argument.getType()->getIntegerBitWidth();
    unsigned end = width;
    if (const auto range = argument.getRange()) end = range->getUnsignedMax().getActiveBits();
    if (end <= zeros) return llvm::ConstantInt::get(argument.getType(), 0);
    ir_.SetInsertPoint(entry_);
    return ir_.CreateAnd(given, llvm::ConstantInt::get(context_, llvm::APInt::getBitsSet(width, zeros, end)));
}

/// One for each phi, and for the mask of each block that needs its own.
void Widener::make_variables() {
    ir_.SetInsertPoint(entry_);
    const auto variable = [&](llvm::Type* type) {
        variables_.push_back(ir_.CreateAlloca(type));
        return variables_.back();
    };
    for (BasicBlock* block : blocks_) {
        take_lanes_of(block);
        for (llvm::PHINode& phi : block->phis()) {
            const Shape shape = shapes_.of(&phi);
            const unsigned count = shape.is_regular() ? rows_of(&phi) : 1;
            for (unsigned i = 0; i < count; ++i)
                phis_[&phi].push_back(variable(shape.is_regular() ? phi.getType() : widened(phi.getType())));
        }
        const unsigned number = number_of(block);
        if (shapes_.is_masked(block) && !same_as_[number]) mask_variables_[number] = variable(mask_in_memory());
    }
    take_lanes_of(blocks_[0]);
    clear_masks(nullptr);
    ir_.CreateBr(entries_[0]);
}

/// At the beginning of a round of the loop, or of the function if it is null.
void Widener::clear_masks(const llvm::Loop* loop) {
    for (unsigned i = 0; i < blocks_.size(); ++i) {
        const llvm::Loop* around = loops_.getLoopFor(blocks_[i]);
        // A header's lanes are set on the way in.
        if (around && around->getHeader() == blocks_[i]) around = around->getParentLoop();
        if (mask_variables_[i] && around == loop)
            ir_.CreateStore(llvm::Constant::getNullValue(mask_in_memory()), mask_variables_[i]);
    }
}

/// Control goes to the first of the targets; what else lanes may be waiting for is left for later.
BasicBlock* Widener::route(Targets targets) {
    const unsigned next = *targets.begin();
    targets.erase(next);
    pending_[next].insert(targets.begin(), targets.end());
    return entries_[next];
}

/// Both ways end in one block, where code goes on. The other way is rare, which LLVM is told: it has loops over lanes,
/// which registers would be kept for.
llvm::Value* Widener::choose(llvm::Value* condition, llvm::function_ref<llvm::Value*()> yes,
                             llvm::function_ref<llvm::Value*()> no) {
    BasicBlock* place = ir_.GetInsertBlock();
    BasicBlock* end = BasicBlock::Create(context_, "", made_, place->getNextNode());
    BasicBlock* other = BasicBlock::Create(context_, "", made_, end);
    BasicBlock* usual = BasicBlock::Create(context_, "", made_, other);
    ir_.CreateCondBr(condition, usual, other, llvm::MDBuilder(context_).createLikelyBranchWeights());
    llvm::Value* values[2];
    BasicBlock* ends[2];
    unsigned i = 0;
    for (BasicBlock* way : {usual, other}) {
        ir_.SetInsertPoint(way);
        values[i] = i == 0 ? yes() : no();
        ends[i++] = ir_.GetInsertBlock();
        ir_.CreateBr(end);
    }
    ir_.SetInsertPoint(end);
    if (!values[0]) return nullptr;
    llvm::PHINode* phi = ir_.CreatePHI(values[0]->getType(), 2);
    for (i = 0; i < 2; ++i) phi->addIncoming(values[i], ends[i]);
    return phi;
}

/// A few instructions that do no harm when no lane is there.
static bool is_harmless(const BasicBlock& block) {
    unsigned count = 0;
    for (const llvm::Instruction& instruction : block) {
        if (isa<llvm::PHINode>(instruction) || instruction.isTerminator()) continue;
        if (instruction.mayReadOrWriteMemory() || instruction.isIntDivRem() || isa<llvm::CallInst>(instruction) ||
            ++count > most_harmless)
            return false;
    }
    return llvm::succ_size(&block) == 1;
}

/// Whether control need not go around the block: some lane is surely there, or it costs nothing.
bool Widener::needs_no_look(unsigned number) {
    return !shapes_.is_masked(blocks_[number]) || pending_[number].empty() || same_as_[number] ||
           ((is_harmless(*blocks_[number]) || only_blends(*blocks_[number])) && !loops_.isLoopHeader(blocks_[number]));
}

/// Where a loop has several ways out, lanes that left in earlier rounds may wait behind each of them.
void Widener::expect_at_exits(const llvm::Loop& loop) {
    llvm::SmallVector<BasicBlock*, 8> exits;
    loop.getUniqueExitBlocks(exits);
    if (exits.size() < 2 || !shapes_.is_divergent(&loop)) return;
    for (BasicBlock* exit : exits) pending_[number_of(loop.getHeader())].insert(number_of(exit));
}

void Widener::take_lanes_of(const BasicBlock* block) {
    const unsigned rows = shapes_.row_of(block) ? 1 : shapes_.tile().rows;
    if (rows == tile_.rows) return;
    tile_.rows = rows;
    lanes_ = tile_.lanes();
    std::swap(vectors_, other_vectors_);
}

void Widener::widen_block(unsigned number) {
    BasicBlock* block = blocks_[number];
    current_ = number;
    take_lanes_of(block);
    ir_.SetInsertPoint(entries_[number]);
    if (!needs_no_look(number)) {
        if (llvm::Value* perhaps = perhaps_any(block)) {
            BasicBlock* look = BasicBlock::Create(context_, "", made_, entries_[number]->getNextNode());
            ir_.CreateCondBr(perhaps, look, route(pending_[number]));
            ir_.SetInsertPoint(look);
        }
        llvm::Value* some = any(load_mask(block));
        bodies_[number] = BasicBlock::Create(context_, "", made_, ir_.GetInsertBlock()->getNextNode());
        ir_.CreateCondBr(some, bodies_[number], route(pending_[number]));
        ir_.SetInsertPoint(bodies_[number]);
    }
    masks_[number] = load_mask(block);
    if (const llvm::Loop* loop = loops_.getLoopFor(block); loop && loop->getHeader() == block) {
        clear_masks(loop);
        expect_at_exits(*loop);
    }
    for (llvm::PHINode& phi : block->phis()) {
        llvm::SmallVector<llvm::Value*, 2> loads;
        for (llvm::AllocaInst* variable : phis_[&phi])
            loads.push_back(ir_.CreateLoad(variable->getAllocatedType(), variable, phi.getName()));
        if (shapes_.of(&phi).is_regular())
            bases_[&phi] = loads;
        else
            vectors_[&phi] = loads[0];
    }
    for (llvm::Instruction& instruction : *block)
        if (!isa<llvm::PHINode>(instruction) && !instruction.isTerminator()) widen_instruction(instruction);
    const auto have_all = [&](llvm::Value* condition, bool value) {
        const bool one = shapes_.of(condition).is_uniform();
        llvm::Value* have = one ? base(condition) : vector(condition);
        if (!value) have = ir_.CreateNot(have);
        return one ? have : are_all(have);
    };
    llvm::Value* idle = ir_.getFalse();
    if (number == 0 && end_) {
        // By what is assumed the condition was computed.
        idle = have_all(end_, value_of_end_);
        for (llvm::Value* one : entry_guards_) idle = ir_.CreateAnd(idle, one);
    }
    if (number == 0 && exit_) entry_guards_.push_back(have_all(exit_, !value_of_exit_));
    if (number != 0 || entry_guards_.empty()) return count_block(number);
    llvm::Value* all = entry_guards_[0];
    for (llvm::Value* one : llvm::drop_begin(entry_guards_)) all = ir_.CreateAnd(all, one);
    BasicBlock* refuse = BasicBlock::Create(context_, "", made_);
    BasicBlock* go = BasicBlock::Create(context_, "", made_, ir_.GetInsertBlock()->getNextNode());
    ir_.CreateCondBr(all, go, refuse, llvm::MDBuilder(context_).createLikelyBranchWeights());
    ir_.SetInsertPoint(refuse);
    ir_.CreateRet(idle);
    ir_.SetInsertPoint(go);
    count_block(number);
}

/// Lanes of `mask` (null: all of the block) go to the block `to`: its phis get their values, its mask the lanes.
void Widener::pass(unsigned from, BasicBlock* to, llvm::Value* mask) {
    BasicBlock* block = blocks_[from];
    const llvm::Loop *loop = loops_.getLoopFor(block), *other = loops_.getLoopFor(to);
    const bool to_header = other && other->getHeader() == to;
    // Lanes leave in several rounds, so what earlier ones have left stays.
    bool leaves = false;
    for (; loop && !loop->contains(to); loop = loop->getParentLoop()) leaves |= shapes_.is_divergent(loop);
    unsigned first = from;
    for (BasicBlock* before : llvm::predecessors(to))
        if (!to_header) first = std::min(first, number_of(before));
    const bool adds = !to_header && (leaves || first != from);
    for (llvm::PHINode& phi : to->phis()) {
        llvm::Value* value = phi.getIncomingValueForBlock(block);
        const auto& variables = phis_[&phi];
        if (shapes_.of(&phi).is_regular()) {
            for (unsigned row = 0; row < variables.size(); ++row) ir_.CreateStore(base(value, row), variables[row]);
            continue;
        }
        llvm::Value* wide = vector(value);
        if (adds && mask) {
            llvm::Value* old = ir_.CreateLoad(wide->getType(), variables[0]);
            wide = ir_.CreateSelect(mask, wide, old);
        }
        ir_.CreateStore(wide, variables[0]);
    }
    llvm::AllocaInst* variable = mask_variables_[number_of(to)];
    if (!variable) return;
    llvm::Value* lanes = to_memory(mask ? mask : llvm::Constant::getAllOnesValue(widened(ir_.getInt1Ty())));
    if (adds) lanes = ir_.CreateOr(ir_.CreateLoad(mask_in_memory(), variable), lanes);
    ir_.CreateStore(lanes, variable);
}

void Widener::end_block(unsigned number) {
    llvm::Instruction* end = blocks_[number]->getTerminator();
    if (auto* result = dyn_cast<llvm::ReturnInst>(end)) {
        if (llvm::Value* value = result->getReturnValue(); value && results_ != Results::none)
            ir_.CreateAlignedStore(results_ == Results::one ? base(value) : vector(value), results_place_,
                                   llvm::Align(4));
        add_counts();
        ir_.CreateRet(ir_.getTrue());
        return;
    }
    auto& branch = *cast<llvm::BranchInst>(end);
    if (shapes_.is_divergent(blocks_[number])) return end_divergent(number, branch);
    const auto go = [&](BasicBlock* to) -> BasicBlock* {
        const llvm::Loop* loop = loops_.getLoopFor(to);
        const bool back = loop && loop->getHeader() == to && loop->contains(blocks_[number]);
        pass(number, to, masks_[number]);
        Targets targets = pending_[number];
        if (!back) {
            targets.insert(number_of(to));
            return route(targets);
        }
        return bodies_[number_of(to)];
    };
    if (branch.isUnconditional()) {
        BasicBlock* to = branch.getSuccessor(0);
        BasicBlock* next = go(to);
        const llvm::Loop* loop = loops_.getLoopFor(to);
        if (next == bodies_[number_of(to)] && number_of(to) <= number && shapes_.is_divergent(loop)) {
            // The round is over for all; the lanes that are still there decide.
            llvm::Value* some = masks_[number] ? any(masks_[number]) : ir_.getTrue();
            ir_.CreateCondBr(some, next, route(pending_[number]));
        } else {
            ir_.CreateBr(next);
        }
        return;
    }
    llvm::Value* condition = base(branch.getCondition());
    BasicBlock* place = ir_.GetInsertBlock();
    BasicBlock* ways[2];
    for (unsigned i : {0u, 1u}) {
        ways[i] = BasicBlock::Create(context_, "", made_, place->getNextNode());
        ir_.SetInsertPoint(ways[i]);
        BasicBlock* next = go(branch.getSuccessor(i));
        ir_.CreateBr(next);
    }
    ir_.SetInsertPoint(place);
    ir_.CreateCondBr(condition, ways[0], ways[1]);
}

void Widener::end_divergent(unsigned number, llvm::BranchInst& branch) {
    llvm::Value* condition = vector(branch.getCondition());
    llvm::Value* mask = masks_[number];
    llvm::Value* masks[] = {both(mask, condition), both(mask, ir_.CreateNot(condition))};
    Targets targets = pending_[number];
    BasicBlock* again = nullptr;
    llvm::Value* rest = nullptr;
    for (unsigned i : {0u, 1u}) {
        BasicBlock* to = branch.getSuccessor(i);
        pass(number, to, masks[i]);
        const llvm::Loop* loop = loops_.getLoopFor(to);
        if (loop && loop->getHeader() == to && loop->contains(blocks_[number]))
            again = bodies_[number_of(to)], rest = masks[i];
        else
            targets.insert(number_of(to));
    }
    llvm::Value* some = again ? any(rest) : nullptr;
    BasicBlock* next = route(targets);
    if (again)
        ir_.CreateCondBr(some, again, next);
    else
        ir_.CreateBr(next);
}

/// Values are used where their block has run whenever lanes need them, which dominance does not know of.
void Widener::finish() {
    llvm::removeUnreachableBlocks(*made_);
    llvm::DominatorTree dominators(*made_);
    llvm::SmallVector<llvm::Instruction*, 32> lost;
    for (llvm::Instruction& instruction : llvm::instructions(*made_)) {
        if (isa<llvm::AllocaInst>(instruction)) continue;
        for (const llvm::Use& use : instruction.uses())
            if (!dominators.dominates(&instruction, use)) {
                lost.push_back(&instruction);
                break;
            }
    }
    for (llvm::Instruction* instruction : lost)
        variables_.push_back(llvm::DemoteRegToStack(*instruction, false, entry_->begin()));
    dominators.recalculate(*made_);
    llvm::erase_if(variables_, [](llvm::AllocaInst* variable) { return !llvm::isAllocaPromotable(variable); });
    llvm::PromoteMemToReg(variables_, dominators);
}

} // namespace ptx::simd

#include "llvm_to_code/waiting_lanes.h"

#include "llvm_to_code/carried_values.h"
#include "llvm_to_code/hidden_number.h"
#include "llvm_to_code/kernels.h"
#include "llvm_to_code/neutral.h"
#include "llvm_to_code/uniform_waits.h"

#include <llvm/ADT/PostOrderIterator.h>
#include <llvm/ADT/SetVector.h>
#include <llvm/ADT/SmallPtrSet.h>
#include <llvm/Analysis/LoopInfo.h>
#include <llvm/Analysis/PostDominators.h>
#include <llvm/Analysis/ValueTracking.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Operator.h>
#include <llvm/Transforms/Utils/BasicBlockUtils.h>
#include <llvm/Transforms/Utils/Local.h>
#include <llvm/Transforms/Utils/PromoteMemToReg.h>

#include <optional>

namespace ptx::code {
namespace {

using Blocks = llvm::SmallSetVector<llvm::BasicBlock*, 32>;

bool waits(llvm::Function& function) {
    return llvm::any_of(llvm::instructions(function), [](const llvm::Instruction& each) { return is_wait(each); });
}

bool waits(const llvm::BasicBlock& block) { return llvm::any_of(block, is_wait); }

/// Whether lanes meet in the call. Nobody knows what an indirect one does.
bool lanes_meet_at(const llvm::CallBase& call) {
    if (const llvm::StringRef name = cuttle_name(call); !name.empty()) return lanes_want_each_other_in(name);
    if (call.isInlineAsm() || llvm::isa<llvm::IntrinsicInst>(call)) return false;
    auto* callee = llvm::dyn_cast<llvm::Function>(call.getCalledOperand());
    if (!callee) return true;
    if (callee->isDeclaration()) return false;
    for (llvm::Function* function : reachable_from(*callee))
        for (llvm::CallInst* inner : cuttle_calls(*function))
            if (lanes_want_each_other_in(cuttle_name(*inner))) return true;
    return false;
}

bool is_parameter(const llvm::LoadInst& load) {
    const auto* place = llvm::dyn_cast<llvm::GEPOperator>(load.getPointerOperand());
    if (place && !place->hasAllConstantIndices()) return false;
    const auto* block =
        llvm::dyn_cast<llvm::Instruction>(place ? place->getPointerOperand() : load.getPointerOperand());
    return block && cuttle_name(*block) == "kernel.parameters" && load.isSimple();
}

/// Whether it gives the same wherever it stands, and can be executed anywhere.
bool stands_anywhere(const llvm::Instruction& instruction) {
    constexpr llvm::StringLiteral places[] = {"sreg.tid.",         "sreg.ntid.",     "sreg.ctaid.", "sreg.nctaid.",
                                              "sreg.laneid",       "launch.cluster", "shared.",     "cvta.",
                                              "kernel.parameters", "global.address"};
    if (const llvm::StringRef name = cuttle_name(instruction); !name.empty())
        return llvm::any_of(places, [&](llvm::StringRef each) { return name.starts_with(each); });
    if (const auto* load = llvm::dyn_cast<llvm::LoadInst>(&instruction)) return is_parameter(*load);
    return !llvm::isa<llvm::PHINode, llvm::AllocaInst, llvm::CallBase>(instruction) && !instruction.isTerminator() &&
           llvm::isSafeToSpeculativelyExecute(&instruction);
}

/// All blocks that can be reached from `from` before `end`, which is none of them.
Blocks blocks_between(llvm::BasicBlock* from, const llvm::BasicBlock* end) {
    Blocks found;
    if (from != end) found.insert(from);
    for (size_t i = 0; i < found.size(); ++i)
        for (llvm::BasicBlock* next : llvm::successors(found[i]))
            if (next != end) found.insert(next);
    return found;
}

class Kernel {
  public:
    /// `done`: waits that may stay as they are.
    Kernel(llvm::Function& function, const char* opaque, llvm::SmallPtrSet<const llvm::Instruction*, 8> done)
        : function_(function), opaque_(opaque), done_(std::move(done)) {}

    void run() {
        if (!prepare()) return;
        while (std::optional<Region> region = next()) transform(*region);
    }

  private:
    /// One entry, one way on. `blocks` begins with `entry`.
    struct Region {
        llvm::BasicBlock* entry;
        llvm::BasicBlock* end;
        Blocks blocks;
    };

    bool prepare();
    void compute_early();
    void split_at_meetings();
    std::optional<Region> next();
    std::optional<Region> region_of(const llvm::Loop& loop);
    bool is_sound(const Region& region) const;
    bool parts_lanes(const llvm::BasicBlock& block, const llvm::Loop& loop) const;
    void transform(const Region& region);
    void to_memory(const Region& region);

    llvm::Function& function_;
    const char* const opaque_;
    llvm::DominatorTree dominators_;
    llvm::PostDominatorTree postdominators_;
    llvm::LoopInfo loops_;
    llvm::SmallPtrSet<const llvm::BasicBlock*, 16> meetings_;
    llvm::SmallPtrSet<const llvm::Instruction*, 8> done_; ///< waits
    llvm::SmallVector<llvm::AllocaInst*, 32> memory_;
};

/// One way out of the kernel, an entry block without code that has an effect, and lanes meeting in blocks of their own.
bool Kernel::prepare() {
    llvm::SmallVector<llvm::BasicBlock*, 8> ends;
    for (llvm::BasicBlock& block : function_)
        if (llvm::isa<llvm::ReturnInst, llvm::UnreachableInst>(block.getTerminator())) ends.push_back(&block);
    if (ends.empty()) return false;
    auto* end = llvm::BasicBlock::Create(function_.getContext(), "end", &function_);
    llvm::ReturnInst::Create(function_.getContext(), end);
    for (llvm::BasicBlock* block : ends) {
        block->getTerminator()->eraseFromParent();
        llvm::BranchInst::Create(end, block);
    }
    llvm::BasicBlock& entry = function_.getEntryBlock();
    llvm::SplitBlock(&entry, &*entry.getFirstNonPHIOrDbgOrAlloca());
    compute_early();
    split_at_meetings();
    return true;
}

/// What depends on parameters and the thread's place alone moves to the entry block, so that no loop has to carry it.
void Kernel::compute_early() {
    llvm::BasicBlock& entry = function_.getEntryBlock();
    const auto is_known = [&](const llvm::Use& operand) {
        const auto* instruction = llvm::dyn_cast<llvm::Instruction>(operand.get());
        return !instruction || instruction->getParent() == &entry;
    };
    for (llvm::BasicBlock* block : llvm::ReversePostOrderTraversal<llvm::Function*>(&function_))
        for (llvm::Instruction& instruction : llvm::make_early_inc_range(*block))
            if (block != &entry && stands_anywhere(instruction) && llvm::all_of(instruction.operands(), is_known))
                instruction.moveBefore(entry.getTerminator()->getIterator());
}

void Kernel::split_at_meetings() {
    llvm::SmallVector<llvm::CallBase*, 16> calls;
    for (llvm::Instruction& instruction : llvm::instructions(function_))
        if (auto* call = llvm::dyn_cast<llvm::CallBase>(&instruction); call && lanes_meet_at(*call))
            calls.push_back(call);
    for (llvm::CallBase* call : calls) {
        llvm::BasicBlock* own = llvm::SplitBlock(call->getParent(), call);
        llvm::SplitBlock(own, call->getNextNode());
        meetings_.insert(own);
    }
}

std::optional<Kernel::Region> Kernel::next() {
    dominators_.recalculate(function_);
    postdominators_.recalculate(function_);
    loops_.releaseMemory();
    loops_.analyze(dominators_);
    for (llvm::Instruction& instruction : llvm::instructions(function_)) {
        if (!is_wait(instruction) || !done_.insert(&instruction).second) continue;
        const llvm::Loop* loop = loops_.getLoopFor(instruction.getParent());
        if (!loop) continue;
        if (std::optional<Region> region = region_of(*loop)) return region;
    }
    return {};
}

/// Nothing else leads into it, all of it leads to its end, and lanes do not meet inside.
bool Kernel::is_sound(const Region& region) const {
    if (!postdominators_.dominates(region.end, region.entry) || region.blocks.empty()) return false;
    return llvm::all_of(region.blocks, [&](const llvm::BasicBlock* block) {
        return dominators_.dominates(region.entry, block) && !meetings_.contains(block);
    });
}

/// Whether some lanes may be in the loop while others take another way from `block`.
bool Kernel::parts_lanes(const llvm::BasicBlock& block, const llvm::Loop& loop) const {
    if (&block == loop.getHeader()) return true;
    if (block.getTerminator()->getNumSuccessors() < 2) return false;
    const auto* node = postdominators_.getNode(&block);
    const llvm::BasicBlock* together = node && node->getIDom() ? node->getIDom()->getBlock() : nullptr;
    return !together || !dominators_.dominates(together, loop.getHeader());
}

/// The largest region that is sound around the loop; of those with the same entry the smallest behind which no memory
/// is written before lanes meet.
std::optional<Kernel::Region> Kernel::region_of(const llvm::Loop& loop) {
    std::optional<Region> best;
    const auto writes = [](const llvm::BasicBlock* block) {
        return llvm::any_of(*block, [](const llvm::Instruction& each) { return each.mayWriteToMemory(); });
    };
    const auto* start = postdominators_.getNode(loop.getHeader());
    llvm::SmallVector<llvm::BasicBlock*, 16> ends;
    for (const auto* node = start ? start->getIDom() : nullptr; node && node->getBlock(); node = node->getIDom()) {
        if (loop.contains(node->getBlock())) continue;
        const Blocks passed = blocks_between(loop.getHeader(), node->getBlock());
        if (llvm::any_of(passed, [&](const llvm::BasicBlock* block) { return meetings_.contains(block); })) break;
        ends.push_back(node->getBlock());
    }
    while (ends.size() > 1 && llvm::none_of(blocks_between(ends[ends.size() - 2], ends.back()), writes))
        ends.pop_back();
    for (llvm::BasicBlock* end : llvm::reverse(ends)) {
        for (auto* node = dominators_.getNode(loop.getHeader()); node; node = node->getIDom()) {
            llvm::BasicBlock* entry = node->getBlock();
            if (entry == &function_.getEntryBlock() || !parts_lanes(*entry, loop)) continue;
            Region region{entry, end, blocks_between(entry, end)};
            if (is_sound(region) && (!best || region.blocks.size() > best->blocks.size())) best = std::move(region);
        }
    }
    return best;
}

/// Values of the region that other blocks use move to memory, and back into registers once the blocks are connected
/// anew.
void Kernel::to_memory(const Region& region) {
    llvm::SmallVector<llvm::PHINode*, 16> phis;
    const auto add_phis = [&](llvm::BasicBlock* block) {
        for (llvm::PHINode& phi : block->phis()) phis.push_back(&phi);
    };
    for (llvm::BasicBlock* block : region.blocks) add_phis(block);
    add_phis(region.end);
    const auto place = function_.getEntryBlock().getTerminator()->getIterator();
    const auto keep = [&](llvm::AllocaInst* memory) {
        // Zero where a lane has not come by, so that nothing is undefined.
        if (!memory) return;
        llvm::IRBuilder<> ir(function_.getEntryBlock().getTerminator());
        ir.CreateStore(llvm::Constant::getNullValue(memory->getAllocatedType()), memory);
        memory_.push_back(memory);
    };
    for (llvm::PHINode* phi : phis) keep(llvm::DemotePHIToStack(phi, place));
    llvm::SmallVector<llvm::Instruction*, 32> values;
    for (llvm::BasicBlock* block : region.blocks)
        for (llvm::Instruction& instruction : *block)
            if (instruction.isUsedOutsideOfBlock(block)) values.push_back(&instruction);
    for (llvm::Instruction* value : values) keep(llvm::DemoteRegToStack(*value, false, place));
}

void Kernel::transform(const Region& region) {
    llvm::SmallSetVector<llvm::BasicBlock*, 4> targets; // heads of pieces, and the end
    targets.insert(region.entry);
    for (llvm::Loop* loop : loops_.getLoopsInPreorder())
        if (region.blocks.contains(loop->getHeader()) &&
            llvm::any_of(loop->blocks(), [](const llvm::BasicBlock* block) { return waits(*block); }))
            targets.insert(loop->getHeader());
    targets.insert(region.end);
    to_memory(region);
    const CarriedValues carried(function_, memory_, targets.getArrayRef());
    memory_.append(carried.places().begin(), carried.places().end());

    llvm::LLVMContext& context = function_.getContext();
    auto* dispatch = llvm::BasicBlock::Create(context, "dispatch", &function_, region.entry);
    llvm::IRBuilder<> ir(dispatch);
    llvm::PHINode* piece = ir.CreatePHI(ir.getInt32Ty(), 4);
    const auto edge_to = [&](unsigned target) {
        auto* edge = llvm::BasicBlock::Create(context, "piece", &function_, dispatch);
        ir.SetInsertPoint(edge);
        carried.leave(ir, target);
        piece->addIncoming(hidden_number(ir, target, opaque_), edge);
        ir.CreateBr(dispatch);
        return edge;
    };

    for (llvm::BasicBlock* before : llvm::SmallVector<llvm::BasicBlock*, 8>(llvm::predecessors(region.entry)))
        if (!region.blocks.contains(before)) before->getTerminator()->replaceSuccessorWith(region.entry, edge_to(0));
    for (llvm::BasicBlock* block : region.blocks) {
        llvm::Instruction* terminator = block->getTerminator();
        for (unsigned i = 0; i < terminator->getNumSuccessors(); ++i) {
            llvm::BasicBlock* next = terminator->getSuccessor(i);
            const auto found = llvm::find(targets, next);
            // Back to the head of a loop: one that dominates the block that leads there.
            if (found != targets.end() && (next == region.end || dominators_.dominates(next, block)))
                terminator->setSuccessor(i, edge_to(unsigned(found - targets.begin())));
        }
        for (llvm::Instruction& instruction : *block)
            if (is_wait(instruction)) done_.insert(&instruction);
    }

    llvm::SmallVector<llvm::BasicBlock*, 4> arrivals;
    for (unsigned i = 0; i < targets.size(); ++i) {
        arrivals.push_back(llvm::BasicBlock::Create(context, "arrival", &function_, targets[i]));
        ir.SetInsertPoint(arrivals[i]);
        carried.arrive(ir, i);
        ir.CreateBr(targets[i]);
    }
    ir.SetInsertPoint(dispatch);
    llvm::SwitchInst* choice = ir.CreateSwitch(piece, arrivals.back(), targets.size() - 1);
    for (unsigned i = 0; i + 1 < targets.size(); ++i) choice->addCase(ir.getInt32(i), arrivals[i]);

    dominators_.recalculate(function_);
    llvm::PromoteMemToReg(memory_, dominators_);
    memory_.clear();
}

/// The phase of a cluster's barrier is one (gpu_clusters.cpp).
void make_registers_of_variables(llvm::Function& kernel) {
    llvm::SmallVector<llvm::AllocaInst*, 4> variables;
    for (llvm::Instruction& instruction : kernel.getEntryBlock())
        if (auto* variable = llvm::dyn_cast<llvm::AllocaInst>(&instruction); variable && isAllocaPromotable(variable))
            variables.push_back(variable);
    if (variables.empty()) return;
    llvm::DominatorTree dominators(kernel);
    llvm::PromoteMemToReg(variables, dominators);
}

} // namespace

void inline_waits(llvm::Module& module) {
    for (bool changed = true; changed;) {
        changed = false;
        for (llvm::Function& function : module)
            if (!function.isDeclaration() && !is_kernel(function) && waits(function))
                changed |= inline_into_callers(function);
    }
}

void let_waiting_lanes_go_on(llvm::Function& kernel, const char* opaque) {
    if (!waits(kernel)) return;
    make_registers_of_variables(kernel);
    auto together = waits_together(kernel);
    const auto stays = [&](const llvm::Instruction& each) { return !is_wait(each) || together.contains(&each); };
    if (llvm::all_of(llvm::instructions(kernel), stays)) return;
    Kernel(kernel, opaque, std::move(together)).run();
}

} // namespace ptx::code

#include "llvm_to_code/spirv_barriers.h"

#include "llvm_to_code/amdgpu_barriers.h"
#include "llvm_to_code/neutral.h"
#include "ptx/amdgpu_barriers.h"

#include <llvm/ADT/DenseSet.h>
#include <llvm/ADT/SmallPtrSet.h>
#include <llvm/Analysis/PostDominators.h>
#include <llvm/IR/CFG.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

namespace ptx::code {
namespace {

using Blocks = llvm::SmallPtrSet<const llvm::BasicBlock*, 32>;

/// Of all threads, by the hardware as yet.
bool is_barrier(const llvm::Instruction& instruction) {
    const llvm::StringRef name = cuttle_name(instruction);
    return name == "block.barrier" || name == "barrier.sync";
}
bool has_barrier(const llvm::BasicBlock& block) {
    return llvm::any_of(block, [](const llvm::Instruction& each) { return is_barrier(each); });
}

/// `start` and all that it leads to, without what comes after blocks for which `ends` holds.
template <class F> Blocks reached_from(const llvm::BasicBlock* start, F&& ends) {
    Blocks found;
    llvm::SmallVector<const llvm::BasicBlock*, 32> rest{start};
    while (!rest.empty()) {
        const llvm::BasicBlock* block = rest.pop_back_val();
        if (!found.insert(block).second || ends(*block)) continue;
        rest.append(llvm::succ_begin(block), llvm::succ_end(block));
    }
    return found;
}

/// What may differ between the threads of a block, and where they may part.
class Divergence {
  public:
    explicit Divergence(llvm::Function& function) : function_(function), after_(function) {
        for (bool changed = true; changed;) {
            changed = false;
            for (llvm::Instruction& instruction : llvm::instructions(function))
                if (!values_.contains(&instruction) && differs(instruction)) {
                    values_.insert(&instruction);
                    changed = true;
                }
            for (llvm::BasicBlock& block : function)
                if (parts(block) && branches_.insert(&block).second) {
                    mark_meetings(block);
                    changed = true;
                }
        }
    }

    const llvm::DenseSet<const llvm::BasicBlock*>& branches() const { return branches_; }

  private:
    static bool is_uniform_call(llvm::StringRef name) {
        for (const char* prefix : {"sreg.ctaid.", "sreg.ntid.", "sreg.nctaid.", "kernel.parameters", "global.address",
                                   "shared.", "service.block", "sreg.envreg"})
            if (name.starts_with(prefix)) return true;
        return false;
    }

    bool differs(const llvm::Instruction& instruction) const {
        if (meetings_.contains(instruction.getParent()) && llvm::isa<llvm::PHINode>(instruction)) return true;
        if (llvm::isa<llvm::CallBase>(instruction)) {
            const auto& call = llvm::cast<llvm::CallBase>(instruction);
            const bool pure = call.doesNotAccessMemory() && call.getIntrinsicID() != llvm::Intrinsic::not_intrinsic;
            if (!pure && !is_uniform_call(cuttle_name(instruction))) return true;
        } else if (const auto* load = llvm::dyn_cast<llvm::LoadInst>(&instruction)) {
            // Others may write in between. Parameters nobody writes.
            if (load->getPointerAddressSpace() != Space::constant) return true;
        } else if (instruction.mayReadOrWriteMemory() || llvm::isa<llvm::AllocaInst>(instruction)) {
            return true;
        }
        return llvm::any_of(instruction.operands(), [&](const llvm::Use& use) { return values_.contains(use.get()); });
    }

    bool parts(const llvm::BasicBlock& block) const {
        const llvm::Instruction* end = block.getTerminator();
        return end->getNumSuccessors() > 1 && !llvm::isa<llvm::InvokeInst>(end) && values_.contains(end);
    }

    /// Threads that part in `block` meet up to where all must come by: which way they came is what phis there say. Some
    /// may go round a loop more often than others.
    void mark_meetings(const llvm::BasicBlock& block) {
        const auto* node = after_.getNode(&block)->getIDom();
        const llvm::BasicBlock* end = node ? node->getBlock() : nullptr;
        for (const llvm::BasicBlock* next : llvm::successors(&block))
            for (const llvm::BasicBlock* each : reached_from(next, [&](const auto& b) { return &b == end; }))
                meetings_.insert(each);
    }

    llvm::Function& function_;
    const llvm::PostDominatorTree after_;
    llvm::DenseSet<const llvm::Value*> values_;
    llvm::DenseSet<const llvm::BasicBlock*> branches_, meetings_;
};

/// `ends`, and all that lead to them by way of blocks for which `passes` holds.
template <class F> Blocks leading_to(llvm::ArrayRef<const llvm::BasicBlock*> ends, F&& passes) {
    Blocks found(ends.begin(), ends.end());
    llvm::SmallVector<const llvm::BasicBlock*, 32> rest(ends);
    while (!rest.empty())
        for (const llvm::BasicBlock* before : llvm::predecessors(rest.pop_back_val()))
            if (passes(before) && found.insert(before).second) rest.push_back(before);
    return found;
}

/// Whether some threads can return where others go on to a barrier.
bool may_leave_early(llvm::Function& kernel) {
    llvm::SmallVector<const llvm::BasicBlock*, 16> barriers, ends;
    for (const llvm::BasicBlock& block : kernel)
        if (has_barrier(block))
            barriers.push_back(&block);
        else if (llvm::isa<llvm::ReturnInst>(block.getTerminator()))
            ends.push_back(&block);
    const Blocks at_barriers(barriers.begin(), barriers.end());
    const Blocks waiting = leading_to(barriers, [](const auto*) { return true; });
    const Blocks returning = leading_to(ends, [&](const auto* block) { return !at_barriers.contains(block); });
    const Divergence divergence(kernel);
    return llvm::any_of(divergence.branches(), [&](const llvm::BasicBlock* branch) {
        const auto leads_to = [&](const Blocks& blocks) {
            return llvm::any_of(llvm::successors(branch), [&](const auto* next) { return blocks.contains(next); });
        };
        return leads_to(returning) && leads_to(waiting);
    });
}

class Counter {
  public:
    Counter(llvm::Function& kernel, uint32_t area) : module_(*kernel.getParent()), kernel_(kernel), area_(area) {}

    void run() {
        llvm::SmallVector<llvm::Instruction*, 16> barriers, ends;
        for (llvm::Instruction& instruction : llvm::instructions(kernel_)) {
            if (is_barrier(instruction)) barriers.push_back(&instruction);
            if (llvm::isa<llvm::ReturnInst>(instruction)) ends.push_back(&instruction);
        }
        for (llvm::Instruction* barrier : barriers) {
            call(*barrier, "cuttle_spirv_barrier");
            barrier->eraseFromParent();
        }
        for (llvm::Instruction* end : ends) call(*end, "cuttle_spirv_leave");
        call(*kernel_.getEntryBlock().getFirstNonPHIOrDbgOrAlloca(), "cuttle_spirv_barrier_init");
    }

  private:
    void call(llvm::Instruction& place, const char* function) {
        llvm::IRBuilder<> ir(&place);
        ir.CreateCall(module_.getOrInsertFunction(function, ir.getVoidTy(), ir.getInt32Ty()), {ir.getInt32(area_)})
            ->setConvergent();
    }

    llvm::Module& module_;
    llvm::Function& kernel_;
    const uint32_t area_;
};

} // namespace

void count_threads_at_barriers(llvm::Function& kernel, KernelInfo& info) {
    if (!llvm::any_of(llvm::instructions(kernel), [](const auto& each) { return is_barrier(each); })) return;
    if (!may_leave_early(kernel)) return;
    const uint32_t area = (info.static_shared_bytes + 15) & ~15u;
    Counter(kernel, area).run();
    info.static_shared_bytes =
        shared_bytes_with(info.static_shared_bytes, static_cast<uint32_t>(sizeof(gpu::WholeBarrier)));
}

} // namespace ptx::code

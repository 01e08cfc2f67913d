#include "llvm_to_code/uniform_waits.h"

#include "llvm_to_code/neutral.h"
#include "ptx/host_abi.h"

#include <llvm/Analysis/CycleAnalysis.h>
#include <llvm/Analysis/LoopInfo.h>
#include <llvm/Analysis/PostDominators.h>
#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/Analysis/TargetTransformInfoImpl.h>
#include <llvm/Analysis/UniformityAnalysis.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/PassInstrumentation.h>

#include <memory>
#include <optional>

namespace ptx::code {
namespace {

std::optional<host::Mbarrier> mbarrier_operation(const llvm::Instruction& instruction) {
    if (cuttle_name(instruction) != "mbarrier") return {};
    const auto* number = llvm::dyn_cast<llvm::ConstantInt>(llvm::cast<llvm::CallInst>(instruction).getArgOperand(0));
    if (!number) return {};
    return static_cast<host::Mbarrier>(number->getZExtValue());
}

bool waits_for_phase(const llvm::Instruction& instruction) {
    const auto operation = mbarrier_operation(instruction);
    return operation == host::Mbarrier::test_wait || operation == host::Mbarrier::test_parity ||
           operation == host::Mbarrier::try_wait || operation == host::Mbarrier::try_parity;
}

bool waits_for_parity(const llvm::Instruction& instruction) {
    const auto operation = mbarrier_operation(instruction);
    return operation == host::Mbarrier::test_parity || operation == host::Mbarrier::try_parity;
}

/// Arrives at a barrier of a block or a cluster (amdgpu_barriers.h): lanes that do it together get the same phase.
bool is_arrival(const llvm::Value* value) {
    const auto* call = llvm::dyn_cast<llvm::CallInst>(value);
    const llvm::Function* callee = call ? call->getCalledFunction() : nullptr;
    return callee && callee->getName().starts_with("cuttle_gpu_") && callee->getName().ends_with("_arrive");
}

/// What LLVM's analysis wants to know of neutral IR.
class NeutralUniformity : public llvm::TargetTransformInfoImplCRTPBase<NeutralUniformity> {
  public:
    explicit NeutralUniformity(const llvm::DataLayout& layout) : TargetTransformInfoImplCRTPBase(layout) {}

    bool hasBranchDivergence(const llvm::Function*) const override { return true; }
    llvm::InstructionUniformity getInstructionUniformity(const llvm::Value* value) const override {
        using enum llvm::InstructionUniformity;
        const auto* instruction = llvm::dyn_cast<llvm::Instruction>(value);
        if (!instruction) return Default;
        if (const llvm::StringRef name = cuttle_name(*instruction); !name.empty()) {
            if (name == "group.uniform") return AlwaysUniform;
            return llvm::any_of(of_blocks, [&](llvm::StringRef each) { return name.starts_with(each); }) ? Default
                                                                                                         : NeverUniform;
        }
        if (const auto* intrinsic = llvm::dyn_cast<llvm::IntrinsicInst>(instruction))
            return intrinsic->mayReadOrWriteMemory() || intrinsic->isConvergent() ? NeverUniform : Default;
        if (llvm::isa<llvm::CallBase, llvm::AllocaInst>(instruction)) return NeverUniform;
        if (const auto* load = llvm::dyn_cast<llvm::LoadInst>(instruction))
            return is_of_parameters(*load->getPointerOperand()) && load->isSimple() ? Default : NeverUniform;
        return instruction->mayReadOrWriteMemory() ? NeverUniform : Default;
    }

  private:
    /// Give the same to all threads of a block, if their operands do.
    static constexpr llvm::StringLiteral of_blocks[] = {
        llvm::StringLiteral("sreg.ntid."),        llvm::StringLiteral("sreg.ctaid."),
        llvm::StringLiteral("sreg.nctaid."),      llvm::StringLiteral("group.ctaid."),
        llvm::StringLiteral("group.nctaid."),     llvm::StringLiteral("launch.cluster"),
        llvm::StringLiteral("shared."),           llvm::StringLiteral("cvta."),
        llvm::StringLiteral("global.address"),    llvm::StringLiteral("sreg.nwarpid"),
        llvm::StringLiteral("kernel.parameters"),
    };

    static bool is_of_parameters(const llvm::Value& address) {
        const auto* base = llvm::dyn_cast<llvm::Instruction>(address.stripInBoundsOffsets());
        return base && cuttle_name(*base) == "kernel.parameters";
    }
};

class Waits {
  public:
    Waits(llvm::Function& kernel, llvm::FunctionAnalysisManager& analyses)
        : kernel_(kernel), uniformity_(analyses.getResult<llvm::UniformityInfoAnalysis>(kernel)),
          postdominators_(analyses.getResult<llvm::PostDominatorTreeAnalysis>(kernel)),
          loops_(analyses.getResult<llvm::LoopAnalysis>(kernel)) {
        for (llvm::BasicBlock& block : kernel)
            if (uniformity_.hasDivergentTerminator(block)) note_parting(block);
    }

    llvm::SmallPtrSet<const llvm::Instruction*, 8> together() {
        llvm::SmallPtrSet<const llvm::Instruction*, 8> found;
        for (llvm::Instruction& instruction : llvm::instructions(kernel_)) {
            if (!is_wait(instruction)) continue;
            const llvm::Loop* loop = loops_.getLoopFor(instruction.getParent());
            if (loop && comes_together(*loop) && only_waits(*loop) && ends_for_all(*loop)) found.insert(&instruction);
        }
        return found;
    }

  private:
    using Blocks = llvm::SmallPtrSet<const llvm::BasicBlock*, 16>;

    /// The blocks in which some lanes may be while others are elsewhere because of this one's branch. Those that leave
    /// the kernel at once have nothing more to do with the others.
    void note_parting(const llvm::BasicBlock& block) {
        llvm::SmallVector<const llvm::BasicBlock*, 8> ways;
        for (const llvm::BasicBlock* next : llvm::successors(&block))
            if (!leaves(*next) && !llvm::is_contained(ways, next)) ways.push_back(next);
        if (ways.size() < 2) return;
        const auto* node = postdominators_.getNode(&block);
        const llvm::BasicBlock* together = node && node->getIDom() ? node->getIDom()->getBlock() : nullptr;
        Blocks& parted = parted_by_[&block];
        while (!ways.empty()) {
            const llvm::BasicBlock* next = ways.pop_back_val();
            if (next != together && parted.insert(next).second) llvm::append_range(ways, llvm::successors(next));
        }
    }

    static bool leaves(const llvm::BasicBlock& block) {
        const llvm::Instruction& first = *block.getFirstNonPHIOrDbg();
        if (llvm::isa<llvm::ReturnInst>(first)) return true;
        const auto* branch = llvm::dyn_cast<llvm::BranchInst>(&first);
        return branch && branch->isUnconditional() &&
               llvm::isa<llvm::ReturnInst>(*branch->getSuccessor(0)->getFirstNonPHIOrDbg());
    }

    /// All lanes that are left, but for what the loop itself does.
    bool is_met_by_all(const llvm::BasicBlock& block, const llvm::Loop* except = nullptr) const {
        return llvm::none_of(parted_by_, [&](const auto& parting) {
            return !(except && except->contains(parting.first)) && parting.second.contains(&block);
        });
    }

    /// All lanes enter it at once, and it has one way out, where they wait for each other.
    bool comes_together(const llvm::Loop& loop) const {
        return loop.getExitingBlock() && loop.getUniqueExitBlock() && is_met_by_all(*loop.getHeader(), &loop);
    }

    static bool only_waits(const llvm::Loop& loop) {
        constexpr llvm::StringLiteral harmless[] = {
            llvm::StringLiteral("spin"), llvm::StringLiteral("nanosleep"), llvm::StringLiteral("sreg.clock"),
            llvm::StringLiteral("sreg.clock64"), llvm::StringLiteral("sreg.globaltimer")};
        for (const llvm::BasicBlock* block : loop.blocks())
            for (const llvm::Instruction& instruction : *block)
                if (instruction.mayWriteToMemory() && !llvm::isa<llvm::LoadInst, llvm::FenceInst>(instruction) &&
                    !waits_for_phase(instruction) && !llvm::is_contained(harmless, cuttle_name(instruction)))
                    return false;
        return true;
    }

    /// What the way out depends on is one wait, and otherwise the same for all lanes.
    bool ends_for_all(const llvm::Loop& loop) {
        const auto* branch = llvm::dyn_cast<llvm::BranchInst>(loop.getExitingBlock()->getTerminator());
        return branch && branch->isConditional() && is_same_for_all(*branch->getCondition(), loop);
    }

    bool is_same_for_all(const llvm::Value& value, const llvm::Loop& loop) {
        if (uniformity_.isUniform(&value)) return true;
        const auto* instruction = llvm::dyn_cast<llvm::Instruction>(&value);
        if (!instruction || !loop.contains(instruction)) return false;
        if (is_phase_of_barrier(*instruction)) return true;
        if (waits_for_parity(*instruction))
            return uniformity_.isUniform(instruction->getOperand(1)) &&
                   uniformity_.isUniform(instruction->getOperand(2));
        if (!llvm::isa<llvm::CmpInst, llvm::CastInst, llvm::BinaryOperator, llvm::SelectInst>(instruction))
            return false;
        return llvm::all_of(instruction->operands(),
                            [&](const llvm::Use& each) { return is_same_for_all(*each, loop); });
    }

    /// See wait_for_phase in amdgpu_barriers.h: a barrier's phase is compared with what arriving at it has given.
    bool is_phase_of_barrier(const llvm::Instruction& instruction) const {
        const auto* comparison = llvm::dyn_cast<llvm::ICmpInst>(&instruction);
        if (!comparison) return false;
        const auto* phase = llvm::dyn_cast<llvm::LoadInst>(comparison->getOperand(0));
        const auto* arrival = llvm::dyn_cast<llvm::Instruction>(comparison->getOperand(1));
        return phase && arrival && phase->getPointerAddressSpace() == Space::shared &&
               uniformity_.isUniform(phase->getPointerOperand()) && is_arrival(arrival) &&
               is_met_by_all(*arrival->getParent());
    }

    llvm::Function& kernel_;
    llvm::UniformityInfo& uniformity_;
    llvm::PostDominatorTree& postdominators_;
    llvm::LoopInfo& loops_;
    llvm::DenseMap<const llvm::BasicBlock*, Blocks> parted_by_;
};

} // namespace

bool is_wait(const llvm::Instruction& instruction) {
    return cuttle_name(instruction) == "spin" || waits_for_phase(instruction);
}

llvm::SmallPtrSet<const llvm::Instruction*, 8> waits_together(llvm::Function& kernel) {
    llvm::FunctionAnalysisManager analyses;
    analyses.registerPass([] { return llvm::PassInstrumentationAnalysis(); });
    analyses.registerPass([] { return llvm::DominatorTreeAnalysis(); });
    analyses.registerPass([] { return llvm::PostDominatorTreeAnalysis(); });
    analyses.registerPass([] { return llvm::LoopAnalysis(); });
    analyses.registerPass([] { return llvm::CycleAnalysis(); });
    analyses.registerPass([] { return llvm::UniformityInfoAnalysis(); });
    analyses.registerPass([] {
        return llvm::TargetIRAnalysis([](const llvm::Function& function) {
            return llvm::TargetTransformInfo(std::make_unique<NeutralUniformity>(function.getDataLayout()));
        });
    });
    return Waits(kernel, analyses).together();
}

} // namespace ptx::code

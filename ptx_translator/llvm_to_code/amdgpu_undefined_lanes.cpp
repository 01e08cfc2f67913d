#include "llvm_to_code/amdgpu_undefined_lanes.h"

#include <llvm/ADT/DenseMap.h>
#include <llvm/ADT/SetVector.h>
#include <llvm/CodeGen/LiveIntervals.h>
#include <llvm/CodeGen/MachineFunctionPass.h>
#include <llvm/CodeGen/MachineInstrBuilder.h>
#include <llvm/CodeGen/MachineRegisterInfo.h>
#include <llvm/CodeGen/Passes.h>
#include <llvm/CodeGen/TargetInstrInfo.h>
#include <llvm/CodeGen/TargetPassConfig.h>
#include <llvm/CodeGen/TargetRegisterInfo.h>
#include <llvm/CodeGen/TargetSubtargetInfo.h>

namespace ptx::code {
namespace {

class TellUndefinedLanes : public llvm::MachineFunctionPass {
  public:
    static inline char ID = 0;

    TellUndefinedLanes() : MachineFunctionPass(ID) {}

    llvm::StringRef getPassName() const override { return "Tell undefined lanes"; }

    void getAnalysisUsage(llvm::AnalysisUsage& usage) const override {
        usage.addRequired<llvm::LiveIntervalsWrapperPass>();
        usage.setPreservesAll(); // live intervals and slot indexes are kept up to date
        MachineFunctionPass::getAnalysisUsage(usage);
    }

    bool runOnMachineFunction(llvm::MachineFunction& function) override {
        llvm::LiveIntervals& intervals = getAnalysis<llvm::LiveIntervalsWrapperPass>().getLIS();
        llvm::SmallSetVector<llvm::Register, 8> changed;
        for (llvm::MachineBasicBlock& block : function) tell(block, intervals, changed);
        for (const llvm::Register each : changed) {
            intervals.removeInterval(each);
            intervals.createAndComputeVirtRegInterval(each);
        }
        return !changed.empty();
    }

  private:
    using Lanes = llvm::DenseMap<llvm::Register, llvm::LaneBitmask>;

    static llvm::LaneBitmask lanes_of(const llvm::MachineOperand& operand) {
        const llvm::MachineFunction& function = *operand.getParent()->getMF();
        return operand.getSubReg()
                   ? function.getSubtarget().getRegisterInfo()->getSubRegIndexLaneMask(operand.getSubReg())
                   : function.getRegInfo().getMaxLaneMaskForVReg(operand.getReg());
    }

    /// Of each register in the block. LLVM finds a live range's segment for them there, and does not look before it.
    static Lanes lanes_written(const llvm::MachineBasicBlock& block) {
        Lanes lanes;
        for (const llvm::MachineInstr& instruction : block)
            for (const llvm::MachineOperand& operand : instruction.all_defs())
                if (operand.getReg().isVirtual()) lanes[operand.getReg()] |= lanes_of(operand);
        return lanes;
    }

    static void tell(llvm::MachineBasicBlock& block, llvm::LiveIntervals& intervals,
                     llvm::SmallSetVector<llvm::Register, 8>& changed) {
        const Lanes written = lanes_written(block);
        Lanes used;
        for (llvm::MachineInstr& instruction : llvm::make_early_inc_range(block)) {
            if (instruction.isDebugInstr()) continue;
            for (const llvm::MachineOperand& operand : instruction.all_uses())
                if (operand.getReg().isVirtual() && operand.readsReg()) used[operand.getReg()] |= lanes_of(operand);
            for (llvm::MachineOperand& operand : instruction.all_defs()) {
                if (!operand.getSubReg() || !operand.isUndef()) continue;
                const llvm::Register whole = operand.getReg();
                if ((used.lookup(whole) & ~written.lookup(whole)).any() && tell_rest(instruction, operand, intervals))
                    changed.insert(whole);
            }
        }
    }

    /// Of the register that the operand writes a part of. Before the instruction all of it becomes undefined, behind it
    /// the rest if the instruction reads something of it.
    static bool tell_rest(llvm::MachineInstr& instruction, llvm::MachineOperand& written,
                          llvm::LiveIntervals& intervals) {
        llvm::MachineBasicBlock& block = *instruction.getParent();
        const llvm::Register whole = written.getReg();
        const llvm::MachineRegisterInfo& registers = block.getParent()->getRegInfo();
        const llvm::TargetRegisterInfo& target = *registers.getTargetRegisterInfo();
        const bool reads = instruction.readsVirtualRegister(whole);
        llvm::SmallVector<unsigned, 4> parts;
        const llvm::LaneBitmask rest =
            registers.getMaxLaneMaskForVReg(whole) & ~target.getSubRegIndexLaneMask(written.getSubReg());
        if (!reads)
            parts.push_back(0);
        else if (instruction.isTerminator() ||
                 !target.getCoveringSubRegIndexes(registers.getRegClass(whole), rest, parts))
            return false;
        written.setIsUndef(false);
        const auto place = reads ? std::next(instruction.getIterator()) : instruction.getIterator();
        const llvm::MCInstrDesc& undefined =
            block.getParent()->getSubtarget().getInstrInfo()->get(llvm::TargetOpcode::IMPLICIT_DEF);
        for (const unsigned part : parts) {
            llvm::MachineInstr* made = llvm::BuildMI(block, place, instruction.getDebugLoc(), undefined);
            made->addOperand(llvm::MachineOperand::CreateReg(whole, true, false, false, false, false, false, part));
            intervals.InsertMachineInstrInMaps(*made);
        }
        return true;
    }
};

} // namespace

void tell_undefined_lanes(llvm::TargetPassConfig& config) {
    // The coalescer makes such blocks. The scheduler takes the instructions for dead and sets the flags again.
    for (llvm::AnalysisID after : {&llvm::RegisterCoalescerID, &llvm::MachineSchedulerID})
        config.insertPass(after, llvm::IdentifyingPassPtr(new TellUndefinedLanes));
}

} // namespace ptx::code

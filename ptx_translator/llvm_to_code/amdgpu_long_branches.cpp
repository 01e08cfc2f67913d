#include "llvm_to_code/amdgpu_long_branches.h"

#include <llvm/CodeGen/MachineFunctionPass.h>
#include <llvm/CodeGen/MachineInstrBuilder.h>
#include <llvm/CodeGen/MachineRegisterInfo.h>
#include <llvm/CodeGen/Passes.h>
#include <llvm/CodeGen/TargetInstrInfo.h>
#include <llvm/CodeGen/TargetPassConfig.h>
#include <llvm/CodeGen/TargetRegisterInfo.h>
#include <llvm/CodeGen/TargetSubtargetInfo.h>
#include <llvm/IR/Function.h>
#include <llvm/IR/InlineAsm.h>

namespace ptx::code {
namespace {

/// Half as many as reach as far as a branch, at 8 bytes each: register allocation adds some.
constexpr unsigned fewest_instructions = 8 << 10;

bool may_branch_far(const llvm::MachineFunction& function) {
    size_t instructions = 0;
    for (const llvm::MachineBasicBlock& block : function) instructions += block.size();
    return instructions >= fewest_instructions;
}

class SaveRegistersOfLongBranches : public llvm::MachineFunctionPass {
  public:
    static inline char ID = 0;

    SaveRegistersOfLongBranches() : MachineFunctionPass(ID) {}

    llvm::StringRef getPassName() const override { return "Save registers of long branches"; }

    bool runOnMachineFunction(llvm::MachineFunction& function) override {
        if (function.getFunction().getCallingConv() == llvm::CallingConv::AMDGPU_KERNEL || !may_branch_far(function))
            return false;
        const llvm::MachineRegisterInfo& registers = function.getRegInfo();
        const llvm::TargetRegisterInfo& target = *registers.getTargetRegisterInfo();
        llvm::MachineBasicBlock& entry = function.front();
        // An empty piece of assembly that overwrites them.
        auto overwrites = llvm::BuildMI(entry, entry.getFirstNonPHI(), llvm::DebugLoc(),
                                        function.getSubtarget().getInstrInfo()->get(llvm::TargetOpcode::INLINEASM))
                              .addExternalSymbol("")
                              .addImm(llvm::InlineAsm::Extra_HasSideEffects);
        for (const llvm::MCPhysReg* each = registers.getCalleeSavedRegs(); *each; ++each) {
            if (!llvm::StringRef(target.getName(*each)).starts_with("SGPR") || registers.isReserved(*each)) continue;
            overwrites.addImm(llvm::InlineAsm::Flag(llvm::InlineAsm::Kind::Clobber, 1));
            overwrites.addReg(*each, llvm::RegState::Define | llvm::RegState::Implicit | llvm::RegState::EarlyClobber |
                                         llvm::RegState::Dead);
        }
        return true;
    }
};

} // namespace

void save_registers_of_long_branches(llvm::TargetPassConfig& config) {
    // While nothing is known of registers' lives.
    config.insertPass(&llvm::FinalizeISelID, llvm::IdentifyingPassPtr(new SaveRegistersOfLongBranches));
}

} // namespace ptx::code

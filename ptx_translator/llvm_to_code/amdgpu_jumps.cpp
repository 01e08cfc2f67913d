#include "llvm_to_code/amdgpu_jumps.h"

#include <llvm/CodeGen/MachineFunctionPass.h>
#include <llvm/CodeGen/MachineInstrBuilder.h>
#include <llvm/CodeGen/Passes.h>
#include <llvm/CodeGen/TargetPassConfig.h>
#include <llvm/CodeGen/TargetRegisterInfo.h>
#include <llvm/CodeGen/TargetSubtargetInfo.h>
#include <llvm/IR/Function.h>

#include <algorithm>
#include <iterator>
#include <numeric>
#include <optional>
#include <string>

namespace ptx::code {
namespace {

/// With the kind behind it: how many registers of that kind.
constexpr llvm::StringLiteral attribute = "cuttle.registers.";

std::string attribute_of(const char* kind) { return attribute.str() + kind; }

class TellRegistersOfJumps : public llvm::MachineFunctionPass {
  public:
    static inline char ID = 0;

    TellRegistersOfJumps() : MachineFunctionPass(ID) {}

    llvm::StringRef getPassName() const override { return "Tell registers of jumps"; }

    bool runOnMachineFunction(llvm::MachineFunction& function) override {
        if (!function.getFunction().hasFnAttribute(attribute_of(UsedRegisters::kinds[0]))) return false;
        for (llvm::MachineBasicBlock& block : function)
            for (llvm::MachineInstr& instruction : block)
                if (instruction.isInlineAsm()) tell(function, instruction);
        return true;
    }

  private:
    static UsedRegisters used_by(const llvm::Function& function) {
        UsedRegisters used{};
        for (size_t kind = 0; kind < used.counts.size(); ++kind)
            function.getFnAttribute(attribute_of(UsedRegisters::kinds[kind]))
                .getValueAsString()
                .getAsInteger(10, used.counts[kind]);
        return used;
    }

    /// Of "VGPR12"; nothing for the names of tuples, and of other kinds.
    static std::optional<unsigned> number_of(llvm::StringRef name, const char* kind) {
        unsigned number;
        if (!name.consume_front(kind) || name.getAsInteger(10, number)) return {};
        return number;
    }

    static void tell(llvm::MachineFunction& function, llvm::MachineInstr& jump) {
        const UsedRegisters used = used_by(function.getFunction());
        const llvm::TargetRegisterInfo& target = *function.getSubtarget().getRegisterInfo();
        const uint32_t* convention = target.getCallPreservedMask(function, llvm::CallingConv::C);
        uint32_t* kept = function.allocateRegMask();
        std::fill_n(kept, llvm::MachineOperand::getRegMaskSize(target.getNumRegs()), ~0u);
        kept[0] &= ~1u; // no register
        const auto overwrite = [&](unsigned part) {
            for (llvm::MCRegAliasIterator each(part, &target, true); each.isValid(); ++each)
                kept[(*each).id() / 32] &= ~(1u << (*each).id() % 32);
        };
        const llvm::MachineInstrBuilder builder(function, jump);
        constexpr llvm::StringLiteral always[] = {llvm::StringLiteral("VCC"), llvm::StringLiteral("SCC"),
                                                  llvm::StringLiteral("M0"), llvm::StringLiteral("FLAT_SCR")};
        // There are thousands of names, the tuples' behind those of their parts.
        size_t wanted = std::accumulate(used.counts.begin(), used.counts.end(), std::size(always));
        for (unsigned each = 1; wanted && each < target.getNumRegs(); ++each) {
            const llvm::StringRef name = target.getName(each);
            if (llvm::is_contained(always, name)) {
                overwrite(each);
                --wanted;
            }
            for (size_t kind = 0; kind < used.counts.size(); ++kind) {
                const std::optional<unsigned> number = number_of(name, UsedRegisters::kinds[kind]);
                if (!number || *number >= used.counts[kind]) continue;
                --wanted;
                if (llvm::MachineOperand::clobbersPhysReg(convention, each)) overwrite(each);
                // How many there are LLVM counts by what is written.
                if (*number + 1 == used.counts[kind])
                    builder.addReg(each, llvm::RegState::Define | llvm::RegState::Implicit | llvm::RegState::Dead);
            }
        }
        builder.addRegMask(kept);
    }
};

} // namespace

void declare_registers_of_jump(llvm::Function& function, const UsedRegisters& used) {
    for (size_t kind = 0; kind < used.counts.size(); ++kind)
        function.addFnAttr(attribute_of(UsedRegisters::kinds[kind]), std::to_string(used.counts[kind]));
}

void tell_registers_of_jumps(llvm::TargetPassConfig& config) {
    // While nothing is known of registers' lives.
    config.insertPass(&llvm::FinalizeISelID, llvm::IdentifyingPassPtr(new TellRegistersOfJumps));
}

} // namespace ptx::code

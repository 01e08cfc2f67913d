#pragma once

#include <array>

namespace llvm {
class Function;
class TargetPassConfig;
} // namespace llvm

namespace ptx::code {

/// How many registers of each kind a piece of machine code uses. The kinds are LLVM's names of registers.
struct UsedRegisters {
    static constexpr std::array<const char*, 3> kinds = {"VGPR", "AGPR", "SGPR"};
    std::array<unsigned, 3> counts;
};

/// The function is one piece of assembly that jumps into machine code of LLVM's calling convention. LLVM looks into
/// functions to see what their callers must save: of the registers that the code uses those that it need not keep.
/// The assembly's constraints could say so, but LLVM 22 takes up to a millisecond for each register that they name.
void declare_registers_of_jump(llvm::Function&, const UsedRegisters&);

/// Has code generation know what such functions overwrite.
void tell_registers_of_jumps(llvm::TargetPassConfig&);

} // namespace ptx::code

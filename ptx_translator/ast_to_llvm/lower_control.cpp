#include "ast_to_llvm/function_lowering.h"
#include "ptx/host_abi.h"

/// Branches, returns and what ends a thread. PTX ISA 9.7.12, 9.7.19.
namespace ptx::ast_to_llvm {
namespace {

const BranchTargets& branch_targets(FunctionLowering& function, const Operand& list) {
    for (const BranchTargets& targets : function.function().branch_targets)
        if (targets.name == list.name) return targets;
    throw Error(list.where, "no .branchtargets list '" + list.name + "'");
}

} // namespace

void lower_bra(Emitter& emitter, const Instruction& instruction) {
    if (instruction.operands.size() != 1 || instruction.operands[0].kind != Operand::Kind::label)
        throw Error(instruction.where, "bra wants a label");
    emitter.ir().CreateBr(lowering(emitter).block_of(instruction.operands[0].label_id));
}

void lower_brx(Emitter& emitter, const Instruction& instruction) {
    if (instruction.operands.size() != 2) throw Error(instruction.where, "brx.idx wants an index and a list");
    FunctionLowering& function = lowering(emitter);
    auto& ir = emitter.ir();
    const BranchTargets& targets = branch_targets(function, instruction.operands[1]);
    llvm::Value* index = emitter.read(instruction.operands[0], Type::u32);
    auto* outside = function.new_block("outside");
    auto* branch = ir.CreateSwitch(index, outside, static_cast<unsigned>(targets.labels.size()));
    for (size_t i = 0; i < targets.labels.size(); ++i)
        branch->addCase(ir.getInt32(static_cast<uint32_t>(i)), function.block_of(targets.labels[i]));
    ir.SetInsertPoint(outside);
    ir.CreateUnreachable();
}

void lower_ret(Emitter& emitter, const Instruction&) { lowering(emitter).return_to_caller(); }

void lower_exit(Emitter& emitter, const Instruction&) {
    if (emitter.function().is_entry) return lowering(emitter).return_to_caller();
    emitter.call("cuttle.exit", emitter.ir().getVoidTy(), {});
    emitter.ir().CreateUnreachable();
}

void lower_trap(Emitter& emitter, const Instruction& instruction) {
    auto kind = instruction.opcode == Opcode::brkpt ? host::Trap::breakpoint : host::Trap::trap;
    emitter.call("cuttle.trap", emitter.ir().getVoidTy(), {emitter.ir().getInt32(static_cast<uint32_t>(kind))});
    emitter.ir().CreateUnreachable();
}

void lower_nanosleep(Emitter& emitter, const Instruction& instruction) {
    if (instruction.operands.empty()) throw Error(instruction.where, "nanosleep lacks an operand");
    llvm::Value* duration = emitter.read(instruction.operands[0], Type::u32);
    emitter.call("cuttle.nanosleep", emitter.ir().getVoidTy(), {duration}, true);
}

/// pmevent, setmaxnreg and griddepcontrol: counters, register budgets and early starts of dependent grids, all of which
/// may legally do nothing where grids of a stream run one after the other. PTX ISA 9.7.13.13, 9.7.19.3, 9.7.19.5.
void lower_nothing(Emitter&, const Instruction&) {}

} // namespace ptx::ast_to_llvm

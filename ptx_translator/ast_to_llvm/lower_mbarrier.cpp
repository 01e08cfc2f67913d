#include "ast_to_llvm/async_operands.h"
#include "ptx/host_abi.h"

/// mbarrier objects, and what reports to them. PTX ISA 9.7.13.15, 9.7.9.25.3.
namespace ptx::ast_to_llvm {
namespace {

using host::Mbarrier;

llvm::Value* operate(Emitter& emitter, Mbarrier operation, llvm::Value* address, llvm::Value* argument) {
    auto& ir = emitter.ir();
    return emitter.call(
        "cuttle.mbarrier", ir.getInt64Ty(),
        {ir.getInt32(static_cast<uint32_t>(operation)), address, ir.CreateZExt(argument, ir.getInt64Ty())}, true);
}

/// What the instructions without a result do.
Mbarrier change_of(const Instruction& instruction) {
    switch (instruction.opcode) {
    case Opcode::mbarrier_init:
        return Mbarrier::init;
    case Opcode::mbarrier_inval:
        return Mbarrier::inval;
    case Opcode::mbarrier_expect_tx:
        return Mbarrier::expect_tx;
    default:
        return Mbarrier::complete_tx;
    }
}

} // namespace

llvm::Value* generic_address(Emitter& emitter, const Operand& operand, Space space) {
    if (operand.kind != Operand::Kind::address) throw Error(operand.where, "expected an address in brackets");
    auto& ir = emitter.ir();
    llvm::Value* address = emitter.address(operand, space);
    if (address->getType()->getIntegerBitWidth() == 64) return address;
    return emitter.call("cuttle.cvta.shared", ir.getInt64Ty(), {ir.CreateZExt(address, ir.getInt64Ty())});
}

Space space_at(const Instruction& instruction, size_t index) {
    for (Modifier modifier : instruction.modifiers) {
        Space space = Space::generic;
        if (modifier == Modifier::global)
            space = Space::global;
        else if (modifier == Modifier::shared || modifier == Modifier::shared_cta)
            space = Space::shared;
        else if (modifier == Modifier::shared_cluster)
            space = Space::shared_cluster;
        else
            continue;
        if (index-- == 0) return space;
    }
    return Space::generic;
}

void require_operands(const Instruction& instruction, size_t count) {
    if (instruction.operands.size() < count)
        throw Error(instruction.where, instruction.opcode_text + " lacks an operand");
}

void complete_transaction(Emitter& emitter, llvm::Value* barrier, llvm::Value* bytes) {
    operate(emitter, Mbarrier::complete_tx, barrier, bytes);
}

/// init, inval, expect_tx, complete_tx
void lower_mbarrier_change(Emitter& emitter, const Instruction& instruction) {
    Mbarrier operation = change_of(instruction);
    require_operands(instruction, operation == Mbarrier::inval ? 1 : 2);
    llvm::Value* address = generic_address(emitter, instruction.operands[0], instruction.space());
    llvm::Value* argument =
        operation == Mbarrier::inval ? emitter.ir().getInt32(0) : emitter.read(instruction.operands[1], Type::u32);
    operate(emitter, operation, address, argument);
}

/// mbarrier.arrive{_drop}{.expect_tx}{.noComplete} {state,} [a]{, count}
void lower_mbarrier_arrive(Emitter& emitter, const Instruction& instruction) {
    require_operands(instruction, 1);
    const auto& operands = instruction.operands;
    const size_t at = operands[0].kind == Operand::Kind::address ? 0 : 1;
    require_operands(instruction, at + 1);
    llvm::Value* address = generic_address(emitter, operands[at], instruction.space());
    llvm::Value* count = emitter.ir().getInt32(1);
    llvm::Value* given = operands.size() > at + 1 ? emitter.read(operands[at + 1], Type::u32) : nullptr;
    if (instruction.has(Modifier::expect_tx)) {
        if (!given) throw Error(instruction.where, instruction.opcode_text + ".expect_tx lacks the count");
        operate(emitter, Mbarrier::expect_tx, address, given);
    } else if (given) {
        count = given;
    }
    const bool drops = instruction.opcode == Opcode::mbarrier_arrive_drop;
    const bool stays = instruction.has(Modifier::noComplete);
    llvm::Value* state = operate(emitter,
                                 drops ? (stays ? Mbarrier::drop_no_complete : Mbarrier::drop)
                                       : (stays ? Mbarrier::arrive_no_complete : Mbarrier::arrive),
                                 address, count);
    if (at == 1) emitter.write(operands[0], state, Type::b64);
}

/// mbarrier.{test,try}_wait{.parity} p, [a], state|parity{, time}
void lower_mbarrier_wait(Emitter& emitter, const Instruction& instruction) {
    require_operands(instruction, 3);
    const bool parity = instruction.has(Modifier::parity), tries = instruction.opcode == Opcode::mbarrier_try_wait;
    llvm::Value* address = generic_address(emitter, instruction.operands[1], instruction.space());
    llvm::Value* argument = emitter.read(instruction.operands[2], parity ? Type::u32 : Type::b64);
    llvm::Value* over = operate(emitter,
                                tries ? (parity ? Mbarrier::try_parity : Mbarrier::try_wait)
                                      : (parity ? Mbarrier::test_parity : Mbarrier::test_wait),
                                address, argument);
    emitter.write(instruction.operands[0], emitter.ir().CreateIsNotNull(over), Type::pred);
}

void lower_mbarrier_pending_count(Emitter& emitter, const Instruction& instruction) {
    require_operands(instruction, 2);
    auto& ir = emitter.ir();
    llvm::Value* count =
        operate(emitter, Mbarrier::pending_count, ir.getInt64(0), emitter.read(instruction.operands[1], Type::b64));
    emitter.write(instruction.operands[0], ir.CreateTrunc(count, ir.getInt32Ty()), Type::b32);
}

/// The copies before it are done already. Without .noinc the arrival is one more than the barrier expects.
void lower_cp_async_mbarrier_arrive(Emitter& emitter, const Instruction& instruction) {
    require_operands(instruction, 1);
    if (!instruction.has(Modifier::noinc)) return;
    llvm::Value* address = generic_address(emitter, instruction.operands[0], instruction.space());
    operate(emitter, Mbarrier::arrive, address, emitter.ir().getInt32(1));
}

} // namespace ptx::ast_to_llvm

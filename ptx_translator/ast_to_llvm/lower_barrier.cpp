#include "ast_to_llvm/emitter.h"
#include "ptx/host_abi.h"

/// bar, barrier, bar.warp.sync and barrier.cluster. PTX ISA 9.7.13.1 - 9.7.13.3.
namespace ptx::ast_to_llvm {
namespace {

host::BarrierReduce reduction_of(const Instruction& instruction) {
    switch (instruction.first_of({Modifier::popc, Modifier::and_, Modifier::or_})) {
    case Modifier::popc:
        return host::BarrierReduce::popc;
    case Modifier::and_:
        return host::BarrierReduce::and_;
    case Modifier::or_:
        return host::BarrierReduce::or_;
    default:
        throw Error(instruction.where, instruction.opcode_text + ".red lacks an operation");
    }
}

/// That all threads of a warp come together: bar, and barrier.aligned. PTX ISA 9.7.13.1.
llvm::Value* note_alignment(llvm::Value* call, const Instruction& instruction) {
    if (instruction.opcode == Opcode::bar || instruction.has(Modifier::aligned))
        llvm::cast<llvm::Instruction>(call)->setMetadata("cuttle.aligned", llvm::MDNode::get(call->getContext(), {}));
    return call;
}

/// bar.red.op.type d, a{, b}, {!}c
void lower_reduction(Emitter& emitter, const Instruction& instruction) {
    const auto& operands = instruction.operands;
    if (operands.size() < 3) throw Error(instruction.where, instruction.opcode_text + ".red lacks an operand");
    auto& ir = emitter.ir();
    auto op = reduction_of(instruction);
    llvm::Value* count = operands.size() > 3 ? emitter.read(operands[2], Type::u32) : ir.getInt32(0);
    llvm::Value* call = emitter.call("cuttle.barrier.reduce", ir.getInt32Ty(),
                                     {ir.getInt32(static_cast<uint32_t>(op)), emitter.read(operands[1], Type::u32),
                                      count, emitter.read(operands.back(), Type::pred)},
                                     true);
    llvm::Value* result = note_alignment(call, instruction);
    if (op == host::BarrierReduce::popc) return emitter.write(operands[0], result, Type::u32);
    emitter.write(operands[0], ir.CreateIsNotNull(result), Type::pred);
}

} // namespace

void lower_barrier(Emitter& emitter, const Instruction& instruction) {
    if (instruction.has(Modifier::red)) return lower_reduction(emitter, instruction);
    auto& ir = emitter.ir();
    const auto& operands = instruction.operands;
    bool arrives = instruction.has(Modifier::arrive);
    if (operands.size() < (arrives ? 2u : 1u))
        throw Error(instruction.where, instruction.opcode_text + " lacks an operand");
    llvm::Value* id = emitter.read(operands[0], Type::u32);
    llvm::Value* count = operands.size() > 1 ? emitter.read(operands[1], Type::u32) : ir.getInt32(0);
    const char* name = arrives ? "cuttle.barrier.arrive" : "cuttle.barrier.sync";
    note_alignment(emitter.call(name, ir.getVoidTy(), {id, count}, true), instruction);
}

/// barrier.cluster.{arrive,wait}: what they order is ordered anyway, the CTAs of a cluster being run by one thread or
/// by calls that LLVM cannot see through. PTX ISA 9.7.13.3.
void lower_barrier_cluster(Emitter& emitter, const Instruction& instruction) {
    const char* name = instruction.has(Modifier::arrive) ? "cuttle.cluster.arrive" : "cuttle.cluster.wait";
    emitter.call(name, emitter.ir().getVoidTy(), {}, true);
}

void lower_warp_sync(Emitter& emitter, const Instruction& instruction) {
    auto& ir = emitter.ir();
    llvm::Value* mask =
        instruction.operands.empty() ? ir.getInt32(0xffffffff) : emitter.read(instruction.operands[0], Type::b32);
    emitter.call("cuttle.warp.sync", ir.getVoidTy(), {mask}, true);
}

} // namespace ptx::ast_to_llvm

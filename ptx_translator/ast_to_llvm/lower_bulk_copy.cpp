#include "ast_to_llvm/async_operands.h"
#include "ast_to_llvm/bulk_operation.h"
#include "ast_to_llvm/function_lowering.h"
#include "ast_to_llvm/types.h"
#include "ptx/host_abi.h"

/// Bulk copies and their kin: done when they are issued, so that groups have nothing to wait for. PTX ISA 9.7.9.25.4.
namespace ptx::ast_to_llvm {
namespace {

/// Operands behind the fixed ones, in the manual's order: each is there if its modifier is.
class Rest {
  public:
    Rest(const Instruction& instruction, size_t first) : instruction_(instruction), next_(first) {}
    const Operand* take(bool there) {
        if (!there) return nullptr;
        require_operands(instruction_, next_ + 1);
        return &instruction_.operands[next_++];
    }

  private:
    const Instruction& instruction_;
    size_t next_;
};

bool names_barrier(const Instruction& instruction) { return instruction.has(Modifier::mbarrier_complete_tx_bytes); }

llvm::Value* read_or(Emitter& emitter, const Operand* operand, Type type, uint32_t otherwise) {
    auto& ir = emitter.ir();
    return operand ? ir.CreateZExtOrTrunc(emitter.read(*operand, type), ir.getInt32Ty()) : ir.getInt32(otherwise);
}

llvm::Value* barrier_address(Emitter& emitter, const Operand* operand) {
    return operand ? generic_address(emitter, *operand, Space::shared_cluster) : emitter.ir().getInt64(0);
}

/// A store or reduction with the operands but the barrier, and then what the barrier is told.
Instruction without_barrier(const Instruction& instruction, Opcode opcode) {
    Instruction plain = instruction;
    plain.opcode = opcode;
    if (plain.operands.size() > 2) plain.operands.resize(2);
    return plain;
}

void lower_with_barrier(Emitter& emitter, const Instruction& instruction, Opcode opcode) {
    require_operands(instruction, names_barrier(instruction) ? 3 : 2);
    const Instruction plain = without_barrier(instruction, opcode);
    lowering_of(opcode)(emitter, plain);
    if (!names_barrier(instruction)) return;
    auto& ir = emitter.ir();
    complete_transaction(emitter, barrier_address(emitter, &instruction.operands[2]),
                         ir.getInt32(instruction.lanes() * static_cast<uint32_t>(size_of(instruction.type()))));
}

} // namespace

host::BulkOperation bulk_operation(const Instruction& instruction) {
    using host::BulkOperation;
    switch (instruction.first_of({Modifier::add, Modifier::min, Modifier::max, Modifier::inc, Modifier::dec,
                                  Modifier::and_, Modifier::or_, Modifier::xor_})) {
    case Modifier::add:
        return BulkOperation::add;
    case Modifier::min:
        return BulkOperation::min;
    case Modifier::max:
        return BulkOperation::max;
    case Modifier::inc:
        return BulkOperation::inc;
    case Modifier::dec:
        return BulkOperation::dec;
    case Modifier::and_:
        return BulkOperation::and_;
    case Modifier::or_:
        return BulkOperation::or_;
    case Modifier::xor_:
        return BulkOperation::xor_;
    default:
        throw Error(instruction.where, instruction.opcode_text + " lacks an operation");
    }
}

namespace {

host::BulkType bulk_type(const Instruction& instruction) {
    using host::BulkType;
    switch (instruction.type()) {
    case Type::b32:
    case Type::u32:
        return BulkType::u32;
    case Type::s32:
        return BulkType::s32;
    case Type::b64:
    case Type::u64:
        return BulkType::u64;
    case Type::s64:
        return BulkType::s64;
    case Type::f16:
        return BulkType::f16;
    case Type::bf16:
        return BulkType::bf16;
    case Type::f32:
        return BulkType::f32;
    case Type::f64:
        return BulkType::f64;
    default:
        throw Error(instruction.where, instruction.opcode_text + " lacks a type");
    }
}

} // namespace

/// cp.async.bulk.DST.SRC [d], [a], size{, [mbar]}{, mask}{, policy}{, byte mask}
void lower_cp_async_bulk(Emitter& emitter, const Instruction& instruction) {
    require_operands(instruction, 3);
    auto& ir = emitter.ir();
    Rest rest(instruction, 3);
    const Operand* barrier = rest.take(names_barrier(instruction));
    const Operand* multicast = rest.take(instruction.has(Modifier::multicast_cluster));
    rest.take(instruction.has(Modifier::l2_cache_hint));
    const Operand* bytes = rest.take(instruction.has(Modifier::cp_mask));
    emitter.call("cuttle.bulk.copy", ir.getVoidTy(),
                 {generic_address(emitter, instruction.operands[0], space_at(instruction, 0)),
                  generic_address(emitter, instruction.operands[1], space_at(instruction, 1)),
                  emitter.read(instruction.operands[2], Type::u32), barrier_address(emitter, barrier),
                  read_or(emitter, multicast, Type::b16, 0), read_or(emitter, bytes, Type::b16, 0xffff)},
                 true);
}

/// cp.reduce.async.bulk.DST.SRC.op.type [d], [a], size{, [mbar]}{, policy}
void lower_cp_reduce_async_bulk(Emitter& emitter, const Instruction& instruction) {
    require_operands(instruction, 3);
    auto& ir = emitter.ir();
    Rest rest(instruction, 3);
    const Operand* barrier = rest.take(names_barrier(instruction));
    emitter.call("cuttle.bulk.reduce", ir.getVoidTy(),
                 {ir.getInt32(static_cast<uint32_t>(bulk_operation(instruction))),
                  ir.getInt32(static_cast<uint32_t>(bulk_type(instruction))),
                  generic_address(emitter, instruction.operands[0], space_at(instruction, 0)),
                  generic_address(emitter, instruction.operands[1], space_at(instruction, 1)),
                  emitter.read(instruction.operands[2], Type::u32), barrier_address(emitter, barrier)},
                 true);
}

void lower_st_async(Emitter& emitter, const Instruction& instruction) {
    lower_with_barrier(emitter, instruction, Opcode::st);
}

void lower_red_async(Emitter& emitter, const Instruction& instruction) {
    lower_with_barrier(emitter, instruction, Opcode::red);
}

/// st.bulk [a], size, 0: zeros, eight bytes at a time. PTX ISA 9.7.9.15.
void lower_st_bulk(Emitter& emitter, const Instruction& instruction) {
    require_operands(instruction, 3);
    auto& function = lowering(emitter);
    auto& ir = emitter.ir();
    llvm::Value* address = generic_address(emitter, instruction.operands[0], instruction.space());
    llvm::Value* bytes = ir.CreateZExt(emitter.read(instruction.operands[1], Type::u32), ir.getInt64Ty());
    auto* before = ir.GetInsertBlock();
    auto* test = function.new_block("bulk.test");
    auto* body = function.new_block("bulk.store");
    auto* done = function.new_block("bulk.done");
    ir.CreateBr(test);
    ir.SetInsertPoint(test);
    auto* offset = ir.CreatePHI(ir.getInt64Ty(), 2);
    offset->addIncoming(ir.getInt64(0), before);
    ir.CreateCondBr(ir.CreateICmpULT(offset, bytes), body, done);
    ir.SetInsertPoint(body);
    ir.CreateStore(ir.getInt64(0), ir.CreateIntToPtr(ir.CreateAdd(address, offset), ir.getPtrTy(generic_space)));
    offset->addIncoming(ir.CreateAdd(offset, ir.getInt64(8)), body);
    ir.CreateBr(test);
    function.continue_in(done);
}

/// Asks for a cluster that has not begun to be cancelled, to do its work instead: the answer is always that there was
/// none, so that each cluster runs by itself. Sixteen zero bytes say so, with .multicast::cluster::all in every CTA of
/// the asking cluster. PTX ISA 9.7.13.16.
void lower_try_cancel(Emitter& emitter, const Instruction& instruction) {
    require_operands(instruction, 2);
    auto& ir = emitter.ir();
    Operand half = instruction.operands[0];
    for (int i = 0; i < 2; ++i, half.offset += 8)
        ir.CreateAlignedStore(ir.getInt64(0), emitter.pointer(half, instruction.space()), llvm::Align(8));
    llvm::Value* barrier = generic_address(emitter, instruction.operands[1], instruction.space());
    if (!instruction.has(Modifier::multicast_cluster_all))
        return complete_transaction(emitter, barrier, ir.getInt32(16));
    llvm::Value* answer = generic_address(emitter, instruction.operands[0], instruction.space());
    llvm::Value* blocks = emitter.call("cuttle.sreg.cluster_nctarank", ir.getInt32Ty(), {});
    llvm::Value* all = ir.CreateSub(ir.CreateShl(ir.getInt32(1), blocks), ir.getInt32(1));
    emitter.call("cuttle.bulk.copy", ir.getVoidTy(),
                 {answer, answer, ir.getInt32(16), barrier, all, ir.getInt32(0xffff)}, true);
}

/// Of an answer: bit 0 of its 128, whether a cluster was cancelled; the ids of its first CTA above that.
void lower_query_cancel(Emitter& emitter, const Instruction& instruction) {
    require_operands(instruction, 2);
    auto& ir = emitter.ir();
    llvm::Value* answer = emitter.read(instruction.operands[1], Type::b128);
    auto word = [&](unsigned n) { return ir.CreateTrunc(ir.CreateLShr(answer, 32 * n), ir.getInt32Ty()); };
    if (instruction.has(Modifier::is_canceled))
        return emitter.write(instruction.operands[0], ir.CreateTrunc(word(0), ir.getInt1Ty()), Type::pred);
    const Operand& result = instruction.operands[0];
    if (result.kind == Operand::Kind::vector) {
        for (unsigned i = 0; i < result.elements.size(); ++i)
            emitter.write(result.elements[i], i < 3 ? word(i + 1) : ir.getInt32(0), Type::b32);
        return;
    }
    const unsigned axis = instruction.has(Modifier::get_first_ctaid_y)   ? 1
                          : instruction.has(Modifier::get_first_ctaid_z) ? 2
                                                                         : 0;
    emitter.write(result, word(axis + 1), Type::b32);
}

} // namespace ptx::ast_to_llvm

#include "ast_to_llvm/emitter.h"
#include "ptx/host_abi.h"

#include <llvm/IR/Intrinsics.h>

/// What the lanes of a warp do together. PTX ISA 9.7.9.6, 9.7.13.8 - 9.7.13.12, 9.7.13.14.
namespace ptx::ast_to_llvm {
namespace {

void require_operands(const Instruction& instruction, size_t count) {
    if (instruction.operands.size() < count)
        throw Error(instruction.where, instruction.opcode_text + " lacks an operand");
}

/// `d|p` or `d`: writes both or the first.
void write_pair(Emitter& emitter, const Operand& destination, llvm::Value* value, Type type, llvm::Value* predicate) {
    if (destination.kind != Operand::Kind::pair) return emitter.write(destination, value, type);
    emitter.write(destination.elements[0], value, type);
    emitter.write(destination.elements[1], predicate, Type::pred);
}

/// The member mask of .sync forms; older forms act on the lanes that are there.
llvm::Value* member_mask(Emitter& emitter, const Instruction& instruction, size_t index) {
    if (!instruction.has(Modifier::sync))
        return emitter.call("cuttle.active.mask", emitter.ir().getInt32Ty(), {}, true);
    require_operands(instruction, index + 1);
    return emitter.read(instruction.operands[index], Type::b32);
}

host::Shuffle shuffle_mode(const Instruction& instruction) {
    switch (instruction.first_of({Modifier::up, Modifier::down, Modifier::bfly, Modifier::idx})) {
    case Modifier::up:
        return host::Shuffle::up;
    case Modifier::down:
        return host::Shuffle::down;
    case Modifier::bfly:
        return host::Shuffle::bfly;
    case Modifier::idx:
        return host::Shuffle::idx;
    default:
        throw Error(instruction.where, "shfl lacks a mode");
    }
}

host::Vote vote_mode(const Instruction& instruction) {
    switch (instruction.first_of({Modifier::all, Modifier::any, Modifier::uni, Modifier::ballot})) {
    case Modifier::all:
        return host::Vote::all;
    case Modifier::any:
        return host::Vote::any;
    case Modifier::uni:
        return host::Vote::uni;
    case Modifier::ballot:
        return host::Vote::ballot;
    default:
        throw Error(instruction.where, "vote lacks a mode");
    }
}

/// PTX ISA 9.7.13.11: .f32 has the extremes only.
host::Reduce float_reduction(const Instruction& instruction) {
    const bool keeps_nan = instruction.has(Modifier::NaN);
    if (instruction.has(Modifier::min)) return keeps_nan ? host::Reduce::min_nan : host::Reduce::min_f;
    if (instruction.has(Modifier::max)) return keeps_nan ? host::Reduce::max_nan : host::Reduce::max_f;
    throw Error(instruction.where, "redux.f32 has min and max only");
}

host::Reduce reduction(const Instruction& instruction) {
    if (kind_of(instruction.type()) == TypeKind::floating) return float_reduction(instruction);
    bool is_signed = kind_of(instruction.type()) == TypeKind::signed_integer;
    switch (instruction.first_of(
        {Modifier::add, Modifier::min, Modifier::max, Modifier::and_, Modifier::or_, Modifier::xor_})) {
    case Modifier::add:
        return host::Reduce::add;
    case Modifier::min:
        return is_signed ? host::Reduce::min_s : host::Reduce::min_u;
    case Modifier::max:
        return is_signed ? host::Reduce::max_s : host::Reduce::max_u;
    case Modifier::and_:
        return host::Reduce::and_;
    case Modifier::or_:
        return host::Reduce::or_;
    case Modifier::xor_:
        return host::Reduce::xor_;
    default:
        throw Error(instruction.where, "redux lacks an operation");
    }
}

template <class Mode> llvm::Value* number(Emitter& emitter, Mode mode) {
    return emitter.ir().getInt32(static_cast<uint32_t>(mode));
}

llvm::Type* value_and_predicate(Emitter& emitter) {
    return llvm::StructType::get(emitter.ir().getInt32Ty(), emitter.ir().getInt1Ty());
}

} // namespace

void lower_shfl(Emitter& emitter, const Instruction& instruction) {
    require_operands(instruction, 4);
    const auto& operands = instruction.operands;
    auto& ir = emitter.ir();
    auto* result = emitter.call("cuttle.shuffle", value_and_predicate(emitter),
                                {number(emitter, shuffle_mode(instruction)), emitter.read(operands[1], Type::b32),
                                 emitter.read(operands[2], Type::b32), emitter.read(operands[3], Type::b32),
                                 member_mask(emitter, instruction, 4)},
                                true);
    write_pair(emitter, operands[0], ir.CreateExtractValue(result, 0), Type::b32, ir.CreateExtractValue(result, 1));
}

void lower_vote(Emitter& emitter, const Instruction& instruction) {
    require_operands(instruction, 2);
    auto& ir = emitter.ir();
    auto mode = vote_mode(instruction);
    llvm::Value* predicate = emitter.read(instruction.operands[1], Type::pred);
    llvm::Value* result = emitter.call("cuttle.vote", ir.getInt32Ty(),
                                       {number(emitter, mode), predicate, member_mask(emitter, instruction, 2)}, true);
    if (mode == host::Vote::ballot) return emitter.write(instruction.operands[0], result, Type::b32);
    emitter.write(instruction.operands[0], ir.CreateIsNotNull(result), Type::pred);
}

void lower_match(Emitter& emitter, const Instruction& instruction) {
    require_operands(instruction, 2);
    auto& ir = emitter.ir();
    Type type = instruction.type() == Type::b64 ? Type::b64 : Type::b32;
    llvm::Value* value = ir.CreateZExt(emitter.read(instruction.operands[1], type), ir.getInt64Ty());
    llvm::Value* mask = member_mask(emitter, instruction, 2);
    if (instruction.has(Modifier::any)) {
        auto* lanes = emitter.call("cuttle.match.any", ir.getInt32Ty(), {value, mask}, true);
        return emitter.write(instruction.operands[0], lanes, Type::b32);
    }
    auto* result = emitter.call("cuttle.match.all", value_and_predicate(emitter), {value, mask}, true);
    write_pair(emitter, instruction.operands[0], ir.CreateExtractValue(result, 0), Type::b32,
               ir.CreateExtractValue(result, 1));
}

void lower_redux(Emitter& emitter, const Instruction& instruction) {
    require_operands(instruction, 2);
    auto& ir = emitter.ir();
    llvm::Value* value = emitter.read(instruction.operands[1], Type::b32);
    if (instruction.has(Modifier::abs)) value = ir.CreateAnd(value, ir.getInt32(0x7fffffff));
    auto* result =
        emitter.call("cuttle.reduce", ir.getInt32Ty(),
                     {number(emitter, reduction(instruction)), value, member_mask(emitter, instruction, 2)}, true);
    emitter.write(instruction.operands[0], result, Type::b32);
}

void lower_activemask(Emitter& emitter, const Instruction& instruction) {
    require_operands(instruction, 1);
    auto* mask = emitter.call("cuttle.active.mask", emitter.ir().getInt32Ty(), {}, true);
    emitter.write(instruction.operands[0], mask, Type::b32);
}

/// The lowest member is the elected one: the choice is free, but must be the same each time. PTX ISA 9.7.13.14.
void lower_elect(Emitter& emitter, const Instruction& instruction) {
    require_operands(instruction, 2);
    auto& ir = emitter.ir();
    llvm::Value* mask = emitter.read(instruction.operands[1], Type::b32);
    emitter.call("cuttle.warp.sync", ir.getVoidTy(), {mask}, true);
    llvm::Value* leader = ir.CreateBinaryIntrinsic(llvm::Intrinsic::cttz, mask, ir.getFalse());
    llvm::Value* lane = emitter.call("cuttle.sreg.laneid", ir.getInt32Ty(), {});
    write_pair(emitter, instruction.operands[0], leader, Type::b32, ir.CreateICmpEQ(lane, leader));
}

} // namespace ptx::ast_to_llvm

#include "ast_to_llvm/function_lowering.h"
#include "ast_to_llvm/types.h"

#include <llvm/IR/DataLayout.h>
#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/Module.h>

/// Conversions between state spaces and the stack. PTX ISA 9.7.9.19 - 9.7.9.24, 9.7.17.
namespace ptx::ast_to_llvm {
namespace {

void require_operands(const Instruction& instruction, size_t count) {
    if (instruction.operands.size() < count)
        throw Error(instruction.where, instruction.opcode_text + " lacks an operand");
}

/// The integer width of addresses of this instruction.
Type address_type(const Instruction& instruction) {
    Type type = instruction.type();
    return type == Type::none ? Type::u64 : type;
}

llvm::Value* read_address(Emitter& emitter, const Operand& operand, Type type) {
    if (operand.kind == Operand::Kind::address)
        return emitter.ir().CreateZExtOrTrunc(emitter.address(operand, Space::generic), emitter.ir().getInt64Ty());
    return emitter.ir().CreateZExtOrTrunc(emitter.read(operand, type), emitter.ir().getInt64Ty());
}

/// Whether `size` bytes from `begin` on hold the address.
llvm::Value* lies_in(llvm::IRBuilder<>& ir, llvm::Value* address, llvm::Value* begin, uint64_t size) {
    return ir.CreateICmpULT(ir.CreateSub(address, begin), ir.getInt64(size));
}

/// Whether a generic address is one of a .const variable; these lie among the .global ones.
llvm::Value* is_constant(Emitter& emitter, llvm::Value* address) {
    auto& ir = emitter.ir();
    auto& context = lowering(emitter).context();
    llvm::Value* inside = ir.getFalse();
    for (const Variable& variable : emitter.source().variables) {
        if (variable.space != Space::constant || variable.linkage == Linkage::external) continue;
        llvm::Value* offset = ir.getInt64(context.global_offset(variable, nullptr, variable.where));
        llvm::Value* begin = emitter.call("cuttle.global.address", ir.getInt64Ty(), {offset});
        inside = ir.CreateOr(inside, lies_in(ir, address, begin, variable.size()));
    }
    return inside;
}

/// Whether a generic address is one of the kernel's parameters.
llvm::Value* is_parameter(Emitter& emitter, llvm::Value* address) {
    auto& ir = emitter.ir();
    const auto& context = lowering(emitter).context();
    if (!emitter.function().is_entry)
        throw Error(emitter.function().where, "isspacep.param is supported in kernels only");
    const uint32_t bytes = context.kernel(emitter.function()).parameter_bytes;
    llvm::Value* begin = emitter.call("cuttle.kernel.parameters", ir.getPtrTy(4), {});
    return lies_in(ir, address, ir.CreatePtrToInt(begin, ir.getInt64Ty()), bytes);
}

} // namespace

void lower_cvta(Emitter& emitter, const Instruction& instruction) {
    require_operands(instruction, 2);
    Type type = address_type(instruction);
    auto& ir = emitter.ir();
    llvm::Value* value = read_address(emitter, instruction.operands[1], type);
    const char* to = instruction.has(Modifier::to) ? "to." : "";
    switch (instruction.space()) {
    case Space::shared:
    case Space::shared_cluster:
        value = emitter.call(std::string("cuttle.cvta.") + to + "shared", ir.getInt64Ty(), {value});
        break;
    case Space::local:
        value = emitter.call(std::string("cuttle.cvta.") + to + "local", ir.getInt64Ty(), {value});
        break;
    case Space::global:
    case Space::constant:
    case Space::param:
        break;
    default:
        throw Error(instruction.where, "cvta lacks a state space");
    }
    emitter.write(instruction.operands[0], ir.CreateZExtOrTrunc(value, emitter.type_of(type)), type);
}

void lower_isspacep(Emitter& emitter, const Instruction& instruction) {
    require_operands(instruction, 2);
    llvm::Value* address = read_address(emitter, instruction.operands[1], Type::u64);
    const char* name = nullptr;
    switch (instruction.space()) {
    case Space::global:
        name = "cuttle.isspacep.global";
        break;
    case Space::shared:
        name = "cuttle.isspacep.shared";
        break;
    case Space::shared_cluster:
        name = "cuttle.isspacep.shared.cluster";
        break;
    case Space::local:
        name = "cuttle.isspacep.local";
        break;
    case Space::constant:
        return emitter.write(instruction.operands[0], is_constant(emitter, address), Type::pred);
    case Space::param:
        return emitter.write(instruction.operands[0], is_parameter(emitter, address), Type::pred);
    default:
        throw Error(instruction.where, "isspacep of this state space is not supported yet");
    }
    llvm::Value* inside = emitter.call(name, emitter.ir().getInt1Ty(), {address});
    // Constant variables and parameters lie in what else passes for global memory.
    if (instruction.space() == Space::global) {
        auto& ir = emitter.ir();
        inside = ir.CreateAnd(inside, ir.CreateNot(is_constant(emitter, address)));
        if (emitter.function().is_entry) inside = ir.CreateAnd(inside, ir.CreateNot(is_parameter(emitter, address)));
    }
    emitter.write(instruction.operands[0], inside, Type::pred);
}

namespace {

/// The .shared address (i32) of an operand that is one, or a generic one.
llvm::Value* read_shared(Emitter& emitter, const Instruction& instruction, const Operand& operand, Type type) {
    auto& ir = emitter.ir();
    llvm::Value* address = emitter.read(operand, type);
    if (instruction.space() == Space::generic)
        address = emitter.call("cuttle.cvta.to.shared", ir.getInt64Ty(), {ir.CreateZExt(address, ir.getInt64Ty())});
    return ir.CreateZExtOrTrunc(address, ir.getInt32Ty());
}

} // namespace

/// mapa{.shared::cluster}.type d, a, rank: the same place in another CTA of the cluster. PTX ISA 9.7.9.23.
void lower_mapa(Emitter& emitter, const Instruction& instruction) {
    require_operands(instruction, 3);
    Type type = address_type(instruction);
    auto& ir = emitter.ir();
    llvm::Value* address = read_shared(emitter, instruction, instruction.operands[1], type);
    llvm::Value* mapped = emitter.call("cuttle.cluster.map", ir.getInt32Ty(),
                                       {address, emitter.read(instruction.operands[2], Type::u32)});
    if (instruction.space() == Space::generic)
        mapped = emitter.call("cuttle.cvta.shared", ir.getInt64Ty(), {ir.CreateZExt(mapped, ir.getInt64Ty())});
    emitter.write(instruction.operands[0], ir.CreateZExtOrTrunc(mapped, emitter.type_of(type)), type);
}

/// PTX ISA 9.7.9.24.
void lower_getctarank(Emitter& emitter, const Instruction& instruction) {
    require_operands(instruction, 2);
    llvm::Value* address = read_shared(emitter, instruction, instruction.operands[1], address_type(instruction));
    llvm::Value* rank = emitter.call("cuttle.cluster.rank", emitter.ir().getInt32Ty(), {address});
    emitter.write(instruction.operands[0], rank, Type::u32);
}

/// alloca.type ptr, size{, align}; the pointer is a .local address. PTX ISA 9.7.17.3.
void lower_alloca(Emitter& emitter, const Instruction& instruction) {
    require_operands(instruction, 2);
    Type type = address_type(instruction);
    auto& ir = emitter.ir();
    auto* memory = ir.CreateAlloca(ir.getInt8Ty(), emitter.read(instruction.operands[1], type));
    uint64_t alignment = 8;
    if (instruction.operands.size() > 2) alignment = instruction.operands[2].integer;
    if (!llvm::isPowerOf2_64(alignment)) throw Error(instruction.where, "alignment is not a power of two");
    memory->setAlignment(llvm::Align(alignment));
    emitter.write(instruction.operands[0], ir.CreatePtrToInt(memory, emitter.type_of(type)), type);
}

void lower_stacksave(Emitter& emitter, const Instruction& instruction) {
    require_operands(instruction, 1);
    Type type = address_type(instruction);
    auto& ir = emitter.ir();
    emitter.write(instruction.operands[0], ir.CreatePtrToInt(ir.CreateStackSave(), emitter.type_of(type)), type);
}

void lower_stackrestore(Emitter& emitter, const Instruction& instruction) {
    require_operands(instruction, 1);
    auto& ir = emitter.ir();
    auto* type = ir.getPtrTy(emitter.module().getDataLayout().getAllocaAddrSpace());
    ir.CreateStackRestore(ir.CreateIntToPtr(emitter.read(instruction.operands[0], address_type(instruction)), type));
}

} // namespace ptx::ast_to_llvm

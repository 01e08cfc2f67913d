#include "llvm_to_code/pointers.h"

#include "llvm_to_code/machine.h"
#include "llvm_to_code/neutral.h"

#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <optional>

namespace ptx::code {
namespace {

llvm::PointerType* pointer_type(llvm::Type* type, const PointerMap& map) {
    const unsigned space = type->getPointerAddressSpace();
    if (space >= map.space.size()) fail("neutral IR has no address space " + std::to_string(space));
    return llvm::PointerType::get(type->getContext(), map.space[space]);
}

/// An address as a base that LLVM can tell from others, a stack variable or a kernel parameter, and a distance. As
/// integers alone, every access may alias every other, and no loop is vectorised.
struct Origin {
    llvm::Value* base;     // pointer or integer
    llvm::Value* distance; // null = 0
};

std::optional<Origin> origin_of(llvm::IRBuilder<>& ir, llvm::Value* address) {
    auto* instruction = llvm::dyn_cast<llvm::Instruction>(address);
    if (!instruction) return std::nullopt;
    if (auto* cast = llvm::dyn_cast<llvm::PtrToIntInst>(instruction)) return Origin{cast->getPointerOperand(), nullptr};
    if (auto* load = llvm::dyn_cast<llvm::LoadInst>(instruction);
        load && load->hasMetadata(llvm::LLVMContext::MD_invariant_load))
        return Origin{load, nullptr};
    const llvm::StringRef name = cuttle_name(*instruction);
    if (name == "cvta.local" || name == "cvta.to.local") return origin_of(ir, instruction->getOperand(0));
    if (instruction->getOpcode() != llvm::Instruction::Add) return std::nullopt;
    for (unsigned i : {0u, 1u}) {
        std::optional<Origin> origin = origin_of(ir, instruction->getOperand(i));
        if (!origin) continue;
        llvm::Value* other = instruction->getOperand(1 - i);
        origin->distance = origin->distance ? ir.CreateAdd(origin->distance, other) : other;
        return origin;
    }
    return std::nullopt;
}

llvm::Value* shared_pointer(llvm::IRBuilder<>& ir, llvm::Value* offset, const PointerMap& map) {
    llvm::Value* narrow = ir.CreateZExtOrTrunc(offset, ir.getInt32Ty());
    return ir.CreateGEP(ir.getInt8Ty(), map.shared(), ir.CreateZExt(narrow, ir.getInt64Ty()));
}

/// Replaces an inttoptr. `type` is the target's pointer type.
llvm::Value* pointer_to(llvm::Instruction& cast, unsigned space, llvm::PointerType* type, const PointerMap& map) {
    llvm::IRBuilder<> ir(&cast);
    llvm::Value* address = cast.getOperand(0);
    if (space == Space::shared) return shared_pointer(ir, address, map);
    const std::optional<Origin> origin = origin_of(ir, address);
    if (!origin) return ir.CreateIntToPtr(address, type);
    llvm::Value* base = origin->base;
    if (!base->getType()->isPointerTy())
        base = ir.CreateIntToPtr(base, type);
    else if (base->getType() != type)
        base = ir.CreateAddrSpaceCast(base, type);
    return origin->distance ? ir.CreateGEP(ir.getInt8Ty(), base, origin->distance) : base;
}

/// Null and undefined pointers, and addresses that are constants.
void map_constants(llvm::Instruction& instruction, const PointerMap& map) {
    for (llvm::Use& use : instruction.operands()) {
        auto* value = llvm::dyn_cast<llvm::Constant>(use.get());
        if (!value || !value->getType()->isPointerTy() || llvm::isa<llvm::GlobalValue>(value)) continue;
        llvm::PointerType* type = pointer_type(value->getType(), map);
        const bool shared = value->getType()->getPointerAddressSpace() == Space::shared;
        if (llvm::isa<llvm::UndefValue>(value))
            use.set(llvm::PoisonValue::get(type));
        else if (auto* address = llvm::dyn_cast<llvm::ConstantExpr>(value); address && !shared)
            use.set(llvm::ConstantExpr::getIntToPtr(llvm::ConstantExpr::getPtrToInt(
                                                        address, llvm::Type::getInt64Ty(type->getContext())),
                                                    type));
        else if (shared)
            use.set(map.shared()); // offset 0
        else
            use.set(llvm::ConstantPointerNull::get(type));
    }
}

void redeclare_intrinsic(llvm::CallInst& call) {
    llvm::SmallVector<llvm::Type*, 6> parameters;
    for (llvm::Value* argument : call.args()) parameters.push_back(argument->getType());
    auto* type = llvm::FunctionType::get(call.getType(), parameters, false);
    if (type == call.getFunctionType()) return;
    llvm::SmallVector<llvm::Type*, 4> overloaded;
    if (!llvm::Intrinsic::getIntrinsicSignature(call.getIntrinsicID(), type, overloaded))
        fail("intrinsic " + call.getCalledFunction()->getName().str() + " with pointers that the host cannot take");
    call.setCalledFunction(
        llvm::Intrinsic::getOrInsertDeclaration(call.getModule(), call.getIntrinsicID(), overloaded));
}

void map_instruction(llvm::Instruction& instruction, const PointerMap& map) {
    llvm::Type* type = instruction.getType();
    if (!type->isPointerTy()) return;
    const unsigned space = type->getPointerAddressSpace();
    llvm::PointerType* mapped = pointer_type(type, map);
    instruction.mutateType(mapped);
    llvm::Value* replacement = nullptr;
    if (llvm::isa<llvm::IntToPtrInst>(instruction)) replacement = pointer_to(instruction, space, mapped, map);
    if (llvm::isa<llvm::AddrSpaceCastInst>(instruction) && instruction.getOperand(0)->getType() == mapped)
        replacement = instruction.getOperand(0);
    if (!replacement) return;
    instruction.replaceAllUsesWith(replacement);
    instruction.eraseFromParent();
}

} // namespace

llvm::Value* pointer_operand(llvm::Instruction& instruction) {
    if (auto* load = llvm::dyn_cast<llvm::LoadInst>(&instruction)) return load->getPointerOperand();
    if (auto* store = llvm::dyn_cast<llvm::StoreInst>(&instruction)) return store->getPointerOperand();
    if (auto* update = llvm::dyn_cast<llvm::AtomicRMWInst>(&instruction)) return update->getPointerOperand();
    if (auto* exchange = llvm::dyn_cast<llvm::AtomicCmpXchgInst>(&instruction)) return exchange->getPointerOperand();
    return nullptr;
}

void map_pointers(llvm::Function& function, const PointerMap& map) {
    for (llvm::Instruction& instruction : llvm::instructions(function)) {
        if (!llvm::isa<llvm::LoadInst>(instruction)) continue;
        if (pointer_operand(instruction)->getType()->getPointerAddressSpace() == Space::constant)
            instruction.setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(function.getContext(), {}));
    }
    // Allocas have the target's space already (ptx::set_target), but for those of a library in neutral IR.
    const unsigned own = function.getDataLayout().getAllocaAddrSpace();
    // First: constants that come of casts have the target's spaces.
    for (llvm::Instruction& instruction : llvm::instructions(function)) map_constants(instruction, map);
    for (llvm::Instruction& instruction : llvm::make_early_inc_range(llvm::instructions(function))) {
        if (!llvm::isa<llvm::AllocaInst>(instruction) || instruction.getType()->getPointerAddressSpace() != own)
            map_instruction(instruction, map);
    }
    for (llvm::Instruction& instruction : llvm::instructions(function))
        if (auto* intrinsic = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction)) redeclare_intrinsic(*intrinsic);
}

} // namespace ptx::code

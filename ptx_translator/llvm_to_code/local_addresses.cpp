#include "llvm_to_code/local_addresses.h"

#include "llvm_to_code/neutral.h"

#include <llvm/ADT/DenseMap.h>
#include <llvm/ADT/PostOrderIterator.h>
#include <llvm/IR/Function.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IRBuilder.h>

#include <vector>

namespace ptx::code {
namespace {

/// What is known of an integer.
struct Origin {
    enum Kind { unknown, no_address, address, unclear } kind = unknown;
    llvm::AllocaInst* variable = nullptr; // of an address
    bool operator==(const Origin&) const = default;
};

/// Of a value that is one of two.
Origin either(Origin a, Origin b) {
    if (a.kind == Origin::unknown) return b;
    if (b.kind == Origin::unknown || a == b) return a;
    return {Origin::unclear};
}

Origin sum(Origin a, Origin b) {
    if (a.kind == Origin::unclear || b.kind == Origin::unclear) return {Origin::unclear};
    if (a.kind == Origin::unknown || b.kind == Origin::unknown) return {};
    if (a.kind == Origin::no_address) return b;
    return b.kind == Origin::no_address ? a : Origin{Origin::unclear};
}

Origin difference(Origin a, Origin b) {
    if (b.kind != Origin::address) return sum(a, b);
    if (a.kind == Origin::unknown) return {};
    return {a == b ? Origin::no_address : Origin::unclear};
}

class LocalAddresses {
  public:
    explicit LocalAddresses(llvm::Function& function) {
        for (llvm::BasicBlock* block : llvm::ReversePostOrderTraversal(&function))
            for (llvm::Instruction& instruction : *block) order_.push_back(&instruction);
    }

    void follow() {
        find_origins();
        if (origins_.empty()) return;
        make_offsets();
        for (llvm::Instruction* instruction : order_) replace(*instruction);
    }

  private:
    Origin origin(const llvm::Value* value) const {
        const auto found = origins_.find(value);
        if (found != origins_.end()) return found->second;
        return {llvm::isa<llvm::Instruction>(value) ? Origin::unknown : Origin::no_address};
    }

    Origin evaluate(const llvm::Instruction& instruction) const {
        if (auto* cast = llvm::dyn_cast<llvm::PtrToIntInst>(&instruction)) {
            auto* variable = llvm::dyn_cast<llvm::AllocaInst>(cast->getPointerOperand());
            if (!variable || !variable->isStaticAlloca()) return {Origin::no_address};
            return {Origin::address, const_cast<llvm::AllocaInst*>(variable)};
        }
        switch (instruction.getOpcode()) {
        case llvm::Instruction::Add:
            return sum(origin(instruction.getOperand(0)), origin(instruction.getOperand(1)));
        case llvm::Instruction::Sub:
            return difference(origin(instruction.getOperand(0)), origin(instruction.getOperand(1)));
        case llvm::Instruction::Trunc:
            return origin(instruction.getOperand(0));
        case llvm::Instruction::Select:
            return either(origin(instruction.getOperand(1)), origin(instruction.getOperand(2)));
        case llvm::Instruction::PHI: {
            Origin result;
            for (const llvm::Value* value : llvm::cast<llvm::PHINode>(instruction).incoming_values())
                result = either(result, origin(value));
            return result;
        }
        default:
            return {Origin::no_address};
        }
    }

    /// Each value's origin goes from unknown to unclear at most, so this ends.
    void find_origins() {
        if (llvm::none_of(order_, [this](const llvm::Instruction* instruction) {
                return evaluate(*instruction).kind == Origin::address;
            }))
            return;
        for (bool changed = true; changed;) {
            changed = false;
            for (const llvm::Instruction* instruction : order_) {
                if (!instruction->getType()->isIntegerTy()) continue;
                const Origin now = evaluate(*instruction);
                if (now == origin(instruction)) continue;
                origins_[instruction] = now;
                changed = true;
            }
        }
    }

    bool is_address(const llvm::Value* value) const { return origin(value).kind == Origin::address; }

    /// From the variable's start; what is no address is itself.
    llvm::Value* offset(llvm::Value* value) const {
        return is_address(value) ? static_cast<llvm::Value*>(offsets_.lookup(value)) : value;
    }

    /// In the width of the address. Behind each address, so that they dominate what it dominates.
    void make_offsets() {
        for (llvm::Instruction* instruction : order_)
            if (auto* phi = llvm::dyn_cast<llvm::PHINode>(instruction); phi && is_address(phi))
                offsets_[phi] = llvm::IRBuilder<>(phi).CreatePHI(phi->getType(), phi->getNumIncomingValues());
        for (llvm::Instruction* instruction : order_)
            if (is_address(instruction) && !llvm::isa<llvm::PHINode>(instruction))
                offsets_[instruction] = make_offset(*instruction);
        for (llvm::Instruction* instruction : order_) {
            auto* phi = llvm::dyn_cast<llvm::PHINode>(instruction);
            if (!phi || !is_address(phi)) continue;
            auto* offsets = llvm::cast<llvm::PHINode>(offsets_[phi]);
            for (unsigned i = 0; i < phi->getNumIncomingValues(); i++)
                offsets->addIncoming(offset(phi->getIncomingValue(i)), phi->getIncomingBlock(i));
        }
    }

    llvm::Value* make_offset(llvm::Instruction& address) const {
        llvm::IRBuilder<> ir(&address);
        switch (address.getOpcode()) {
        case llvm::Instruction::PtrToInt:
            return llvm::ConstantInt::get(address.getType(), 0);
        case llvm::Instruction::Add:
            return ir.CreateAdd(offset(address.getOperand(0)), offset(address.getOperand(1)));
        case llvm::Instruction::Sub:
            return ir.CreateSub(offset(address.getOperand(0)), offset(address.getOperand(1)));
        case llvm::Instruction::Trunc:
            return ir.CreateTrunc(offset(address.getOperand(0)), address.getType());
        default: // select
            return ir.CreateSelect(address.getOperand(0), offset(address.getOperand(1)), offset(address.getOperand(2)));
        }
    }

    void replace(llvm::Instruction& instruction) const {
        llvm::IRBuilder<> ir(&instruction);
        if (auto* cast = llvm::dyn_cast<llvm::IntToPtrInst>(&instruction)) {
            llvm::Value* address = cast->getOperand(0);
            if (cast->getType()->getPointerAddressSpace() != Space::local || !is_address(address)) return;
            cast->replaceAllUsesWith(
                ir.CreateGEP(ir.getInt8Ty(), origin(address).variable, offset(address), cast->getName()));
            cast->eraseFromParent();
            return;
        }
        // An unsigned or signed order needs the address itself.
        auto* compare = llvm::dyn_cast<llvm::ICmpInst>(&instruction);
        const bool compares = compare && compare->isEquality();
        if (!compares && instruction.getOpcode() != llvm::Instruction::Sub) return;
        llvm::Value* a = instruction.getOperand(0);
        llvm::Value* b = instruction.getOperand(1);
        if (!is_address(a) || origin(a) != origin(b)) return;
        instruction.setOperand(0, offset(a));
        instruction.setOperand(1, offset(b));
    }

    std::vector<llvm::Instruction*> order_; // definitions come first, but for phis' operands
    llvm::DenseMap<const llvm::Value*, Origin> origins_;
    llvm::DenseMap<const llvm::Value*, llvm::Value*> offsets_;
};

} // namespace

void follow_local_addresses(llvm::Function& function) { LocalAddresses(function).follow(); }

} // namespace ptx::code

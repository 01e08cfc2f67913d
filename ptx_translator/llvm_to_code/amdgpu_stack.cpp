#include "llvm_to_code/amdgpu_stack.h"

#include <llvm/ADT/DenseMap.h>
#include <llvm/ADT/MapVector.h>
#include <llvm/ADT/SetVector.h>
#include <llvm/IR/Function.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <algorithm>
#include <set>

namespace ptx::code {
namespace {

/// An access costs two instructions for each.
constexpr size_t most_offsets = 8;

class StackVariable {
  public:
    explicit StackVariable(llvm::AllocaInst& variable)
        : variable_(variable), layout_(variable.getModule()->getDataLayout()) {}

    void take_apart() {
        if (!follow() || !stays_inside()) return;
        for (llvm::Instruction* access : accesses_) replace(*access);
        // Used by each other only.
        for (const auto& [address, offsets] : offsets_)
            if (address != &variable_) address->replaceAllUsesWith(llvm::PoisonValue::get(address->getType()));
        for (const auto& [address, offsets] : offsets_)
            if (address != &variable_) llvm::cast<llvm::Instruction>(address)->eraseFromParent();
    }

  private:
    using Offsets = std::set<int64_t>;

    /// Finds all addresses and accesses; false if there is a use of another kind.
    bool follow() {
        if (!variable_.isStaticAlloca() || !variable_.getAllocationSize(layout_)) return false;
        offsets_[&variable_] = {0};
        llvm::SmallVector<llvm::Value*, 16> changed{&variable_};
        while (!changed.empty()) {
            llvm::Value* address = changed.pop_back_val();
            for (llvm::User* user : address->users())
                if (!follow(*llvm::cast<llvm::Instruction>(user), *address, changed)) return false;
        }
        return std::all_of(offsets_.begin(), offsets_.end(), [&](const auto& entry) {
            const auto known = [&](const llvm::Value* value) {
                return offsets_.contains(const_cast<llvm::Value*>(value));
            };
            if (auto* phi = llvm::dyn_cast<llvm::PHINode>(entry.first))
                return llvm::all_of(phi->incoming_values(), known);
            auto* select = llvm::dyn_cast<llvm::SelectInst>(entry.first);
            return !select || (known(select->getTrueValue()) && known(select->getFalseValue()));
        });
    }

    /// Offsets only become more, up to a number, so this ends.
    bool follow(llvm::Instruction& user, llvm::Value& address, llvm::SmallVectorImpl<llvm::Value*>& changed) {
        int64_t distance = 0;
        switch (user.getOpcode()) {
        case llvm::Instruction::Load:
            if (!llvm::cast<llvm::LoadInst>(user).isSimple()) return false;
            accesses_.insert(&user);
            return true;
        case llvm::Instruction::Store:
            if (!llvm::cast<llvm::StoreInst>(user).isSimple() || user.getOperand(0) == &address) return false;
            accesses_.insert(&user);
            return true;
        case llvm::Instruction::IntToPtr:
            if (user.getType()->getPointerAddressSpace() != variable_.getAddressSpace()) return false;
            break;
        case llvm::Instruction::PtrToInt:
        case llvm::Instruction::PHI:
            break;
        case llvm::Instruction::Trunc:
            if (user.getType()->getIntegerBitWidth() < layout_.getPointerSizeInBits(variable_.getAddressSpace()))
                return false;
            break;
        case llvm::Instruction::Select:
            if (user.getOperand(0) == &address) return false;
            break;
        case llvm::Instruction::Add: {
            auto* constant = llvm::dyn_cast<llvm::ConstantInt>(user.getOperand(user.getOperand(0) == &address));
            if (!constant) return false;
            distance = constant->getSExtValue();
            break;
        }
        case llvm::Instruction::GetElementPtr: {
            llvm::APInt constant(layout_.getIndexTypeSizeInBits(user.getType()), 0);
            if (!llvm::cast<llvm::GetElementPtrInst>(user).accumulateConstantOffset(layout_, constant)) return false;
            distance = constant.getSExtValue();
            break;
        }
        default:
            return false;
        }
        Offsets& offsets = offsets_[&user];
        const size_t before = offsets.size();
        for (const int64_t offset : Offsets(offsets_[&address])) offsets_[&user].insert(offset + distance);
        const size_t after = offsets_[&user].size();
        if (after != before) changed.push_back(&user);
        return after <= most_offsets;
    }

    llvm::Value* address_of(llvm::Instruction& access) const {
        return access.getOperand(llvm::isa<llvm::StoreInst>(access) ? 1 : 0);
    }

    bool stays_inside() {
        const auto size = static_cast<int64_t>(variable_.getAllocationSize(layout_)->getFixedValue());
        return std::all_of(accesses_.begin(), accesses_.end(), [&](llvm::Instruction* access) {
            const auto bytes = static_cast<int64_t>(layout_.getTypeStoreSize(llvm::getLoadStoreType(access)));
            const Offsets& offsets = offsets_[address_of(*access)];
            return *offsets.begin() >= 0 && *offsets.rbegin() + bytes <= size;
        });
    }

    /// Which of its offsets the address has.
    llvm::Value* offset(llvm::Value* address) {
        llvm::Type* type = llvm::Type::getInt32Ty(variable_.getContext());
        const Offsets& known = offsets_[address];
        if (known.size() == 1) return llvm::ConstantInt::getSigned(type, *known.begin());
        if (const auto made = made_.find(address); made != made_.end()) return made->second;
        auto* instruction = llvm::cast<llvm::Instruction>(address);
        llvm::IRBuilder<> ir(instruction);
        if (auto* phi = llvm::dyn_cast<llvm::PHINode>(instruction)) {
            llvm::PHINode* copy = ir.CreatePHI(type, phi->getNumIncomingValues());
            made_[address] = copy;
            for (unsigned i = 0; i < phi->getNumIncomingValues(); ++i)
                copy->addIncoming(offset(phi->getIncomingValue(i)), phi->getIncomingBlock(i));
            return copy;
        }
        llvm::Value* result;
        if (auto* select = llvm::dyn_cast<llvm::SelectInst>(instruction)) {
            llvm::Value* yes = offset(select->getTrueValue());
            result = ir.CreateSelect(select->getCondition(), yes, offset(select->getFalseValue()));
        } else {
            const unsigned operand = offsets_.contains(instruction->getOperand(0)) ? 0 : 1;
            llvm::Value* from = offset(instruction->getOperand(operand));
            // The least offset comes from the least.
            const int64_t distance = *known.begin() - *offsets_[instruction->getOperand(operand)].begin();
            result = ir.CreateAdd(from, llvm::ConstantInt::getSigned(type, distance));
        }
        return made_[address] = result;
    }

    void replace(llvm::Instruction& access) {
        llvm::IRBuilder<> ir(&access);
        llvm::Type* type = llvm::getLoadStoreType(&access);
        const Offsets offsets = offsets_[address_of(access)];
        llvm::Value* actual = offset(address_of(access));
        llvm::Value* result = nullptr;
        for (const int64_t each : offsets) {
            llvm::Value* place = ir.CreateConstInBoundsGEP1_64(ir.getInt8Ty(), &variable_, static_cast<uint64_t>(each));
            const llvm::Align align = llvm::commonAlignment(variable_.getAlign(), static_cast<uint64_t>(each));
            llvm::Value* is_it = offsets.size() == 1 ? ir.getTrue() : ir.CreateICmpEQ(actual, ir.getInt32(each));
            if (auto* store = llvm::dyn_cast<llvm::StoreInst>(&access)) {
                llvm::Value* value = store->getValueOperand();
                if (offsets.size() > 1) value = ir.CreateSelect(is_it, value, ir.CreateAlignedLoad(type, place, align));
                ir.CreateAlignedStore(value, place, align);
            } else {
                llvm::Value* value = ir.CreateAlignedLoad(type, place, align);
                result = result ? ir.CreateSelect(is_it, value, result) : value;
            }
        }
        if (result) access.replaceAllUsesWith(result);
        access.eraseFromParent();
    }

    llvm::AllocaInst& variable_;
    const llvm::DataLayout& layout_;
    llvm::MapVector<llvm::Value*, Offsets> offsets_; // of each address
    llvm::DenseMap<llvm::Value*, llvm::Value*> made_;
    llvm::SmallSetVector<llvm::Instruction*, 32> accesses_;
};

} // namespace

void take_stack_variables_apart(llvm::Function& function) {
    llvm::SmallVector<llvm::AllocaInst*, 8> variables;
    for (llvm::Instruction& instruction : llvm::instructions(function))
        if (auto* variable = llvm::dyn_cast<llvm::AllocaInst>(&instruction)) variables.push_back(variable);
    for (llvm::AllocaInst* variable : variables) StackVariable(*variable).take_apart();
}

} // namespace ptx::code

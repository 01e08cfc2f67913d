#include "simt_to_simd/narrow_masks.h"

#include <llvm/ADT/STLExtras.h>
#include <llvm/IR/CFG.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/IRBuilder.h>

#include <optional>

namespace ptx::simd {
namespace {

using llvm::dyn_cast;
using llvm::Value;

/// Lanes side by side: so many, from the first on.
struct Lanes {
    unsigned first = 0, count = 0;
};

/// Those of the mask, if it is constant; a power of two, and not all.
std::optional<Lanes> lanes_of(const Value* mask) {
    const auto* constant = dyn_cast<llvm::Constant>(mask);
    const auto* type = dyn_cast<llvm::FixedVectorType>(mask->getType());
    if (!constant || !type) return std::nullopt;
    Lanes lanes;
    for (unsigned i = 0; i < type->getNumElements(); ++i) {
        const auto* bit = llvm::dyn_cast_or_null<llvm::ConstantInt>(constant->getAggregateElement(i));
        if (!bit) return std::nullopt;
        if (bit->isZero()) continue;
        if (lanes.count == 0) lanes.first = i;
        if (lanes.first + lanes.count++ != i) return std::nullopt;
    }
    if (!llvm::isPowerOf2_32(lanes.count) || lanes.count == type->getNumElements()) return std::nullopt;
    return lanes;
}

/// Whether the value is zero in all other lanes, or anything.
bool is_nothing(const Value* value, Lanes lanes) {
    const auto* constant = dyn_cast<llvm::Constant>(value);
    if (!constant) return false;
    for (unsigned i = 0; i < llvm::cast<llvm::FixedVectorType>(value->getType())->getNumElements(); ++i) {
        const llvm::Constant* one = constant->getAggregateElement(i);
        const bool loaded = i >= lanes.first && i < lanes.first + lanes.count;
        if (!loaded && !(one && (one->isNullValue() || llvm::isa<llvm::UndefValue>(one)))) return false;
    }
    return true;
}

Value* address_of(llvm::IRBuilder<>& ir, Value* pointer, llvm::Type* element, Lanes lanes) {
    return lanes.first == 0 ? pointer : ir.CreateConstGEP1_64(element, pointer, lanes.first);
}

Value* load(llvm::IRBuilder<>& ir, Value* pointer, llvm::FixedVectorType* type, Lanes lanes) {
    llvm::Type* element = type->getElementType();
    auto* narrow = llvm::FixedVectorType::get(element, lanes.count);
    Value* loaded = ir.CreateAlignedLoad(narrow, address_of(ir, pointer, element, lanes), llvm::Align(1));
    llvm::SmallVector<int, 32> order;
    for (unsigned i = 0; i < type->getNumElements(); ++i)
        order.push_back(int(i >= lanes.first && i < lanes.first + lanes.count ? i - lanes.first : lanes.count));
    return ir.CreateShuffleVector(loaded, llvm::Constant::getNullValue(narrow), order);
}

/// Where the masked load is one of two ways to load, of which the other loads all lanes from there: what both end in.
llvm::PHINode* choice_of(llvm::IntrinsicInst& masked, Value* pointer) {
    auto* phi = masked.hasOneUse() ? dyn_cast<llvm::PHINode>(*masked.user_begin()) : nullptr;
    if (!phi || phi->getNumIncomingValues() != 2) return nullptr;
    const auto* other = dyn_cast<llvm::LoadInst>(phi->getIncomingValue(phi->getIncomingValue(0) == &masked));
    if (!other || !other->isSimple() || other->getPointerOperand() != pointer || other->getType() != masked.getType())
        return nullptr;
    const llvm::BasicBlock* before = phi->getIncomingBlock(0)->getSinglePredecessor();
    if (!before || phi->getIncomingBlock(1)->getSinglePredecessor() != before || llvm::pred_size(phi->getParent()) != 2)
        return nullptr;
    for (const llvm::BasicBlock* way : phi->blocks())
        if (llvm::any_of(*way, [](const llvm::Instruction& one) { return one.mayHaveSideEffects(); })) return nullptr;
    const bool each_in_its_way = llvm::is_contained(phi->blocks(), masked.getParent()) &&
                                 llvm::is_contained(phi->blocks(), other->getParent()) &&
                                 masked.getParent() != other->getParent();
    return each_in_its_way ? phi : nullptr;
}

} // namespace

void narrow_constant_masks(llvm::Function& function) {
    llvm::SmallVector<llvm::IntrinsicInst*, 8> accesses;
    for (llvm::Instruction& instruction : llvm::instructions(function))
        if (auto* access = dyn_cast<llvm::IntrinsicInst>(&instruction);
            access && (access->getIntrinsicID() == llvm::Intrinsic::masked_load ||
                       access->getIntrinsicID() == llvm::Intrinsic::masked_store))
            accesses.push_back(access);
    for (llvm::IntrinsicInst* access : accesses) {
        if (access->getIntrinsicID() == llvm::Intrinsic::masked_store) {
            Value *value = access->getArgOperand(0), *pointer = access->getArgOperand(1);
            const auto lanes = lanes_of(access->getArgOperand(access->arg_size() - 1));
            if (!lanes) continue;
            llvm::IRBuilder<> ir(access);
            llvm::SmallVector<int, 32> order;
            for (unsigned i = 0; i < lanes->count; ++i) order.push_back(int(lanes->first + i));
            llvm::Type* element = llvm::cast<llvm::FixedVectorType>(value->getType())->getElementType();
            ir.CreateAlignedStore(ir.CreateShuffleVector(value, order), address_of(ir, pointer, element, *lanes),
                                  llvm::Align(1));
            access->eraseFromParent();
            continue;
        }
        Value *pointer = access->getArgOperand(0), *rest = access->getArgOperand(access->arg_size() - 1);
        const auto lanes = lanes_of(access->getArgOperand(access->arg_size() - 2));
        if (!lanes || !is_nothing(rest, *lanes)) continue;
        llvm::PHINode* phi = choice_of(*access, pointer);
        llvm::IRBuilder<> ir(access);
        if (phi) ir.SetInsertPoint(access->getParent()->getSinglePredecessor()->getTerminator());
        Value* loaded = load(ir, pointer, llvm::cast<llvm::FixedVectorType>(access->getType()), *lanes);
        if (phi) {
            phi->replaceAllUsesWith(loaded);
            phi->eraseFromParent();
        } else {
            access->replaceAllUsesWith(loaded);
        }
        access->eraseFromParent();
    }
}

} // namespace ptx::simd

// Stores under masks that write back what lanes that are elsewhere have there: cheaper than to ask which lanes are
// here, or than masked stores where the processor has no registers for masks.
#include "simt_to_simd/widener.h"

#include <llvm/IR/Dominators.h>

namespace ptx::simd {

/// Whether all lanes have loaded from where the store goes: so it is all there.
bool Widener::is_loaded_by_all(const llvm::StoreInst& store) const {
    const llvm::Value* pointer = store.getPointerOperand();
    return llvm::any_of(pointer->users(), [&](const llvm::User* user) {
        const auto* load = llvm::dyn_cast<llvm::LoadInst>(user);
        return load && load->isSimple() && load->getType() == store.getValueOperand()->getType() &&
               !shapes_.is_masked(load->getParent()) && !shapes_.is_of_one_lane(load->getParent()) &&
               dominators_.dominates(load, &store);
    });
}

/// In memory that nobody else stores to meanwhile.
bool Widener::is_blend(const llvm::StoreInst& store) const {
    const llvm::Value* pointer = store.getPointerOperand();
    llvm::Type* type = store.getValueOperand()->getType();
    bool backwards = false;
    if (machine_.bit_masks || !store.isSimple() || type->isPointerTy() || !shapes_.is_masked(store.getParent()) ||
        shapes_.is_of_one_lane(store.getParent()) || slots_.abridged.contains(&store) || shapes_.of(pointer).assumed ||
        !is_own_memory(pointer) || !is_loaded_by_all(store))
        return false;
    if (is_contiguous(pointer, type, backwards)) return !backwards && rows_of(pointer) == tile_.rows;
    const auto elements = elements_of(pointer, type);
    return elements && is_stored_between(*elements);
}

/// What is stored back. LLVM makes a masked store of a selection between a value and what was there, which takes some
/// processors 20 times as long, unless the load is volatile.
llvm::Value* Widener::load_former(llvm::Type* type, llvm::Value* place, llvm::Align align) {
    return ir_.CreateAlignedLoad(type, place, align, !machine_.bit_masks);
}

void Widener::blend(llvm::StoreInst& store, llvm::Value* mask) {
    llvm::Value *wide = vector(store.getValueOperand()), *pointer = store.getPointerOperand();
    auto* type = llvm::FixedVectorType::get(store.getValueOperand()->getType(), tile_.columns);
    for (unsigned row = 0; row < tile_.rows; ++row) {
        llvm::SmallVector<int, 32> lanes;
        for (unsigned i = 0; i < tile_.columns; ++i) lanes.push_back(int(row * tile_.columns + i));
        const auto part = [&](llvm::Value* value) {
            return tile_.rows == 1 ? value : ir_.CreateShuffleVector(value, lanes);
        };
        llvm::Value *place = base(pointer, row), *before = load_former(type, place, store.getAlign());
        ir_.CreateAlignedStore(ir_.CreateSelect(part(mask), part(wide), before), place, store.getAlign());
    }
}

/// A block of stores by which nothing changes when no lane is there, unless it is easy to see that none is.
bool Widener::only_blends(const llvm::BasicBlock& block) const {
    constexpr unsigned most = 4;
    unsigned count = 0;
    for (const llvm::Instruction& instruction : block) {
        if (instruction.isTerminator()) continue;
        const auto* store = llvm::dyn_cast<llvm::StoreInst>(&instruction);
        if (!store || !is_blend(*store) || ++count > most) return false;
    }
    const llvm::BasicBlock* before = block.getSinglePredecessor();
    const auto* branch = before ? llvm::dyn_cast<llvm::BranchInst>(before->getTerminator()) : nullptr;
    return llvm::succ_size(&block) == 1 && branch && branch->isConditional() &&
           !shapes_.is_monotone(branch->getCondition());
}

} // namespace ptx::simd

// Slots in which threads keep things from phase to phase.
#include "simt_to_simd/widener.h"

namespace ptx::simd {

using llvm::Value;

/// All lanes are loaded and compared with what the first column's value makes of them, unless slots are abridged.
void Widener::widen_guess(llvm::LoadInst& load) {
    llvm::SmallVector<Value*, 2> rows;
    for (unsigned row = 0; row < rows_of(&load); ++row)
        rows.push_back(ir_.CreateAlignedLoad(load.getType(), base(load.getPointerOperand(), row), load.getAlign()));
    bases_[&load] = rows;
    const auto is_as_guessed = [&]() -> Value* {
        Value* wide = load_contiguous(load, false, masks_[current_]);
        Value* guessed = spread(ir_, rows[0], shapes_.of(&load).stride, rows);
        return ir_.CreateIsNull(ir_.CreateOrReduce(ir_.CreateXor(wide, guessed)));
    };
    const bool may_be_abridged = slots_.abridged.contains(&load);
    entry_guards_.push_back(may_be_abridged ? choose(
                                                  abridged_, [&]() -> Value* { return ir_.getTrue(); }, is_as_guessed)
                                            : is_as_guessed());
}

/// Stores to a slot that may be abridged: both ways. False: it cannot be.
bool Widener::store_abridged(llvm::StoreInst& store) {
    Value *pointer = store.getPointerOperand(), *value = store.getValueOperand();
    const Shape place = shapes_.of(pointer);
    if (masks_[current_] || guard(value) || guard(pointer) || !shapes_.of(value).is_regular() || !place.is_regular())
        return false;
    const unsigned rows = slots_.abridged.lookup(&store) ? tile_.rows : 1;
    const auto first_column = [&]() -> Value* {
        for (unsigned row = 0; row < rows; ++row)
            ir_.CreateAlignedStore(base(value, row), base(pointer, row), store.getAlign());
        return nullptr;
    };
    choose(abridged_, first_column, [&]() -> Value* { return store_contiguous(store, nullptr), nullptr; });
    return true;
}

} // namespace ptx::simd

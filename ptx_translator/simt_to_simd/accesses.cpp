// What instructions become that touch memory.
#include "simt_to_simd/widener.h"

#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/IR/Module.h>

namespace ptx::simd {

using llvm::BasicBlock;
using llvm::cast;
using llvm::dyn_cast;
using llvm::Instruction;
using llvm::isa;
using llvm::Value;

bool Widener::is_contiguous(const Value* pointer, const llvm::Type* type, bool& backwards) const {
    const Shape shape = shapes_.of(pointer);
    const auto size = int64_t(data_.getTypeStoreSize(const_cast<llvm::Type*>(type)).getFixedValue());
    backwards = shape.stride == -size;
    return shape.is_regular() && data_.getTypeSizeInBits(const_cast<llvm::Type*>(type)).getFixedValue() % 8 == 0 &&
           (shape.stride == size || backwards);
}

void Widener::widen_load(llvm::LoadInst& load) {
    if (const Bundle* bundle = bundles_.of(&load)) {
        if (bundle->doer() == &load) load_bundle(*bundle);
        return;
    }
    Value* pointer = load.getPointerOperand();
    if (!load.isSimple()) return one_by_one(load);
    if (shapes_.is_guess(&load)) return widen_guess(load);
    if (shapes_.of(&load).is_regular()) return widen_regular(load);
    bool backwards = false;
    if (!is_contiguous(pointer, load.getType(), backwards)) return note(load, load_scattered(load));
    Value* mask = masks_[current_];
    if (!mask && !backwards) prefetch(load), prefetch_round(load);
    const auto contiguous = [&]() -> Value* {
        const bool by_mask = has_masked_accesses(load.getType());
        if (!mask || (by_mask && machine_.bit_masks)) return load_contiguous(load, backwards, mask);
        const auto some = [&] { return by_mask ? load_contiguous(load, backwards, mask) : load_some(load); };
        // Some lane is there, and so is all of its page.
        if (rows_of(pointer) == 1)
            return choose(
                is_in_one_page(load, backwards), [&] { return load_contiguous(load, backwards, nullptr); }, some);
        if (by_mask) return some();
        if (machine_.brief_masks) return gather(load);
        return choose(are_all(mask), [&] { return load_contiguous(load, backwards, nullptr); }, some);
    };
    Value* condition = guard(pointer);
    // Sums wrap around where addresses are wrong: short code is enough.
    note(load, condition ? choose(condition, contiguous, [&] { return load_some(load); }) : contiguous());
}

/// Whether the processor loads and stores what a mask says of such vectors. LLVM makes a test for each lane of others.
bool Widener::has_masked_accesses(llvm::Type* type) const {
    llvm::Type* row = llvm::FixedVectorType::get(type, tile_.columns);
    return machine_.costs.isLegalMaskedLoad(row, llvm::Align(1), 0) &&
           machine_.costs.isLegalMaskedStore(row, llvm::Align(1), 0);
}

/// Whether what the lanes load, which is contiguous and in one row, is in one page of memory.
Value* Widener::is_in_one_page(llvm::LoadInst& load, bool backwards) {
    const auto size = int64_t(data_.getTypeStoreSize(load.getType()).getFixedValue());
    const int64_t bytes = size * tile_.columns, from = backwards ? size - bytes : 0;
    Value* first = ir_.CreatePtrToInt(base(load.getPointerOperand()), ir_.getInt64Ty());
    first = ir_.CreateAnd(ir_.CreateAdd(first, ir_.getInt64(uint64_t(from))), page - 1);
    return ir_.CreateICmpULE(first, ir_.getInt64(page - uint64_t(bytes)));
}

Value* Widener::load_contiguous(llvm::LoadInst& load, bool backwards, Value* mask) {
    llvm::Type *type = load.getType(), *row_type = llvm::FixedVectorType::get(type, tile_.columns);
    Value* pointer = load.getPointerOperand();
    const unsigned rows = tile_.rows == 1 || !mask ? rows_of(pointer) : tile_.rows;
    const auto size = int64_t(data_.getTypeStoreSize(type).getFixedValue());
    llvm::SmallVector<int, 32> reversed, all;
    for (unsigned i = 0; i < tile_.columns; ++i) reversed.push_back(int(tile_.columns - 1 - i));
    Value* result = nullptr;
    for (unsigned row = 0; row < rows; ++row) {
        Value* first = base(pointer, row);
        if (backwards) first = ir_.CreateConstGEP1_64(ir_.getInt8Ty(), first, uint64_t(-size * (tile_.columns - 1)));
        const llvm::Align align = backwards ? llvm::Align(1) : load.getAlign();
        Value* part = nullptr;
        if (!mask) {
            part = ir_.CreateAlignedLoad(row_type, first, align);
        } else {
            llvm::SmallVector<int, 32> lanes;
            for (unsigned i = 0; i < tile_.columns; ++i)
                lanes.push_back(int(row * tile_.columns + (backwards ? tile_.columns - 1 - i : i)));
            Value* row_mask = tile_.rows == 1 && !backwards ? mask : ir_.CreateShuffleVector(mask, lanes);
            // Without registers for masks, masked loads of what is in no cache take long.
            const auto masked = [&] {
                return ir_.CreateMaskedLoad(row_type, first, align, row_mask, llvm::Constant::getNullValue(row_type));
            };
            if (machine_.bit_masks || machine_.brief_masks)
                part = masked();
            else
                part = choose(
                    are_all(row_mask), [&]() -> Value* { return ir_.CreateAlignedLoad(row_type, first, align); },
                    [&]() -> Value* { return masked(); });
        }
        if (backwards) part = ir_.CreateShuffleVector(part, reversed);
        // Rows side by side; equal rows once.
        all.clear();
        for (unsigned lane = 0; lane < lanes_; ++lane) {
            const unsigned which = lane / tile_.columns, column = lane % tile_.columns;
            all.push_back(int(row == 0 || which != row ? (row == 0 ? column : lane) : lanes_ + column));
        }
        if (tile_.rows == 1) {
            result = part;
        } else if (row == 0) {
            result = ir_.CreateShuffleVector(part, all);
        } else {
            llvm::SmallVector<int, 32> widen;
            for (unsigned lane = 0; lane < lanes_; ++lane) widen.push_back(int(lane % tile_.columns));
            result = ir_.CreateShuffleVector(result, ir_.CreateShuffleVector(part, widen), all);
        }
    }
    return result;
}

void Widener::widen_store(llvm::StoreInst& store) {
    if (const Bundle* bundle = bundles_.of(&store)) {
        if (bundle->doer() == &store) store_bundle(*bundle);
        return;
    }
    Value *pointer = store.getPointerOperand(), *value = store.getValueOperand();
    if (!store.isSimple()) return one_by_one(store);
    const Shape shape = shapes_.of(pointer);
    // The lanes agree on what they store, or it does not matter whose is left.
    if (shape.is_uniform() && !shape.assumed && shapes_.of(value).is_uniform()) {
        ir_.CreateAlignedStore(base(value), base(pointer), store.getAlign());
        return;
    }
    bool backwards = false;
    if (slots_.abridged.contains(&store)) {
        failed_ |= !store_abridged(store);
        return;
    }
    if (!is_contiguous(pointer, value->getType(), backwards) || backwards) return scatter(store);
    Value* mask = masks_[current_];
    if (mask && is_blend(store)) return blend(store, mask);
    if (!mask) prefetch(store);
    const auto contiguous = [&]() -> Value* {
        if (!mask || has_masked_accesses(value->getType()))
            store_contiguous(store, mask);
        else if (machine_.brief_masks)
            one_by_one(store);
        else
            choose(
                are_all(mask), [&]() -> Value* { return store_contiguous(store, nullptr), nullptr; },
                [&]() -> Value* { return one_by_one(store), nullptr; });
        return nullptr;
    };
    if (Value* condition = guard(pointer))
        choose(condition, contiguous, [&]() -> Value* { return one_by_one(store), nullptr; });
    else
        contiguous();
}

void Widener::store_contiguous(llvm::StoreInst& store, Value* mask) {
    Value *wide = vector(store.getValueOperand()), *pointer = store.getPointerOperand();
    // Rows in one place are stored over each other, the last one wins, lane by lane.
    for (unsigned row = 0; row < tile_.rows; ++row) {
        llvm::SmallVector<int, 32> lanes;
        for (unsigned i = 0; i < tile_.columns; ++i) lanes.push_back(int(row * tile_.columns + i));
        Value* part = tile_.rows == 1 ? wide : ir_.CreateShuffleVector(wide, lanes);
        Value* first = base(pointer, row);
        const auto plain = [&]() -> Value* {
            ir_.CreateAlignedStore(part, first, store.getAlign());
            return nullptr;
        };
        if (!mask) {
            plain();
            continue;
        }
        Value* row_mask = tile_.rows == 1 ? mask : ir_.CreateShuffleVector(mask, lanes);
        const auto masked = [&]() -> Value* {
            ir_.CreateMaskedStore(part, first, store.getAlign(), row_mask);
            return nullptr;
        };
        // They are slow on some processors, and mostly all lanes are there.
        if (machine_.brief_masks)
            masked();
        else
            choose(are_all(row_mask), plain, masked);
    }
}

/// Vectors of which single lanes are asked for by number lie in memory.
Value* Widener::in_memory(Value* wide) {
    llvm::AllocaInst*& place = memory_[wide];
    if (place) return place;
    IR entry(entry_, entry_->begin());
    llvm::Type* type = wide->getType();
    if (type->getScalarType()->isIntegerTy(1)) type = widened(ir_.getInt8Ty());
    place = entry.CreateAlloca(type);
    ir_.CreateStore(type == wide->getType() ? wide : ir_.CreateZExt(wide, type), place);
    return place;
}

/// Addresses are computed for the lane from what they are made of: half as wide, and the processor adds.
static bool is_cheap(const Instruction& instruction) {
    const llvm::Type* type = instruction.getType();
    if (!type->isPointerTy() && !type->isIntegerTy(64)) return false;
    switch (instruction.getOpcode()) {
    case Instruction::SExt:
    case Instruction::ZExt:
    case Instruction::GetElementPtr:
    case Instruction::IntToPtr:
    case Instruction::PtrToInt:
    case Instruction::Add:
        return true;
    case Instruction::Shl:
    case Instruction::Mul:
        return isa<llvm::Constant>(instruction.getOperand(1));
    default:
        return false;
    }
}

/// What in_lane() will want from memory is stored here, in front of a loop over lanes.
void Widener::prepare_lanes(Value* value) {
    if (isa<llvm::Constant>(value)) return;
    const Shape shape = shapes_.of(value);
    if (shape.is_regular() && !shape.by_row && !shape.assumed) return;
    auto* instruction = dyn_cast<Instruction>(value);
    if (instruction && is_cheap(*instruction) && (!shape.is_regular() || shape.assumed)) {
        for (Value* operand : instruction->operands()) prepare_lanes(operand);
        return;
    }
    in_memory(vector(value));
}

Value* Widener::in_lane(Value* value, Value* lane) {
    if (isa<llvm::Constant>(value)) return value;
    const Shape shape = shapes_.of(value);
    auto* number = dyn_cast<llvm::ConstantInt>(lane);
    if (shape.is_regular() && !shape.assumed && (!shape.by_row || number)) {
        const unsigned row = number ? unsigned(number->getZExtValue()) / tile_.columns : 0;
        Value* first = base(value, row);
        if (shape.stride == 0) return first;
        llvm::Type* type = value->getType()->isPointerTy() ? ir_.getInt64Ty() : value->getType();
        Value* column = ir_.CreateURem(lane, ir_.getInt32(tile_.columns));
        Value* way = ir_.CreateMul(ir_.CreateZExtOrTrunc(column, type),
                                   llvm::ConstantInt::get(type, uint64_t(shape.stride), false, true));
        return type == value->getType() ? ir_.CreateAdd(first, way) : ir_.CreateGEP(ir_.getInt8Ty(), first, way);
    }
    auto* instruction = dyn_cast<Instruction>(value);
    if (instruction && is_cheap(*instruction) && (!shape.is_regular() || shape.assumed)) {
        Instruction* copy = instruction->clone();
        for (llvm::Use& use : copy->operands()) use.set(in_lane(use.get(), lane));
        return ir_.Insert(copy);
    }
    Value* wide = vector(value);
    if (number) return by_words_ ? from_word(wide, number) : ir_.CreateExtractElement(wide, lane);
    Value* place = in_memory(wide);
    llvm::Type* type = wide->getType()->getScalarType();
    llvm::Type* stored = type->isIntegerTy(1) ? ir_.getInt8Ty() : type;
    Value* loaded = ir_.CreateLoad(stored, ir_.CreateGEP(stored, place, lane));
    return stored == type ? loaded : ir_.CreateTrunc(loaded, type);
}

/// Lanes one after another, by the bits of the mask.
void Widener::for_each_lane(llvm::function_ref<void(Value* lane)> body) {
    llvm::Type* type = ir_.getIntNTy(std::max(lanes_, 8u));
    Value* set = ir_.CreateZExtOrTrunc(bits(masks_[current_]), type);
    BasicBlock* before = ir_.GetInsertBlock();
    BasicBlock* end = BasicBlock::Create(context_, "", made_, before->getNextNode());
    BasicBlock* loop = BasicBlock::Create(context_, "", made_, end);
    ir_.CreateCondBr(ir_.CreateICmpNE(set, llvm::ConstantInt::get(type, 0)), loop, end);
    ir_.SetInsertPoint(loop);
    llvm::PHINode* left = ir_.CreatePHI(type, 2);
    left->addIncoming(set, before);
    Value* lane =
        ir_.CreateZExtOrTrunc(ir_.CreateBinaryIntrinsic(llvm::Intrinsic::cttz, left, ir_.getTrue()), ir_.getInt32Ty());
    body(lane);
    Value* rest = ir_.CreateAnd(left, ir_.CreateSub(left, llvm::ConstantInt::get(type, 1)));
    left->addIncoming(rest, ir_.GetInsertBlock());
    ir_.CreateCondBr(ir_.CreateICmpNE(rest, llvm::ConstantInt::get(type, 0)), loop, end);
    ir_.SetInsertPoint(end);
}

Value* Widener::gather(llvm::LoadInst& load) {
    Value *mask = masks_[current_], *pointer = load.getPointerOperand();
    llvm::Type* type = load.getType();
    auto* wide = llvm::FixedVectorType::get(type, lanes_);
    if (machine_.costs.isLegalMaskedGather(wide, load.getAlign()))
        return ir_.CreateMaskedGather(wide, vector(pointer), load.getAlign(), mask, llvm::Constant::getNullValue(wide));
    const auto all = [&]() -> Value* {
        Value* result = llvm::PoisonValue::get(wide);
        for (unsigned lane = 0; lane < lanes_; ++lane) {
            Value* place = in_lane(pointer, ir_.getInt32(lane));
            result = ir_.CreateInsertElement(result, ir_.CreateAlignedLoad(type, place, load.getAlign()), lane);
        }
        return result;
    };
    if (machine_.brief_masks) return load_some(load);
    return mask ? choose(are_all(mask), all, [&] { return load_some(load); }) : all();
}

/// In a loop over the lanes that are here, by way of memory.
Value* Widener::load_some(llvm::LoadInst& load) {
    Value* pointer = load.getPointerOperand();
    auto* wide = llvm::FixedVectorType::get(load.getType(), lanes_);
    memory_.clear();
    prepare_lanes(pointer);
    IR entry(entry_, entry_->begin());
    llvm::AllocaInst* results = entry.CreateAlloca(wide);
    ir_.CreateStore(llvm::Constant::getNullValue(wide), results);
    for_each_lane([&](Value* lane) {
        Value* loaded = ir_.CreateAlignedLoad(load.getType(), in_lane(pointer, lane), load.getAlign());
        ir_.CreateStore(loaded, ir_.CreateGEP(load.getType(), results, lane));
    });
    return ir_.CreateLoad(wide, results);
}

void Widener::scatter(llvm::StoreInst& store) {
    if (store_pattern(store)) return;
    Value *pointer = store.getPointerOperand(), *value = store.getValueOperand();
    // Lanes that store to one place do so in their order.
    if (machine_.costs.isLegalMaskedScatter(widened(value->getType()), store.getAlign())) {
        ir_.CreateMaskedScatter(vector(value), vector(pointer), store.getAlign(), masks_[current_]);
        return;
    }
    const auto all = [&]() -> Value* {
        for (unsigned lane = 0; lane < lanes_; ++lane) {
            Value* number = ir_.getInt32(lane);
            Value* place = in_lane(pointer, number);
            ir_.CreateAlignedStore(in_lane(value, number), place, store.getAlign());
        }
        return nullptr;
    };
    if (machine_.brief_masks)
        one_by_one(store);
    else if (!masks_[current_])
        all();
    else
        choose(are_all(masks_[current_]), all, [&]() -> Value* { return one_by_one(store), nullptr; });
}

/// The instruction itself for each lane, results by way of memory.
void Widener::one_by_one(Instruction& instruction) {
    memory_.clear();
    for (Value* operand : instruction.operands()) prepare_lanes(operand);
    llvm::Type* type = instruction.getType();
    auto* structure = dyn_cast<llvm::StructType>(type);
    llvm::SmallVector<llvm::AllocaInst*, 2> results;
    const unsigned count = type->isVoidTy() || instruction.use_empty() ? 0
                           : structure                                 ? structure->getNumElements()
                                                                       : 1;
    const auto stored = [&](unsigned i) {
        llvm::Type* field = structure ? structure->getElementType(i) : type;
        return field->isIntegerTy(1) ? ir_.getInt8Ty() : field;
    };
    for (unsigned i = 0; i < count; ++i) {
        IR entry(entry_, entry_->begin());
        results.push_back(entry.CreateAlloca(widened(stored(i))));
    }
    const auto run = [&](Value* lane) {
        Instruction* copy = instruction.clone();
        for (llvm::Use& use : copy->operands()) use.set(in_lane(use.get(), lane));
        ir_.Insert(copy);
        for (unsigned i = 0; i < count; ++i) {
            Value* result = structure ? ir_.CreateExtractValue(copy, i) : copy;
            if (result->getType() != stored(i)) result = ir_.CreateZExt(result, stored(i));
            ir_.CreateStore(result, ir_.CreateGEP(stored(i), results[i], lane));
        }
    };
    const auto all = [&]() -> Value* {
        by_words_ = true;
        for (unsigned lane = 0; lane < lanes_; ++lane) run(ir_.getInt32(lane));
        by_words_ = false;
        words_.clear();
        return nullptr;
    };
    Value* mask = masks_[current_];
    if (!isa<llvm::AtomicRMWInst>(instruction) || (mask && machine_.brief_masks))
        for_each_lane(run);
    else if (!mask)
        all();
    else
        choose(are_all(mask), all, [&]() -> Value* { return for_each_lane(run), nullptr; });
    llvm::SmallVector<Value*, 2> loaded;
    for (unsigned i = 0; i < count; ++i) {
        loaded.push_back(ir_.CreateLoad(widened(stored(i)), results[i]));
        llvm::Type* field = structure ? structure->getElementType(i) : type;
        if (field != stored(i)) loaded[i] = ir_.CreateTrunc(loaded[i], widened(field));
    }
    if (count == 0) return;
    if (structure)
        fields_[&instruction] = loaded;
    else
        note(instruction, loaded[0]);
}

} // namespace ptx::simd

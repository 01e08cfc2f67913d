// What instructions become that touch no memory.
#include "simt_to_simd/widener.h"

#include <llvm/Analysis/VectorUtils.h>
#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/Module.h>

namespace ptx::simd {

using llvm::cast;
using llvm::dyn_cast;
using llvm::Instruction;
using llvm::isa;
using llvm::Value;

llvm::Type* Widener::widened(llvm::Type* type) const { return llvm::FixedVectorType::get(type, lanes_); }

unsigned Widener::rows_of(const Value* value) const { return shapes_.of(value).by_row ? tile_.rows : 1; }

/// The value in the row's first column.
Value* Widener::base(Value* value, unsigned row) {
    if (!isa<Instruction, llvm::Argument>(value)) return value;
    const auto& rows = bases_.find(value)->second;
    return rows[rows.size() == 1 ? 0 : row];
}

/// A vector of the first columns' values and what the others add.
Value* Widener::spread(IR& ir, Value* scalar, int64_t stride, llvm::ArrayRef<Value*> rows) {
    llvm::Type* type = scalar->getType();
    Value* wide = ir.CreateVectorSplat(lanes_, scalar);
    if (rows.size() > 1)
        for (unsigned row = 1; row < rows.size(); ++row) {
            llvm::SmallVector<int, 32> order;
            for (unsigned lane = 0; lane < lanes_; ++lane)
                order.push_back(int(lane / tile_.columns == row ? lanes_ : lane));
            wide = ir.CreateShuffleVector(wide, ir.CreateVectorSplat(lanes_, rows[row]), order);
        }
    if (stride == 0) return wide;
    llvm::Type* number = type->isPointerTy() ? ir.getInt64Ty() : type;
    llvm::SmallVector<llvm::Constant*, 32> steps;
    for (unsigned lane = 0; lane < lanes_; ++lane)
        steps.push_back(llvm::ConstantInt::get(number, uint64_t(stride) * (lane % tile_.columns), false, true));
    llvm::Constant* step = llvm::ConstantVector::get(steps);
    return type->isPointerTy() ? ir.CreateGEP(ir.getInt8Ty(), wide, step) : ir.CreateAdd(wide, step);
}

/// The value in all lanes. What is made for a regular one stands where that does.
Value* Widener::vector(Value* value) {
    if (auto* constant = dyn_cast<llvm::Constant>(value); constant && !isa<llvm::GlobalValue>(constant))
        return llvm::ConstantVector::getSplat(llvm::ElementCount::getFixed(lanes_), constant);
    if (Value* known = vectors_.lookup(value)) return known;
    const Shape shape = shapes_.of(value);
    IR ir(context_);
    llvm::SmallVector<Value*, 2> rows;
    if (isa<llvm::Argument>(value) || isa<llvm::GlobalValue>(value)) {
        ir.SetInsertPoint(entry_->getTerminator());
        for (unsigned row = 0; row < rows_of(value); ++row) rows.push_back(base(value, row));
    } else {
        auto& instruction = *cast<Instruction>(value);
        const auto& bases = bases_.find(value)->second;
        rows.append(bases.begin(), bases.end());
        llvm::SmallVector<Value*, 4> operands;
        // Where the sum wraps around only the lanes themselves are right.
        if (shape.assumed)
            for (Value* operand : instruction.operands()) operands.push_back(vector(operand));
        auto* last = dyn_cast<Instruction>(rows.back());
        if (!last)
            ir.SetInsertPoint(entry_->getTerminator()); // became a constant or an argument
        else // perhaps the last so far of a block that has no end yet
            ir.SetInsertPoint(last->getParent(), std::next(last->getIterator()));
        if (shape.assumed) return vectors_[value] = make_wide(ir, instruction, operands);
    }
    return vectors_[value] = spread(ir, rows[0], shape.stride, rows);
}

/// A lane's element by way of a register that has several, if they are small: shifts are cheaper than to take each out
/// of a vector, which LLVM would make of them again.
Value* Widener::from_word(Value* wide, const llvm::ConstantInt* lane) {
    constexpr unsigned word_bits = 64;
    llvm::Type* type = wide->getType()->getScalarType();
    const unsigned bits = unsigned(type->getScalarSizeInBits()), each = word_bits / bits;
    const unsigned number = unsigned(lane->getZExtValue());
    if (!type->isIntegerTy() || (bits != 8 && bits != 16) || lanes_ < each)
        return ir_.CreateExtractElement(wide, number);
    Value*& word = words_[{wide, number / each}];
    if (!word) {
        Value* all = ir_.CreateBitCast(wide, llvm::FixedVectorType::get(ir_.getInt64Ty(), lanes_ / each));
        auto* opaque = llvm::InlineAsm::get(llvm::FunctionType::get(ir_.getInt64Ty(), {ir_.getInt64Ty()}, false), "",
                                            "=r,0", false);
        llvm::CallInst* call = ir_.CreateCall(opaque, {ir_.CreateExtractElement(all, number / each)});
        call->setDoesNotAccessMemory();
        call->setDoesNotThrow();
        word = call;
    }
    return ir_.CreateTrunc(ir_.CreateLShr(word, uint64_t(number % each) * bits), type);
}

void Widener::note(Instruction& instruction, Value* wide) { vectors_[&instruction] = wide; }

/// The scalar instruction once, of values that are the lane's.
void Widener::do_in_one_lane(Instruction& instruction) {
    if (const int lane = shapes_.picked_lane(&instruction); lane >= 0) {
        bases_[&instruction] = {in_lane(instruction.getOperand(0), ir_.getInt32(uint32_t(lane)))};
        return;
    }
    Instruction* copy = instruction.clone();
    for (llvm::Use& use : copy->operands())
        if (!isa<llvm::MetadataAsValue>(use.get())) use.set(base(use.get()));
    bases_[&instruction] = {ir_.Insert(copy)};
    copy->setMetadata(llvm::LLVMContext::MD_access_group, nullptr);
}

/// What is the row's for which the comparison is true.
Value* Widener::in_row(const Value* test, llvm::ArrayRef<Value*> rows) {
    Value* value = rows.back();
    for (size_t row = rows.size() - 1; row-- > 0;)
        value = ir_.CreateSelect(base(const_cast<Value*>(test), unsigned(row)), rows[row], value);
    return value;
}

void Widener::pick_row(Instruction& instruction, const Value* test) {
    Value* whole = instruction.getOperand(0);
    if (shapes_.of(whole).is_regular()) {
        const auto rows = bases_.find(whole)->second;
        bases_[&instruction] = {in_row(test, rows)};
        return;
    }
    take_lanes_of(&scalar_.getEntryBlock());
    Value* wide = vector(whole);
    take_lanes_of(instruction.getParent());
    llvm::SmallVector<Value*, 4> rows;
    for (unsigned row = 0; row < shapes_.tile().rows; ++row) {
        llvm::SmallVector<int, 32> lanes;
        for (unsigned i = 0; i < tile_.columns; ++i) lanes.push_back(int(row * tile_.columns + i));
        rows.push_back(ir_.CreateShuffleVector(wide, lanes));
    }
    note(instruction, in_row(test, rows));
}

void Widener::widen_instruction(Instruction& instruction) {
    if (shapes_.is_of_one_lane(instruction.getParent())) return do_in_one_lane(instruction);
    if (const Value* test = shapes_.picked_row(&instruction)) return pick_row(instruction, test);
    if (shapes_.is_of_any_row(&instruction)) {
        Value* any = nullptr;
        for (Value* one : bases_.find(instruction.getOperand(0))->second) any = any ? ir_.CreateOr(any, one) : one;
        bases_[&instruction] = {any};
        return;
    }
    if (shapes_.is_of_all(&instruction)) {
        bases_[&instruction] = {true_in_all(*cast<llvm::ICmpInst>(instruction.getOperand(0)))};
        return;
    }
    if (auto* load = dyn_cast<llvm::LoadInst>(&instruction)) return widen_load(*load);
    if (auto* store = dyn_cast<llvm::StoreInst>(&instruction)) return widen_store(*store);
    if (isa<llvm::FenceInst>(instruction)) {
        ir_.Insert(instruction.clone());
        return;
    }
    if (isa<llvm::AtomicRMWInst, llvm::AtomicCmpXchgInst>(instruction)) return one_by_one(instruction);
    auto* call = dyn_cast<llvm::CallInst>(&instruction);
    if (call && warp_operation_of(*call)) return widen_warp_operation(*call);
    if (shapes_.of(&instruction).is_regular()) return widen_regular(instruction);
    if (call) {
        const auto directed = directed_of(*call);
        return directed ? widen_directed(*call, *directed) : widen_intrinsic(*call);
    }
    if (auto* part = dyn_cast<llvm::ExtractValueInst>(&instruction))
        return note(instruction, fields_.find(part->getAggregateOperand())->second[part->getIndices()[0]]);
    llvm::SmallVector<Value*, 4> operands;
    for (Value* operand : instruction.operands()) operands.push_back(vector(operand));
    if (instruction.isIntDivRem()) return note(instruction, widen_division(instruction, operands[0], operands[1]));
    note(instruction, make_wide(ir_, instruction, operands));
}

/// The row's address or, if none of its lanes is here, that of another row, some of whose lanes are.
Value* Widener::address_in_row(Value* pointer, unsigned row) {
    Value* address = base(pointer, row);
    Value* mask = masks_[current_];
    if (!mask) return address;
    Value* other = nullptr;
    for (unsigned i = 0; i < tile_.rows; ++i) {
        const unsigned which = i + 1 == tile_.rows ? row : i < row ? i : i + 1; // the row itself last, so that it wins
        llvm::SmallVector<int, 32> lanes;
        for (unsigned column = 0; column < tile_.columns; ++column)
            lanes.push_back(int(which * tile_.columns + column));
        llvm::Type* type = ir_.getIntNTy(tile_.columns);
        Value* some = ir_.CreateIsNotNull(ir_.CreateBitCast(ir_.CreateShuffleVector(mask, lanes), type));
        other = other ? ir_.CreateSelect(some, base(pointer, which), other) : base(pointer, which);
    }
    return other;
}

/// The scalar instruction, once or for each row.
void Widener::widen_regular(Instruction& instruction) {
    llvm::SmallVector<Value*, 2> made;
    auto* load = dyn_cast<llvm::LoadInst>(&instruction);
    for (unsigned row = 0; row < rows_of(&instruction); ++row) {
        if (Value* value = load ? nullptr : from_rows_before(instruction, made)) {
            made.push_back(value);
            continue;
        }
        Instruction* copy = instruction.clone();
        for (llvm::Use& use : copy->operands()) use.set(base(use.get(), row));
        if (load && rows_of(&instruction) > 1) copy->setOperand(0, address_in_row(load->getPointerOperand(), row));
        made.push_back(ir_.Insert(copy));
        copy->setMetadata(llvm::LLVMContext::MD_access_group, nullptr);
    }
    bases_[&instruction] = made;
    if (shapes_.is_agreed(&instruction))
        agree(cast<llvm::ICmpInst>(instruction));
    else
        keep_guard(instruction);
}

/// The operand's last column, in the row; `straight` is made false where it wraps around on the way.
Value* Widener::last_of(Value* value, unsigned row, bool is_signed, Value*& straight) {
    const int64_t stride = shapes_.of(value).stride;
    Value* first = base(value, row);
    if (stride == 0) return first;
    Value* last = ir_.CreateAdd(
        first, llvm::ConstantInt::get(value->getType(), uint64_t(stride) * (tile_.columns - 1), false, true));
    if (shapes_.never_wraps(value, is_signed)) return last;
    Value* right = is_signed ? (stride > 0 ? ir_.CreateICmpSLE(first, last) : ir_.CreateICmpSGE(first, last))
                             : (stride > 0 ? ir_.CreateICmpULE(first, last) : ir_.CreateICmpUGE(first, last));
    straight = straight ? ir_.CreateAnd(straight, right) : right;
    return last;
}

/// The lanes of all rows agree if the first and the last of each do.
void Widener::agree(llvm::ICmpInst& compare) {
    Value *left = compare.getOperand(0), *right = compare.getOperand(1), *answer = bases_[&compare][0], *all = nullptr;
    const bool steps = shapes_.of(left).stride != 0 || shapes_.of(right).stride != 0;
    const unsigned rows = std::max(rows_of(left), rows_of(right));
    for (unsigned row = 0; row < rows; ++row) {
        const auto same = [&](Value* a, Value* b) {
            Value* one = ir_.CreateICmpEQ(ir_.CreateICmp(compare.getPredicate(), a, b), answer);
            all = all ? ir_.CreateAnd(all, one) : one;
        };
        if (row > 0) same(base(left, row), base(right, row));
        if (!steps) continue;
        Value* last = last_of(left, row, compare.isSigned(), all);
        same(last, last_of(right, row, compare.isSigned(), all));
    }
    if (all) entry_guards_.push_back(all);
}

/// Whether the comparison is true in the first and in the last lane of each row.
Value* Widener::true_in_all(llvm::ICmpInst& compare) {
    Value *left = compare.getOperand(0), *right = compare.getOperand(1), *all = nullptr;
    const bool steps = shapes_.of(left).stride != 0 || shapes_.of(right).stride != 0;
    const auto add = [&](Value* a, Value* b) {
        Value* one = ir_.CreateICmp(compare.getPredicate(), a, b);
        all = all ? ir_.CreateAnd(all, one) : one;
    };
    for (unsigned row = 0; row < std::max(rows_of(left), rows_of(right)); ++row) {
        add(base(left, row), base(right, row));
        if (!steps) continue;
        Value* last = last_of(left, row, compare.isSigned(), all);
        add(last, last_of(right, row, compare.isSigned(), all));
    }
    return all;
}

/// Whether a wider integer is the first column's plus so many strides hangs on the narrow sum. What is asked in the
/// entry block holds for the function.
void Widener::keep_guard(Instruction& instruction) {
    const Shape shape = shapes_.of(&instruction);
    if (!isa<llvm::SExtInst, llvm::ZExtInst>(instruction) || shape.stride == 0) {
        if (!shape.assumed) return;
        Value* all = nullptr;
        for (Value* operand : instruction.operands())
            if (Value* one = guard(operand)) all = all && all != one ? ir_.CreateAnd(all, one) : one;
        guards_[&instruction] = all;
        return;
    }
    Value* narrow = instruction.getOperand(0);
    const bool is_signed = isa<llvm::SExtInst>(instruction);
    if (shapes_.never_wraps(narrow, is_signed)) return;
    const int64_t stride = shapes_.of(narrow).stride;
    Value* all = nullptr;
    for (unsigned row = 0; row < rows_of(narrow); ++row) {
        Value* first = base(narrow, row);
        // Unsigned steps down are steps up by what is missing, so both directions are compared.
        Value* last = ir_.CreateAdd(
            first, llvm::ConstantInt::get(narrow->getType(), uint64_t(stride) * (tile_.columns - 1), false, true));
        const bool up = stride > 0;
        Value* right = is_signed ? (up ? ir_.CreateICmpSLE(first, last) : ir_.CreateICmpSGE(first, last))
                                 : (up ? ir_.CreateICmpULE(first, last) : ir_.CreateICmpUGE(first, last));
        all = all ? ir_.CreateAnd(all, right) : right;
    }
    if (instruction.getParent() == &scalar_.getEntryBlock())
        entry_guards_.push_back(all);
    else
        guards_[&instruction] = all;
}

/// Null: the value is as its shape says.
Value* Widener::guard(Value* value) { return guards_.lookup(value); }

Value* Widener::make_wide(IR& ir, Instruction& instruction, llvm::ArrayRef<Value*> operands) {
    if (auto* select = dyn_cast<llvm::SelectInst>(&instruction)) {
        Value* condition = select->getCondition();
        const bool one = shapes_.of(condition).is_uniform();
        return ir.CreateSelect(one ? base(condition) : operands[0], operands[1], operands[2]);
    }
    if (auto* compare = dyn_cast<llvm::CmpInst>(&instruction))
        return ir.CreateCmp(compare->getPredicate(), operands[0], operands[1]);
    if (auto* conversion = dyn_cast<llvm::CastInst>(&instruction))
        return ir.CreateCast(conversion->getOpcode(), operands[0], widened(instruction.getType()));
    if (isa<llvm::FreezeInst>(instruction)) return ir.CreateFreeze(operands[0]);
    if (auto* address = dyn_cast<llvm::GetElementPtrInst>(&instruction)) {
        llvm::SmallVector<Value*, 4> indices;
        for (unsigned i = 1; i < operands.size(); ++i) {
            Value* index = address->getOperand(i);
            indices.push_back(isa<llvm::Constant>(index) ? index : operands[i]);
        }
        Value* pointer = address->getPointerOperand();
        const bool one = shapes_.of(pointer).is_uniform() && !shapes_.of(&instruction).is_uniform();
        bool wide = false;
        for (Value* index : indices) wide |= index->getType()->isVectorTy();
        return ir.CreateGEP(address->getSourceElementType(), one && wide ? base(pointer) : operands[0], indices);
    }
    if (isa<llvm::UnaryOperator>(instruction))
        return ir.CreateUnOp(llvm::UnaryOperator::UnaryOps(instruction.getOpcode()), operands[0]);
    return ir.CreateBinOp(llvm::BinaryOperator::BinaryOps(instruction.getOpcode()), operands[0], operands[1]);
}

/// Lanes that are elsewhere divide by one.
Value* Widener::widen_division(Instruction& instruction, Value* left, Value* right) {
    if (Value* mask = masks_[current_])
        right = ir_.CreateSelect(mask, right, llvm::ConstantInt::get(right->getType(), 1));
    return make_wide(ir_, instruction, {left, right});
}

void Widener::widen_intrinsic(llvm::CallInst& call) {
    const llvm::Intrinsic::ID which = call.getCalledFunction()->getIntrinsicID();
    if (llvm::isTriviallyVectorizable(which) && !call.getType()->isStructTy()) {
        llvm::SmallVector<llvm::Type*, 3> types;
        llvm::SmallVector<Value*, 4> arguments;
        if (llvm::isVectorIntrinsicWithOverloadTypeAtArg(which, -1, &machine_.costs))
            types.push_back(widened(call.getType()));
        for (unsigned i = 0; i < call.arg_size(); ++i) {
            const bool scalar = llvm::isVectorIntrinsicWithScalarOpAtArg(which, i, &machine_.costs);
            arguments.push_back(scalar ? call.getArgOperand(i) : vector(call.getArgOperand(i)));
            if (llvm::isVectorIntrinsicWithOverloadTypeAtArg(which, int(i), &machine_.costs))
                types.push_back(arguments.back()->getType());
        }
        llvm::Function* wide = llvm::Intrinsic::getOrInsertDeclaration(made_->getParent(), which, types);
        return note(call, ir_.CreateCall(wide, arguments));
    }
    // One after another, and a vector of each field.
    auto* structure = dyn_cast<llvm::StructType>(call.getType());
    const unsigned count = structure ? structure->getNumElements() : 1;
    llvm::SmallVector<Value*, 2> results;
    for (unsigned i = 0; i < count; ++i)
        results.push_back(llvm::PoisonValue::get(widened(structure ? structure->getElementType(i) : call.getType())));
    for (unsigned lane = 0; lane < lanes_; ++lane) {
        Instruction* copy = call.clone();
        for (unsigned i = 0; i < call.arg_size(); ++i)
            cast<llvm::CallInst>(copy)->setArgOperand(i, in_lane(call.getArgOperand(i), ir_.getInt32(lane)));
        ir_.Insert(copy);
        for (unsigned i = 0; i < count; ++i)
            results[i] = ir_.CreateInsertElement(results[i], structure ? ir_.CreateExtractValue(copy, i) : copy, lane);
    }
    if (structure)
        fields_[&call] = results;
    else
        note(call, results[0]);
}

} // namespace ptx::simd

// Operations of a warp, by all of its lanes at once: PTX ISA 9.7.9.6 (shfl.sync), 9.7.13.8 (vote.sync), 9.7.13.9
// (match.sync), 9.7.13.11 (redux.sync). What they give is what runtime/backend/cpu/warp_operations.h says.
#include "simt_to_simd/warp_operations.h"

#include "ptx/host_abi.h"
#include "simt_to_simd/widener.h"

#include <llvm/IR/IntrinsicsX86.h>
#include <llvm/IR/Module.h>

#include <array>

namespace ptx::simd {

using host::Reduce;
using host::Shuffle;
using host::Vote;
using llvm::BasicBlock;
using llvm::cast;
using llvm::dyn_cast;
using llvm::Value;

namespace {

constexpr llvm::StringLiteral neutral = "cuttle.", prefix = "cuttle.tile.";
constexpr unsigned warp_lanes = 32;

/// Operands of the neutral functions; -1: it has none.
struct Row {
    llvm::StringLiteral name;
    WarpOperation operation;
    int value, mask;
};
constexpr Row rows[] = {
    {llvm::StringLiteral("warp.sync"), WarpOperation::sync, -1, 0},
    {llvm::StringLiteral("shuffle"), WarpOperation::shuffle, 1, 4},
    {llvm::StringLiteral("vote"), WarpOperation::vote, 1, 2},
    {llvm::StringLiteral("match.any"), WarpOperation::match_any, 0, 1},
    {llvm::StringLiteral("match.all"), WarpOperation::match_all, 0, 1},
    {llvm::StringLiteral("reduce"), WarpOperation::reduce, 1, 2},
    {llvm::StringLiteral("active.mask"), WarpOperation::active_mask, -1, -1},
};
/// Of matrices; the function is one of each form's.
constexpr Row multiply{llvm::StringLiteral("mma."), WarpOperation::multiply, -1, -1};

const Row* row_of(const llvm::CallBase& call, llvm::StringRef prefix) {
    const llvm::Function* callee = call.getCalledFunction();
    llvm::StringRef name = callee ? callee->getName() : "";
    if (!name.consume_front(prefix)) return nullptr;
    if (name.starts_with(multiply.name)) return &multiply;
    for (const Row& row : rows)
        if (row.name == name) return &row;
    return nullptr;
}

uint32_t number(const llvm::CallBase& call, unsigned operand) {
    return uint32_t(cast<llvm::ConstantInt>(call.getArgOperand(operand))->getZExtValue());
}

/// PTX ISA 9.7.9.6: where a lane's value comes from, itself where that is out of range.
struct Source {
    unsigned lane;
    bool in_range;
};
Source source_of(Shuffle mode, int self, uint32_t by_and_more, uint32_t clamp_and_segment) {
    const int segment = int(clamp_and_segment >> 8 & 31), clamp = int(clamp_and_segment & 31), by = int(by_and_more & 31);
    const int lowest = self & segment, highest = lowest | (clamp & ~segment);
    const int from = mode == Shuffle::up     ? self - by
                     : mode == Shuffle::down ? self + by
                     : mode == Shuffle::bfly ? self ^ by
                                             : lowest | (by & ~segment);
    const bool in_range = mode == Shuffle::up ? from >= highest : from <= highest;
    return {unsigned(in_range ? from : self), in_range};
}

llvm::Intrinsic::ID reduction(Reduce operation) {
    switch (operation) {
    case Reduce::add:
        return llvm::Intrinsic::vector_reduce_add;
    case Reduce::min_s:
        return llvm::Intrinsic::vector_reduce_smin;
    case Reduce::max_s:
        return llvm::Intrinsic::vector_reduce_smax;
    case Reduce::min_u:
        return llvm::Intrinsic::vector_reduce_umin;
    case Reduce::max_u:
        return llvm::Intrinsic::vector_reduce_umax;
    case Reduce::and_:
        return llvm::Intrinsic::vector_reduce_and;
    case Reduce::or_:
        return llvm::Intrinsic::vector_reduce_or;
    case Reduce::xor_:
        return llvm::Intrinsic::vector_reduce_xor;
    default:
        return llvm::Intrinsic::not_intrinsic;
    }
}

/// What changes nothing.
uint32_t neutral_of(Reduce operation) {
    switch (operation) {
    case Reduce::min_s:
        return 0x7fffffff;
    case Reduce::max_s:
        return 0x80000000;
    case Reduce::min_u:
    case Reduce::and_:
        return ~0u;
    default:
        return 0;
    }
}

} // namespace

void make_warp_operation(llvm::CallInst& call) {
    const Row& row = *row_of(call, neutral);
    const llvm::Function* given = call.getCalledFunction();
    const llvm::StringRef name = given->getName().drop_front(neutral.size());
    llvm::FunctionCallee callee =
        call.getModule()->getOrInsertFunction((prefix + name).str(), given->getFunctionType());
    auto* function = cast<llvm::Function>(callee.getCallee());
    function->setDoesNotThrow();
    function->setWillReturn();
    function->setConvergent();
    // What lanes have stored before they meet others may load behind it.
    if (row.operation != WarpOperation::sync) function->setOnlyAccessesInaccessibleMemory();
    call.setCalledFunction(callee);
    call.setAttributes(function->getAttributes());
}

std::optional<WarpOperation> warp_operation_of(const llvm::CallBase& call) {
    const Row* row = row_of(call, prefix);
    return row ? std::optional(row->operation) : std::nullopt;
}

std::string why_not_together(const llvm::CallBase& call, const Shapes& shapes) {
    const Row& row = *row_of(call, prefix);
    const std::string name = row.name.str();
    if (shapes.tile().lanes() != warp_lanes) return "a tile is no warp, which has " + name;
    if (shapes.is_masked(call.getParent())) return "lanes may be elsewhere when others meet in " + name;
    const bool same_mask = row.mask < 0 || shapes.of(call.getArgOperand(unsigned(row.mask))).is_uniform();
    const bool one = row.operation == WarpOperation::reduce || row.operation == WarpOperation::match_all;
    if (one && !same_mask) return "groups of lanes meet in " + name;
    if (row.operation == WarpOperation::reduce &&
        reduction(Reduce(number(call, 0))) == llvm::Intrinsic::not_intrinsic)
        return "there is a reduction of floating-point numbers";
    return {};
}

bool gives_all_the_same(const llvm::CallBase& call, const Shapes& shapes) {
    const Row& row = *row_of(call, prefix);
    const auto same = [&](unsigned operand) { return shapes.of(call.getArgOperand(operand)).is_uniform(); };
    switch (row.operation) {
    case WarpOperation::sync:
    case WarpOperation::active_mask:
    case WarpOperation::reduce:
        return true;
    case WarpOperation::vote:
        return same(unsigned(row.mask));
    case WarpOperation::shuffle: {
        const auto* clamp = dyn_cast<llvm::ConstantInt>(call.getArgOperand(3));
        // One segment with all lanes, from one of which all have their values.
        return Shuffle(number(call, 0)) == Shuffle::idx && same(2) && clamp && (clamp->getZExtValue() & 0x1f1f) == 31;
    }
    default:
        return false;
    }
}

void Widener::widen_warp_operation(llvm::CallInst& call) {
    switch (*warp_operation_of(call)) {
    case WarpOperation::sync:
        return;
    case WarpOperation::active_mask:
        bases_[&call] = {ir_.getInt32(~0u)};
        return;
    case WarpOperation::shuffle:
        return widen_shuffle(call);
    case WarpOperation::vote:
        return widen_vote(call);
    case WarpOperation::reduce: {
        const auto operation = Reduce(number(call, 0));
        Value *wide = vector(call.getArgOperand(1)), *mask = base(call.getArgOperand(2));
        auto* constant = dyn_cast<llvm::ConstantInt>(mask);
        if (!constant || !constant->isMinusOne())
            wide = ir_.CreateSelect(ir_.CreateBitCast(mask, widened(ir_.getInt1Ty())), wide,
                                    ir_.CreateVectorSplat(lanes_, ir_.getInt32(neutral_of(operation))));
        bases_[&call] = {ir_.CreateUnaryIntrinsic(reduction(operation), wide)};
        return;
    }
    case WarpOperation::match_any:
        return note(call, match(vector(call.getArgOperand(0)), vector(call.getArgOperand(1))));
    case WarpOperation::match_all: {
        Value *wide = vector(call.getArgOperand(0)), *mask = base(call.getArgOperand(1));
        Value* first = ir_.CreateBinaryIntrinsic(llvm::Intrinsic::cttz, mask, ir_.getFalse());
        Value* one = ir_.CreateExtractElement(wide, ir_.CreateAnd(first, 31));
        Value* others = ir_.CreateAnd(bits(ir_.CreateICmpNE(wide, ir_.CreateVectorSplat(lanes_, one))), mask);
        Value* same = ir_.CreateIsNull(others);
        Value* members = ir_.CreateSelect(same, mask, ir_.getInt32(0));
        fields_[&call] = {ir_.CreateVectorSplat(lanes_, members), ir_.CreateVectorSplat(lanes_, same)};
        return;
    }
    case WarpOperation::multiply:
        return widen_multiply(call);
    }
}

/// Registers lie one behind the other, each in all lanes: device_library/host_matrix.cpp.
void Widener::widen_multiply(llvm::CallInst& call) {
    const unsigned sources = call.arg_size() - 1, all = sources + unsigned(call.getType()->getArrayNumElements());
    llvm::Type* type = widened(ir_.getInt32Ty());
    llvm::ArrayType* block = llvm::ArrayType::get(type, all);
    llvm::AllocaInst*& place = blocks_of_registers_[block];
    if (!place) place = IR(entry_, entry_->begin()).CreateAlloca(block);
    const auto at = [&](unsigned i) {
        return IR(entry_->getTerminator()).CreateConstInBoundsGEP2_32(block, place, 0, i);
    };
    // What this block has loaded since the last call is stored at once, so that it needs no registers until this one.
    const auto is_new = [&](const llvm::Instruction& made) {
        return made.getParent() == ir_.GetInsertBlock() && !llvm::isa<llvm::PHINode>(made) &&
               (!last_multiply_ || last_multiply_->getParent() != made.getParent() ||
                last_multiply_->comesBefore(&made));
    };
    for (unsigned i = 0; i < sources; ++i) {
        Value *wide = vector(call.getArgOperand(1 + i)), *to = at(i);
        auto* made = llvm::dyn_cast<llvm::Instruction>(wide);
        if (made && is_new(*made))
            IR(made->getParent(), std::next(made->getIterator())).CreateStore(wide, to);
        else
            ir_.CreateStore(wide, to);
    }
    llvm::FunctionCallee function = call.getModule()->getOrInsertFunction(
        "cuttle_matrix_multiply_tile", ir_.getVoidTy(), ir_.getPtrTy(), ir_.getInt64Ty());
    last_multiply_ = ir_.CreateCall(function, {place, call.getArgOperand(0)});
    last_multiply_->setDoesNotThrow();
    llvm::SmallVector<Value*, 2> results;
    for (unsigned i = sources; i < all; ++i) results.push_back(ir_.CreateLoad(type, at(i)));
    fields_[&call] = results;
}

void Widener::widen_vote(llvm::CallInst& call) {
    Value* given = bits(vector(call.getArgOperand(1)));
    const auto result = [&](Value* ballot, Value* mask) -> Value* {
        ballot = ir_.CreateAnd(ballot, mask);
        Value *all = ir_.CreateICmpEQ(ballot, mask), *none = ir_.CreateIsNull(ballot);
        switch (Vote(number(call, 0))) {
        case Vote::ballot:
            return ballot;
        case Vote::all:
            return ir_.CreateZExt(all, mask->getType());
        case Vote::any:
            return ir_.CreateZExt(ir_.CreateNot(none), mask->getType());
        default:
            return ir_.CreateZExt(ir_.CreateOr(all, none), mask->getType());
        }
    };
    Value* mask = call.getArgOperand(2);
    if (gives_all_the_same(call, shapes_))
        bases_[&call] = {result(given, base(mask))};
    else
        note(call, result(ir_.CreateVectorSplat(lanes_, given), vector(mask)));
}

/// For each lane, which lanes of its mask have the same value: one value after another.
Value* Widener::match(Value* wide, Value* mask) {
    llvm::Type* result_type = widened(ir_.getInt32Ty());
    memory_.erase(wide);
    Value* place = in_memory(wide);
    BasicBlock* before = ir_.GetInsertBlock();
    BasicBlock* end = BasicBlock::Create(context_, "", made_, before->getNextNode());
    BasicBlock* loop = BasicBlock::Create(context_, "", made_, end);
    ir_.CreateBr(loop);
    ir_.SetInsertPoint(loop);
    llvm::PHINode *rest = ir_.CreatePHI(ir_.getInt32Ty(), 2), *results = ir_.CreatePHI(result_type, 2);
    rest->addIncoming(ir_.getInt32(~0u), before);
    results->addIncoming(llvm::Constant::getNullValue(result_type), before);
    llvm::Type* type = wide->getType()->getScalarType();
    Value* lane = ir_.CreateBinaryIntrinsic(llvm::Intrinsic::cttz, rest, ir_.getTrue());
    Value* value = ir_.CreateLoad(type, ir_.CreateGEP(type, place, lane));
    Value* same = ir_.CreateICmpEQ(wide, ir_.CreateVectorSplat(lanes_, value));
    Value* lanes = bits(same);
    Value* more = ir_.CreateSelect(same, ir_.CreateVectorSplat(lanes_, lanes), results);
    Value* others = ir_.CreateAnd(rest, ir_.CreateNot(lanes));
    rest->addIncoming(others, loop);
    results->addIncoming(more, loop);
    ir_.CreateCondBr(ir_.CreateIsNull(others), end, loop);
    ir_.SetInsertPoint(end);
    memory_.erase(wide);
    return ir_.CreateAnd(more, mask);
}

void Widener::widen_shuffle(llvm::CallInst& call) {
    const auto mode = Shuffle(number(call, 0));
    Value *wide = vector(call.getArgOperand(1)), *by = call.getArgOperand(2), *clamp = call.getArgOperand(3);
    if (gives_all_the_same(call, shapes_)) {
        Value* one = ir_.CreateExtractElement(wide, ir_.CreateAnd(base(by), 31));
        Value* pair = ir_.CreateInsertValue(llvm::PoisonValue::get(call.getType()), one, 0);
        bases_[&call] = {ir_.CreateInsertValue(pair, ir_.getTrue(), 1)};
        return;
    }
    const auto *known_by = dyn_cast<llvm::ConstantInt>(by), *known_clamp = dyn_cast<llvm::ConstantInt>(clamp);
    if (known_by && known_clamp) {
        llvm::SmallVector<int, 32> from;
        llvm::SmallVector<llvm::Constant*, 32> in_range;
        for (unsigned lane = 0; lane < lanes_; ++lane) {
            const Source source = source_of(mode, int(lane), uint32_t(known_by->getZExtValue()),
                                            uint32_t(known_clamp->getZExtValue()));
            from.push_back(int(source.lane));
            in_range.push_back(ir_.getInt1(source.in_range));
        }
        fields_[&call] = {ir_.CreateShuffleVector(wide, from), llvm::ConstantVector::get(in_range)};
        return;
    }
    llvm::SmallVector<llvm::Constant*, 32> numbers;
    for (unsigned lane = 0; lane < lanes_; ++lane) numbers.push_back(ir_.getInt32(lane));
    Value *self = llvm::ConstantVector::get(numbers), *low = ir_.CreateVectorSplat(lanes_, ir_.getInt32(31));
    Value *step = ir_.CreateAnd(vector(by), low), *limits = vector(clamp);
    Value* segment = ir_.CreateAnd(ir_.CreateLShr(limits, 8), low);
    Value* lowest = ir_.CreateAnd(self, segment);
    Value* highest = ir_.CreateOr(lowest, ir_.CreateAnd(ir_.CreateAnd(limits, low), ir_.CreateNot(segment)));
    Value* from = mode == Shuffle::up     ? ir_.CreateSub(self, step)
                  : mode == Shuffle::down ? ir_.CreateAdd(self, step)
                  : mode == Shuffle::bfly ? ir_.CreateXor(self, step)
                                          : ir_.CreateOr(lowest, ir_.CreateAnd(step, ir_.CreateNot(segment)));
    Value* in_range = mode == Shuffle::up ? ir_.CreateICmpSGE(from, highest) : ir_.CreateICmpSLE(from, highest);
    fields_[&call] = {permute(wide, ir_.CreateSelect(in_range, from, self)), in_range};
}

/// The lanes' values, by numbers that are in range.
Value* Widener::permute(Value* wide, Value* from) {
    const auto half = [&](Value* value, unsigned which) {
        llvm::SmallVector<int, 16> lanes;
        for (unsigned i = 0; i < 16; ++i) lanes.push_back(int(16 * which + i));
        return ir_.CreateShuffleVector(value, lanes);
    };
    llvm::SmallVector<int, 32> both;
    for (unsigned i = 0; i < lanes_; ++i) both.push_back(int(i));
    if (machine_.bit_masks) {
        Value* halves[2];
        for (unsigned i : {0u, 1u})
            halves[i] = ir_.CreateIntrinsic(llvm::Intrinsic::x86_avx512_vpermi2var_d_512, {},
                                            {half(wide, 0), half(from, i), half(wide, 1)});
        return ir_.CreateShuffleVector(halves[0], halves[1], both);
    }
    memory_.erase(wide);
    Value *place = in_memory(wide), *result = llvm::PoisonValue::get(wide->getType());
    memory_.erase(wide);
    for (unsigned lane = 0; lane < lanes_; ++lane) {
        Value* number = ir_.CreateZExt(ir_.CreateExtractElement(from, lane), ir_.getInt64Ty());
        result = ir_.CreateInsertElement(result, ir_.CreateLoad(ir_.getInt32Ty(), ir_.CreateGEP(ir_.getInt32Ty(), place, number)), lane);
    }
    return result;
}

} // namespace ptx::simd

#include "llvm_to_code/host_rounds.h"

#include "ptx/host_abi.h"
#include "simt_to_simd/rounds.h"

#include <llvm/IR/Module.h>

#include <cstddef>

namespace ptx::code {

using host::Grid;
using host::Lane;
using llvm::BasicBlock;
using llvm::Value;
using simd::Rounds;

namespace {

/// Behind a tile's frame, in words: where it is, and what runs it.
enum Word : uint32_t { word_x, word_y, word_z, word_number, word_block, word_state, words };
enum State : uint32_t { over, of_all, masked };

constexpr uint32_t words_bytes = 64, most_frames_bytes = 32 << 10, most_tiles_ever = 64;
constexpr uint32_t least_tiles = 8; ///< with fewer a round may cost more than it gains

uint32_t slot_bytes(const TileCode& code) { return std::max(code.frame_bytes, code.frame_bytes_of_all) + words_bytes; }

BasicBlock* block_of(IR& ir) { return BasicBlock::Create(ir.getContext(), "", ir.GetInsertBlock()->getParent()); }

Value* variable(IR& ir, llvm::Type* type) {
    BasicBlock& entry = ir.GetInsertBlock()->getParent()->getEntryBlock();
    return IR(&entry, entry.begin()).CreateAlloca(type);
}

void when(IR& ir, Value* condition, llvm::function_ref<void()> then) {
    BasicBlock *yes = block_of(ir), *end = block_of(ir);
    ir.CreateCondBr(condition, yes, end);
    ir.SetInsertPoint(yes);
    then();
    ir.CreateBr(end);
    ir.SetInsertPoint(end);
}

/// From 0 on, at least once.
void count_to(IR& ir, Value* end, llvm::function_ref<void(Value*)> body) {
    loop(ir, ir.getInt32(0), end, [&](IR&, Value* index) -> Value* {
        body(index);
        return ir.getInt32(1);
    });
}

} // namespace

uint32_t TileRounds::most_tiles(const TileCode& code) {
    return std::min(most_tiles_ever, most_frames_bytes / slot_bytes(code));
}

TileRounds::TileRounds(IR& ir, const TileCode& code, Value* lane, Value* copy, Value* grid, Value* const size[3],
                       Arguments arguments)
    : code_(code), lane_(lane), copy_(copy), grid_(grid), size_(size), arguments_(arguments),
      slot_bytes_(slot_bytes(code)) {
    slots_ = ir.CreateAlloca(llvm::ArrayType::get(ir.getInt8Ty(), uint64_t{slot_bytes_} * most_tiles(code)));
    slots_->setAlignment(llvm::Align(64));
    number_ = ir.CreateAlloca(ir.getInt32Ty());
}

Value* TileRounds::frame_of(IR& ir, Value* index) {
    return ir.CreateGEP(ir.getInt8Ty(), slots_,
                        ir.CreateZExt(ir.CreateMul(index, ir.getInt32(slot_bytes_)), ir.getInt64Ty()));
}

Value* TileRounds::word_of(IR& ir, Value* frame, uint32_t word) {
    return ir.CreateConstInBoundsGEP1_32(ir.getInt8Ty(), frame, slot_bytes_ - words_bytes + 4 * word);
}

/// What the function says: Rounds.
Value* TileRounds::call(IR& ir, bool masked, const Place& place, Value* frame, Value* way) {
    store(ir, copy_, offsetof(Lane, thread) + 8, place.z);
    auto arguments = arguments_(ir, place);
    if ((masked ? code_.frame_bytes : code_.frame_bytes_of_all) != 0) arguments.append({frame, way});
    return ir.CreateZExt(ir.CreateCall(masked ? code_.function : code_.function_of_all, arguments), ir.getInt32Ty());
}

void TileRounds::set_block(IR& ir, Value* x) {
    for (Value* each : {lane_, copy_}) store(ir, each, offsetof(Lane, block), x);
}

void TileRounds::make(IR& ir, Value* alone, llvm::function_ref<void(IR&)> block) {
    llvm::Type *i32 = ir.getInt32Ty(), *i64 = ir.getInt64Ty();
    const auto least = [&](Value* a, Value* b) { return ir.CreateBinaryIntrinsic(llvm::Intrinsic::umin, a, b); };
    const auto greatest = [&](Value* a, Value* b) { return ir.CreateBinaryIntrinsic(llvm::Intrinsic::umax, a, b); };
    Value *most = ir.getInt32(most_tiles(code_)), *one = ir.getInt32(1);
    in_row_ = ir.CreateUDiv(size_[0], ir.getInt32(code_.columns));
    rows_ = ir.CreateUDiv(size_[1], ir.getInt32(code_.rows));
    Value* of_block = ir.CreateMul(in_row_, ir.CreateMul(rows_, size_[2]));
    Value* first = load(ir, copy_, offsetof(Lane, block), i32);
    Value* more = load(ir, lane_, offsetof(Lane, more), i64);
    // As many as find place, as are left of the row, and of those that the caller wants.
    Value* blocks = ir.CreateUDiv(most, greatest(of_block, one));
    blocks = least(blocks, ir.CreateSub(load(ir, grid_, offsetof(Grid, grid_dim), i32), first));
    blocks = ir.CreateTrunc(least(ir.CreateZExt(blocks, i64), ir.CreateAdd(more, ir.getInt64(1))), i32);
    blocks_ = ir.CreateSelect(alone, one, greatest(blocks, one));
    tiles_ = ir.CreateMul(blocks_, of_block);
    turns_ = ir.CreateAnd(ir.CreateNot(alone), ir.CreateAnd(ir.CreateICmpUGE(tiles_, ir.getInt32(least_tiles)),
                                                            ir.CreateICmpULE(tiles_, most)));
    when(ir, turns_, [&] {
        count_to(ir, tiles_,
                 [&](Value* i) { ir.CreateStore(ir.getInt32(over), word_of(ir, frame_of(ir, i), word_state)); });
    });
    count_to(ir, blocks_, [&](Value* i) {
        ir.CreateStore(i, number_);
        set_block(ir, ir.CreateAdd(first, i));
        block(ir);
    });
    when(ir, turns_, [&] { take_turns(ir); });
    Value* others = ir.CreateSub(blocks_, one);
    set_block(ir, ir.CreateAdd(first, others));
    store(ir, lane_, offsetof(Lane, more), ir.CreateSub(more, ir.CreateZExt(others, i64)));
}

Value* TileRounds::begin(IR& ir, const Place& place) {
    llvm::Type* i32 = ir.getInt32Ty();
    Value* row = ir.CreateAdd(ir.CreateMul(place.z, rows_), ir.CreateUDiv(place.y, ir.getInt32(code_.rows)));
    Value* in_rows = ir.CreateAdd(ir.CreateMul(row, blocks_), ir.CreateLoad(i32, number_));
    Value* index = ir.CreateAdd(ir.CreateMul(in_rows, in_row_), ir.CreateUDiv(place.x, ir.getInt32(code_.columns)));
    Value* frame = frame_of(ir, ir.CreateSelect(turns_, index, ir.getInt32(0)));
    Value* way = ir.CreateSelect(turns_, ir.getInt32(Rounds::begin), ir.getInt32(Rounds::whole));
    Value *said = variable(ir, i32), *state = variable(ir, i32);
    ir.CreateStore(ir.getInt32(Rounds::refused), said);
    for (const State which : {of_all, masked}) {
        if (!(which == masked ? code_.function : code_.function_of_all)) continue;
        when(ir, ir.CreateICmpEQ(ir.CreateLoad(i32, said), ir.getInt32(Rounds::refused)), [&] {
            ir.CreateStore(ir.getInt32(which), state);
            ir.CreateStore(call(ir, which == masked, place, frame, way), said);
        });
    }
    Value* result = ir.CreateLoad(i32, said);
    when(ir, ir.CreateICmpEQ(result, ir.getInt32(Rounds::more)), [&] {
        Value* const kept[words] = {place.x,
                                    place.y,
                                    place.z,
                                    place.number,
                                    load(ir, copy_, offsetof(Lane, block), i32),
                                    ir.CreateLoad(i32, state)};
        for (uint32_t i = 0; i < words; ++i) ir.CreateStore(kept[i], word_of(ir, frame, i));
    });
    return ir.CreateICmpNE(result, ir.getInt32(Rounds::refused));
}

/// Until all are over.
void TileRounds::take_turns(IR& ir) {
    llvm::Type* i32 = ir.getInt32Ty();
    Value *going = variable(ir, i32), *said = variable(ir, i32);
    BasicBlock *head = block_of(ir), *end = block_of(ir);
    ir.CreateBr(head);
    ir.SetInsertPoint(head);
    ir.CreateStore(ir.getInt32(0), going);
    count_to(ir, tiles_, [&](Value* i) {
        Value* frame = frame_of(ir, i);
        const auto word = [&](Word which) { return ir.CreateLoad(i32, word_of(ir, frame, which)); };
        Value* state = word(word_state);
        when(ir, ir.CreateICmpNE(state, ir.getInt32(over)), [&] {
            set_block(ir, word(word_block));
            const Place place{word(word_x), word(word_y), word(word_z), word(word_number)};
            for (const State which : {of_all, masked}) {
                if (!(which == masked ? code_.frame_bytes : code_.frame_bytes_of_all)) continue;
                when(ir, ir.CreateICmpEQ(state, ir.getInt32(which)), [&] {
                    ir.CreateStore(call(ir, which == masked, place, frame, ir.getInt32(Rounds::go_on)), said);
                });
            }
            Value* goes_on = ir.CreateICmpEQ(ir.CreateLoad(i32, said), ir.getInt32(Rounds::more));
            ir.CreateStore(ir.CreateSelect(goes_on, state, ir.getInt32(over)), word_of(ir, frame, word_state));
            ir.CreateStore(ir.CreateOr(ir.CreateLoad(i32, going), ir.CreateZExt(goes_on, i32)), going);
        });
    });
    ir.CreateCondBr(ir.CreateIsNull(ir.CreateLoad(i32, going)), end, head);
    ir.SetInsertPoint(end);
}

} // namespace ptx::code

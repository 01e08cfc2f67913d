#include "llvm_to_code/host_tiles.h"

#include "ptx/host_abi.h"

#include <llvm/IR/MDBuilder.h>
#include <llvm/IR/Module.h>

#include <cstddef>

namespace ptx::code {
namespace {

using IR = llvm::IRBuilder<>;
using host::Grid;
using host::Lane;
using host::PhaseBox;
using host::PhaseState;
using llvm::BasicBlock;
using llvm::Value;

void store(IR& ir, Value* base, uint32_t offset, Value* value) {
    ir.CreateStore(value, ir.CreateConstInBoundsGEP1_32(ir.getInt8Ty(), base, offset));
}

Value* load(IR& ir, Value* base, size_t offset, llvm::Type* type) {
    return ir.CreateLoad(type, ir.CreateConstInBoundsGEP1_32(ir.getInt8Ty(), base, unsigned(offset)));
}

/// The scalar code of threads that are left over from tiles, or refused by them.
void make_leftover(llvm::Function& body) {
    body.removeFnAttr(llvm::Attribute::AlwaysInline);
    body.addFnAttr(llvm::Attribute::NoInline);
    body.addFnAttr(llvm::Attribute::OptimizeForSize);
}

/// From first to after; `body` gives by how much to go on.
void loop(IR& ir, Value* first, Value* after, llvm::function_ref<Value*(IR&, Value*)> body) {
    llvm::Function* function = ir.GetInsertBlock()->getParent();
    BasicBlock* before = ir.GetInsertBlock();
    BasicBlock* head = BasicBlock::Create(ir.getContext(), "", function);
    ir.CreateBr(head);
    ir.SetInsertPoint(head);
    llvm::PHINode* index = ir.CreatePHI(ir.getInt32Ty(), 2);
    index->addIncoming(first, before);
    Value* next = ir.CreateNUWAdd(index, body(ir, index));
    index->addIncoming(next, ir.GetInsertBlock());
    BasicBlock* done = BasicBlock::Create(ir.getContext(), "", function);
    // No dimension is empty, so the test may come last.
    ir.CreateCondBr(ir.CreateICmpULT(next, after), head, done);
    ir.SetInsertPoint(done);
}

/// Where the loops are: %tid, and the thread's number in its CTA.
struct Place {
    Value *x, *y, *z, *number;
};

/// Loops over the threads of a box, begin <= %tid < end.
class TileLoops {
  public:
    Value *begin[3], *end[3], *size[3];
    /// Makes code for the threads of so many rows from a place on, up to the %tid.x where they end.
    llvm::function_ref<void(IR&, const Place&, Value* rows, Value* x_end)> threads;
    /// Makes code for the tile at a place, which says whether that was run.
    llvm::function_ref<Value*(IR&, const Place&)> tile;
    llvm::function_ref<void(IR&, const Place&)> after_tile;
    unsigned columns, rows;
    bool whole_warps = false;

    void make(IR& ir) {
        loop(ir, begin[2], end[2], [&](IR& at, Value* z) { return make_rows(at, z), at.getInt32(1); });
    }

  private:
    void make_rows(IR& ir, Value* z) {
        loop(ir, begin[1], end[1], [&](IR& at, Value* y) -> Value* {
            Value* enough = rows == 1 ? at.getTrue() : at.CreateICmpUGE(at.CreateNUWSub(end[1], y), at.getInt32(rows));
            Value* step = at.CreateSelect(enough, at.getInt32(rows), at.getInt32(1));
            // PTX ISA 10.1 and 10.3: threads are numbered x first.
            Value* row = at.CreateNUWMul(at.CreateNUWAdd(at.CreateNUWMul(z, size[1]), y), size[0]);
            Value* tiles_end = make_tiles_end(at, at.CreateNUWAdd(row, begin[0]), enough);
            loop(at, begin[0], end[0], [&](IR& in, Value* x) {
                return make_piece(in, {x, y, z, in.CreateNUWAdd(row, x)}, tiles_end, step);
            });
            return step;
        });
    }

    /// The %tid.x where the tiles of rows end that begin with the thread of that number.
    Value* make_tiles_end(IR& ir, Value* number, Value* enough) {
        // Tiles begin at multiples of their width, by %tid.x and by number, in all rows.
        Value* low = ir.CreateOr(begin[0], number);
        if (rows > 1) low = ir.CreateOr(low, size[0]);
        Value* aligned = ir.CreateAnd(enough, ir.CreateIsNull(ir.CreateAnd(low, columns - 1)));
        if (whole_warps && rows > 1) {
            aligned = ir.CreateAnd(aligned, ir.CreateICmpEQ(size[0], ir.getInt32(columns)));
            aligned = ir.CreateAnd(aligned, ir.CreateIsNull(ir.CreateAnd(number, columns * rows - 1)));
        }
        return ir.CreateSelect(aligned, ir.CreateAnd(end[0], ~(columns - 1)), ir.getInt32(0));
    }

    Value* make_piece(IR& ir, const Place& place, Value* tiles_end, Value* step) {
        llvm::Function* function = ir.GetInsertBlock()->getParent();
        const auto block = [&](const char* name) { return BasicBlock::Create(ir.getContext(), name, function); };
        BasicBlock *whole = block("tile"), *done = block("tile_done"), *single = block("threads"),
                   *next = block("next");
        BasicBlock* before = ir.GetInsertBlock();
        llvm::MDNode* likely = llvm::MDBuilder(ir.getContext()).createLikelyBranchWeights();
        ir.CreateCondBr(ir.CreateICmpULT(place.x, tiles_end), whole, single, likely);
        ir.SetInsertPoint(whole);
        Value* run = tile(ir, place);
        BasicBlock* whole_end = ir.GetInsertBlock();
        ir.CreateCondBr(run, done, single, likely);
        ir.SetInsertPoint(done);
        after_tile(ir, place);
        BasicBlock* done_end = ir.GetInsertBlock();
        ir.CreateBr(next);
        // Those of a tile that was refused, or all that are left of the rows.
        ir.SetInsertPoint(single);
        llvm::PHINode* after = ir.CreatePHI(ir.getInt32Ty(), 2);
        after->addIncoming(end[0], before);
        IR at_whole(whole_end->getTerminator());
        after->addIncoming(at_whole.CreateNUWAdd(place.x, at_whole.getInt32(columns)), whole_end);
        threads(ir, place, step, after);
        BasicBlock* single_end = ir.GetInsertBlock();
        Value* passed = ir.CreateNUWSub(after, place.x);
        ir.CreateBr(next);
        ir.SetInsertPoint(next);
        llvm::PHINode* way = ir.CreatePHI(ir.getInt32Ty(), 2);
        way->addIncoming(ir.getInt32(columns), done_end);
        way->addIncoming(passed, single_end);
        return way;
    }
};

void set_thread(IR& ir, Value* lane, const Place& place) {
    store(ir, lane, offsetof(Lane, thread), place.x);
    store(ir, lane, offsetof(Lane, thread) + 4, place.y);
    store(ir, lane, offsetof(Lane, thread) + 8, place.z);
    store(ir, lane, offsetof(Lane, lane), ir.CreateAnd(place.number, 31));
    store(ir, lane, offsetof(Lane, warp), ir.CreateLShr(place.number, 5));
}

/// A function of its own for threads one by one, so that it costs the loops over tiles neither registers nor a copy of
/// the Lane.
class Leftover {
  public:
    using One = llvm::function_ref<Value*(IR&, Value* lane, const Place&, llvm::ArrayRef<Value*> more)>;

    /// `one` makes code for the thread at a place, whose Lane is `lane`, and gives what it returns, or null. `more`: the
    /// function's further arguments.
    Leftover(llvm::Function& body, llvm::ArrayRef<llvm::Type*> more, One one) {
        make_leftover(body);
        llvm::LLVMContext& context = body.getContext();
        llvm::Type *pointer = llvm::PointerType::get(context, 0), *i32 = llvm::Type::getInt32Ty(context);
        llvm::SmallVector<llvm::Type*, 12> types{pointer};
        types.append(fixed - 1, i32);
        types.append(more.begin(), more.end());
        auto* type = llvm::FunctionType::get(llvm::StructType::get(i32, i32), types, false);
        function_ = llvm::Function::Create(type, llvm::Function::InternalLinkage, body.getName() + ".leftover",
                                           body.getParent());
        make_leftover(*function_);
        IR ir(BasicBlock::Create(context, "entry", function_));
        const auto argument = [&](unsigned i) -> Value* { return function_->getArg(i); };
        Value *size = argument(1), *x = argument(2), *y = argument(3), *z = argument(4), *number = argument(5),
              *rows = argument(6), *x_end = argument(7);
        llvm::SmallVector<Value*, 4> others;
        for (unsigned i = fixed; i < function_->arg_size(); ++i) others.push_back(argument(i));
        Value* lane = copy_lane(ir, argument(0));
        llvm::AllocaInst *all = ir.CreateAlloca(i32), *any = ir.CreateAlloca(i32);
        ir.CreateStore(ir.getInt32(~0u), all);
        ir.CreateStore(ir.getInt32(0), any);
        loop(ir, ir.getInt32(0), rows, [&](IR& rows_at, Value* row) {
            Value* first = rows_at.CreateNUWAdd(number, rows_at.CreateNUWMul(row, size));
            loop(rows_at, x, x_end, [&](IR& at, Value* column) {
                Value* own = at.CreateNUWAdd(first, at.CreateNUWSub(column, x));
                const Place place{column, at.CreateNUWAdd(y, row), z, own};
                set_thread(at, lane, place);
                if (Value* result = one(at, lane, place, others)) {
                    at.CreateStore(at.CreateAnd(at.CreateLoad(i32, all), result), all);
                    at.CreateStore(at.CreateOr(at.CreateLoad(i32, any), result), any);
                }
                return at.getInt32(1);
            });
            return rows_at.getInt32(1);
        });
        Value* both[] = {ir.CreateLoad(i32, all), ir.CreateLoad(i32, any)};
        ir.CreateAggregateRet(both, 2);
    }

    /// The bits that all results have, and those that any has.
    std::pair<Value*, Value*> call(IR& ir, Value* lane, Value* size_x, const Place& at, Value* rows, Value* x_end,
                                   llvm::ArrayRef<Value*> more) const {
        llvm::SmallVector<Value*, 12> arguments{lane, size_x, at.x, at.y, at.z, at.number, rows, x_end};
        arguments.append(more.begin(), more.end());
        Value* both = ir.CreateCall(function_, arguments);
        return {ir.CreateExtractValue(both, 0), ir.CreateExtractValue(both, 1)};
    }

  private:
    static constexpr unsigned fixed = 8; ///< arguments: the Lane*, %ntid.x, the place, rows and where x ends
    llvm::Function* function_;
};

/// What the tile's function gets behind `common`: by rows, where there are several, what differs between them.
/// `numbers_end`: not 0 if the thread's number is one that begins anew there.
llvm::SmallVector<Value*, 16> tile_arguments(IR& ir, llvm::ArrayRef<Value*> common, const Place& place, Value* size_x,
                                             const TileCode& code, bool with_number, Value* results,
                                             uint32_t numbers_end = 0) {
    llvm::SmallVector<Value*, 16> arguments(common), numbers;
    for (unsigned row = 0; row < code.rows; ++row)
        numbers.push_back(ir.CreateNUWAdd(place.number, ir.CreateNUWMul(size_x, ir.getInt32(row))));
    if (with_number)
        for (Value* number : numbers)
            arguments.push_back(ir.CreateZExt(numbers_end ? ir.CreateAnd(number, numbers_end - 1) : number,
                                              ir.getInt64Ty()));
    arguments.push_back(place.x);
    for (unsigned row = 0; row < code.rows; ++row) arguments.push_back(ir.CreateNUWAdd(place.y, ir.getInt32(row)));
    for (Value* number : numbers) arguments.push_back(ir.CreateAnd(number, 31));
    for (Value* number : numbers) arguments.push_back(ir.CreateLShr(number, 5));
    arguments.push_back(results);
    return arguments;
}

/// Whether the tile was run.
Value* run_tile(IR& ir, const TileCode& code, llvm::ArrayRef<Value*> arguments) {
    if (!code.function_of_all) return ir.CreateCall(code.function, arguments);
    if (!code.function) return ir.CreateCall(code.function_of_all, arguments);
    llvm::Function* function = ir.GetInsertBlock()->getParent();
    const auto block = [&](const char* name) { return BasicBlock::Create(ir.getContext(), name, function); };
    BasicBlock *some = block("some"), *end = block("tile_end");
    Value* all = ir.CreateCall(code.function_of_all, arguments);
    BasicBlock* before = ir.GetInsertBlock();
    ir.CreateCondBr(all, end, some, llvm::MDBuilder(ir.getContext()).createLikelyBranchWeights());
    ir.SetInsertPoint(some);
    Value* masked = ir.CreateCall(code.function, arguments);
    ir.CreateBr(end);
    ir.SetInsertPoint(end);
    llvm::PHINode* result = ir.CreatePHI(ir.getInt1Ty(), 2);
    result->addIncoming(ir.getTrue(), before);
    result->addIncoming(masked, some);
    return result;
}

} // namespace

llvm::AllocaInst* copy_lane(IR& ir, Value* source) {
    llvm::AllocaInst* copy = ir.CreateAlloca(llvm::ArrayType::get(ir.getInt8Ty(), sizeof(Lane)));
    copy->setAlignment(llvm::Align(alignof(Lane)));
    ir.CreateMemCpy(copy, copy->getAlign(), source, llvm::Align(alignof(Lane)), sizeof(Lane));
    return copy;
}

void fill_tile_range(llvm::Function& range, llvm::Function& body, const TileCode& code) {
    IR ir(&range.getEntryBlock());
    Value *source = range.getArg(0), *wide_lane = copy_lane(ir, source);
    Value* grid = load(ir, source, offsetof(Lane, grid), ir.getPtrTy());
    TileLoops loops;
    for (unsigned axis = 0; axis < 3; ++axis) {
        Value* index = load(ir, source, offsetof(Lane, thread) + 4 * axis, ir.getInt32Ty());
        loops.size[axis] = load(ir, grid, offsetof(Grid, block_dim) + 4 * axis, ir.getInt32Ty());
        loops.begin[axis] = ir.CreateSelect(range.getArg(1), index, ir.getInt32(0));
        loops.end[axis] = ir.CreateSelect(range.getArg(1), ir.CreateNUWAdd(index, ir.getInt32(1)), loops.size[axis]);
    }
    const Leftover leftover(body, {}, [&](IR& at, Value* lane, const Place&, llvm::ArrayRef<Value*>) -> Value* {
        at.CreateCall(&body, {lane});
        return nullptr;
    });
    const auto threads = [&](IR& at, const Place& place, Value* rows, Value* x_end) {
        leftover.call(at, source, loops.size[0], place, rows, x_end, {});
    };
    const auto tile = [&](IR& at, const Place& place) -> Value* {
        store(at, wide_lane, offsetof(Lane, thread) + 8, place.z);
        return run_tile(
            at, code,
            tile_arguments(at, {wide_lane}, place, loops.size[0], code, false, llvm::PoisonValue::get(at.getPtrTy())));
    };
    const auto nothing = [](IR&, const Place&) {};
    loops.threads = threads;
    loops.tile = tile;
    loops.after_tile = nothing;
    loops.columns = code.columns;
    loops.rows = code.rows;
    loops.whole_warps = code.whole_warps;
    loops.make(ir);
    ir.CreateRetVoid();
}

void fill_tile_box(llvm::Function& box, llvm::Function& phase, const TileCode& code, uint32_t warp_bytes) {
    IR ir(&box.getEntryBlock());
    llvm::Type *pointer = ir.getPtrTy(), *i32 = ir.getInt32Ty(), *i64 = ir.getInt64Ty();
    Value *source = box.getArg(0), *wide_lane = copy_lane(ir, source);
    Value *grid = load(ir, source, offsetof(Lane, grid), pointer),
          *state = load(ir, source, offsetof(Lane, phases), pointer);
    Value *slots = load(ir, state, offsetof(PhaseState, slots), pointer),
          *next = load(ir, state, offsetof(PhaseState, next), pointer);
    TileLoops loops;
    Value* threads = ir.getInt32(1);
    for (unsigned axis = 0; axis < 3; ++axis) {
        loops.begin[axis] = load(ir, box.getArg(1), offsetof(PhaseBox, begin) + 4 * axis, i32);
        loops.end[axis] = load(ir, box.getArg(1), offsetof(PhaseBox, end) + 4 * axis, i32);
        loops.size[axis] = load(ir, grid, offsetof(Grid, block_dim) + 4 * axis, i32);
        threads = ir.CreateNUWMul(threads, loops.size[axis]);
    }
    threads = ir.CreateZExt(ir.CreateAnd(ir.CreateNUWAdd(threads, ir.getInt32(31)), ~31u), i64);
    // All threads agree when no bit is set in one's number and clear in another's.
    llvm::AllocaInst *all = ir.CreateAlloca(i32), *any = ir.CreateAlloca(i32);
    ir.CreateStore(ir.getInt32(~0u), all);
    ir.CreateStore(ir.getInt32(0), any);
    const unsigned lanes = code.columns * code.rows;
    constexpr uint32_t in_warp = 32;
    const auto slots_of = [&](IR& at, Value* all_slots, Value* number) -> Value* {
        if (!warp_bytes) return all_slots;
        Value* warp = at.CreateZExt(at.CreateLShr(number, llvm::Log2_32(in_warp)), i64);
        return at.CreateGEP(at.getInt8Ty(), all_slots, at.CreateNUWMul(warp, at.getInt64(warp_bytes)));
    };
    if (warp_bytes) threads = ir.getInt64(in_warp);
    auto* wide = llvm::FixedVectorType::get(i32, lanes);
    llvm::AllocaInst* results = ir.CreateAlloca(code.one_result ? i32 : static_cast<llvm::Type*>(wide));
    const auto note = [&](IR& at, Value* both, Value* either) {
        at.CreateStore(at.CreateAnd(at.CreateLoad(i32, all), both), all);
        at.CreateStore(at.CreateOr(at.CreateLoad(i32, any), either), any);
    };
    const auto one = [&](IR& at, Value* lane, const Place& place, llvm::ArrayRef<Value*> more) -> Value* {
        Value *number = at.CreateZExt(place.number, i64), *of_thread = slots_of(at, more[1], place.number);
        Value* among = warp_bytes ? at.CreateAnd(number, in_warp - 1) : number;
        Value* result = at.CreateCall(&phase, {lane, more[0], of_thread, more[2], among});
        if (code.result) return nullptr;
        at.CreateStore(result, at.CreateGEP(i32, more[3], number));
        return result;
    };
    const Leftover leftover(phase, {pointer, pointer, i64, pointer}, one);
    const auto threads_alone = [&](IR& at, const Place& place, Value* rows, Value* x_end) {
        const auto [both, either] =
            leftover.call(at, source, loops.size[0], place, rows, x_end, {state, slots, threads, next});
        if (!code.result) note(at, both, either);
    };
    const auto tile = [&](IR& at, const Place& place) -> Value* {
        store(at, wide_lane, offsetof(Lane, thread) + 8, place.z);
        return run_tile(at, code, tile_arguments(at, {wide_lane, state, slots_of(at, slots, place.number), threads}, place,
                                                 loops.size[0], code, true, results, warp_bytes ? in_warp : 0));
    };
    const auto after = [&](IR& at, const Place& place) {
        if (code.result) return;
        Value* numbers = at.CreateLoad(results->getAllocatedType(), results);
        if (code.one_result) {
            note(at, numbers, numbers);
            numbers = at.CreateVectorSplat(lanes, numbers);
        } else {
            note(at, at.CreateAndReduce(numbers), at.CreateOrReduce(numbers));
        }
        for (unsigned row = 0; row < code.rows; ++row) {
            llvm::SmallVector<int, 32> columns;
            for (unsigned i = 0; i < code.columns; ++i) columns.push_back(int(row * code.columns + i));
            Value* first = at.CreateNUWAdd(place.number, at.CreateNUWMul(loops.size[0], at.getInt32(row)));
            at.CreateAlignedStore(code.rows == 1 ? numbers : at.CreateShuffleVector(numbers, columns),
                                  at.CreateGEP(i32, next, at.CreateZExt(first, i64)), llvm::Align(4));
        }
    };
    loops.threads = threads_alone;
    loops.tile = tile;
    loops.after_tile = after;
    loops.columns = code.columns;
    loops.rows = code.rows;
    loops.whole_warps = code.whole_warps;
    loops.make(ir);
    if (code.result) {
        ir.CreateRet(ir.getInt32(*code.result));
        return;
    }
    Value *both = ir.CreateLoad(i32, all), *either = ir.CreateLoad(i32, any);
    ir.CreateRet(ir.CreateSelect(ir.CreateICmpEQ(both, either), both, ir.getInt32(host::phase_mixed)));
}

} // namespace ptx::code

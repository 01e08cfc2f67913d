#include "llvm_to_code/host_tile_loops.h"

#include "ptx/host_abi.h"

#include <llvm/IR/MDBuilder.h>
#include <llvm/IR/Module.h>

#include <array>
#include <cstddef>

namespace ptx::code {

using host::Grid;
using host::Lane;
using llvm::BasicBlock;
using llvm::Value;

void store(IR& ir, Value* base, uint32_t offset, Value* value) {
    ir.CreateStore(value, ir.CreateConstInBoundsGEP1_32(ir.getInt8Ty(), base, offset));
}

Value* load(IR& ir, Value* base, size_t offset, llvm::Type* type) {
    return ir.CreateLoad(type, ir.CreateConstInBoundsGEP1_32(ir.getInt8Ty(), base, unsigned(offset)));
}

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

void make_leftover(llvm::Function& body) {
    body.removeFnAttr(llvm::Attribute::AlwaysInline);
    body.addFnAttr(llvm::Attribute::NoInline);
    body.addFnAttr(llvm::Attribute::OptimizeForSize);
}

namespace {

void set_thread(IR& ir, Value* lane, const Place& place) {
    store(ir, lane, offsetof(Lane, thread), place.x);
    store(ir, lane, offsetof(Lane, thread) + 4, place.y);
    store(ir, lane, offsetof(Lane, thread) + 8, place.z);
    store(ir, lane, offsetof(Lane, lane), ir.CreateAnd(place.number, 31));
    store(ir, lane, offsetof(Lane, warp), ir.CreateLShr(place.number, 5));
}

} // namespace

/// One loop, as in many blocks each row of tiles has but one: what differs from row to row is kept up to date. It has
/// one way back, or LLVM would make a loop for each axis again, and put what is the same in a row, of one tile, on the
/// stack.
void TileLoops::make(IR& ir) {
    IR early(ir.getContext());
    early.SetInsertPoint(ir.GetInsertBlock());
    if (ahead) early.SetInsertPoint(ahead);
    x_end_ = end[0];
    if (idle_from) {
        // Where only idle ones are in the box they are run like others: no loop is empty.
        Value* idle = early.getInt32(uint32_t(llvm::alignTo(*idle_from, columns)));
        Value* first = early.CreateBinaryIntrinsic(llvm::Intrinsic::umin, end[0], idle);
        x_end_ = early.CreateSelect(early.CreateICmpULT(begin[0], idle), first, end[0]);
    }
    tiles_end_ = early.CreateAnd(x_end_, ~(columns - 1));
    aligned_ = early.CreateIsNull(early.CreateAnd(early.CreateOr(begin[0], size[0]), columns - 1));
    if (rows == 1) rest_end_ = early.CreateSelect(aligned_, tiles_end_, early.getInt32(0));
    Value* first = row_number(early, begin[2], begin[1]);
    const Row first_row = make_row(early, first, begin[1], true);
    if (!ahead) ir.SetInsertPoint(early.GetInsertBlock());
    llvm::Function* function = ir.GetInsertBlock()->getParent();
    const auto block = [&](const char* name) { return BasicBlock::Create(ir.getContext(), name, function); };
    BasicBlock *head = block("piece"), *next_row = block("row"), *next_z = block("z"), *again = block("again"),
               *done = block("done");
    if (idle_from && *idle_from <= columns && rows == 1) make_only_tile(ir, done);
    BasicBlock* before = ir.GetInsertBlock();
    ir.CreateBr(head);
    enum { x, y, z, number, tiles_end, step, values };
    using Values = std::array<Value*, values>;
    const auto make_phis = [&](BasicBlock* at) {
        Values phis{};
        ir.SetInsertPoint(at);
        for (unsigned i = 0; i < values; ++i)
            if (i != step || rows > 1) phis[i] = ir.CreatePHI(ir.getInt32Ty(), 3);
        return phis;
    };
    const auto enter = [](const Values& phis, BasicBlock* from, const Values& given) {
        for (unsigned i = 0; i < values; ++i)
            if (phis[i]) llvm::cast<llvm::PHINode>(phis[i])->addIncoming(given[i], from);
    };
    const Values on = make_phis(again);
    ir.CreateBr(head);
    const Values here = make_phis(head);
    enter(here, before, {begin[0], begin[1], begin[2], first, first_row.end, first_row.step});
    enter(here, again, on);
    Value* rows_here = here[step] ? here[step] : ir.getInt32(1);
    const Place place{here[x], here[y], here[z], ir.CreateNUWAdd(here[number], here[x])};
    Value* next_x = ir.CreateNUWAdd(here[x], make_piece(ir, place, here[tiles_end], rows_here));
    enter(on, ir.GetInsertBlock(), {next_x, here[y], here[z], here[number], here[tiles_end], here[step]});
    // No dimension is empty, so the tests may come last.
    ir.CreateCondBr(ir.CreateICmpULT(next_x, x_end_), again, next_row);
    ir.SetInsertPoint(next_row);
    Value* y_after = ir.CreateNUWAdd(here[y], rows_here);
    Value* next_number = ir.CreateNUWAdd(here[number], rows == 1 ? size[0] : ir.CreateNUWMul(size[0], rows_here));
    const Row row_after = make_row(ir, next_number, y_after, false);
    enter(on, next_row, {begin[0], y_after, here[z], next_number, row_after.end, row_after.step});
    ir.CreateCondBr(ir.CreateICmpULT(y_after, end[1]), again, next_z);
    ir.SetInsertPoint(next_z);
    Value* z_after = ir.CreateNUWAdd(here[z], ir.getInt32(1));
    Value* number_after = row_number(ir, z_after, begin[1]);
    const Row row_of_z = make_row(ir, number_after, begin[1], false);
    enter(on, next_z, {begin[0], begin[1], z_after, number_after, row_of_z.end, row_of_z.step});
    ir.CreateCondBr(ir.CreateICmpULT(z_after, end[2]), again, done);
    ir.SetInsertPoint(done);
}

/// Where only the first tile of each row has threads that are not idle, and there is one row, as in the last rounds of
/// a sum: no loop. What is asked is the same in all phases.
void TileLoops::make_only_tile(IR& ir, BasicBlock* done) {
    llvm::Function* function = ir.GetInsertBlock()->getParent();
    IR at(ir.getContext());
    at.SetInsertPoint(ir.GetInsertBlock(), ir.GetInsertPoint());
    if (llvm::Instruction* end = function->getEntryBlock().getTerminator()) at.SetInsertPoint(end);
    Value* corner = at.CreateIsNull(at.CreateOr(at.CreateOr(begin[0], begin[1]), begin[2]));
    Value* one_row = at.CreateICmpEQ(at.CreateOr(end[1], end[2]), at.getInt32(1));
    Value* whole = at.CreateAnd(at.CreateICmpUGE(end[0], at.getInt32(columns)),
                                at.CreateIsNull(at.CreateAnd(size[0], columns - 1)));
    Value* alone = at.CreateAnd(at.CreateAnd(corner, one_row), whole);
    const auto block = [&](const char* name) { return BasicBlock::Create(ir.getContext(), name, function); };
    BasicBlock *only = block("only"), *run = block("run"), *loops = block("loops");
    llvm::MDNode* likely = llvm::MDBuilder(ir.getContext()).createLikelyBranchWeights();
    ir.CreateCondBr(alone, only, loops, likely);
    ir.SetInsertPoint(only);
    Value* zero = ir.getInt32(0);
    const Place first{zero, zero, zero, zero};
    ir.CreateCondBr(tile(ir, first), run, loops, likely);
    ir.SetInsertPoint(run);
    after_tile(ir, first);
    ir.CreateBr(done);
    ir.SetInsertPoint(loops);
}

/// Of the first thread of a row. PTX ISA 10.1 and 10.3: threads are numbered x first.
Value* TileLoops::row_number(IR& ir, Value* z, Value* y) const {
    return ir.CreateNUWMul(ir.CreateNUWAdd(ir.CreateNUWMul(z, size[1]), y), size[0]);
}

/// Tiles begin at multiples of their width, by %tid.x and by number, in all rows. Those behind the first have tiles
/// only if each row has: that is known before the loop.
TileLoops::Row TileLoops::make_row(IR& ir, Value* number, Value* y, bool is_first) const {
    Value* aligned = aligned_;
    if (rows == 1) {
        if (!is_first) return {rest_end_, nullptr};
        aligned = ir.CreateIsNull(ir.CreateAnd(ir.CreateOr(begin[0], ir.CreateNUWAdd(number, begin[0])), columns - 1));
    }
    Value* step = nullptr;
    if (rows > 1) {
        Value* enough = ir.CreateICmpUGE(ir.CreateSub(end[1], y), ir.getInt32(rows));
        step = ir.CreateSelect(enough, ir.getInt32(rows), ir.getInt32(1));
        aligned = ir.CreateAnd(enough, aligned);
    }
    if (whole_warps && rows > 1) {
        aligned = ir.CreateAnd(aligned, ir.CreateICmpEQ(size[0], ir.getInt32(columns)));
        Value* first = ir.CreateAnd(ir.CreateNUWAdd(number, begin[0]), columns * rows - 1);
        aligned = ir.CreateAnd(aligned, ir.CreateIsNull(first));
    }
    return {ir.CreateSelect(aligned, tiles_end_, ir.getInt32(0)), step};
}

Value* TileLoops::make_piece(IR& ir, const Place& place, Value* tiles_end, Value* step) {
    llvm::Function* function = ir.GetInsertBlock()->getParent();
    const auto block = [&](const char* name) { return BasicBlock::Create(ir.getContext(), name, function); };
    BasicBlock *whole = block("tile"), *done = block("tile_done"), *alone = block("refused"),
               *single = block("threads"), *next = block("next");
    BasicBlock* before = ir.GetInsertBlock();
    llvm::MDNode* likely = llvm::MDBuilder(ir.getContext()).createLikelyBranchWeights();
    ir.CreateCondBr(ir.CreateICmpULT(place.x, tiles_end), whole, single, likely);
    ir.SetInsertPoint(whole);
    Value* run = tile(ir, place);
    ir.CreateCondBr(run, done, alone, likely);
    ir.SetInsertPoint(alone);
    if (refused) refused(ir);
    Value* tile_end = ir.CreateNUWAdd(place.x, ir.getInt32(columns));
    BasicBlock* refused_end = ir.GetInsertBlock();
    ir.CreateBr(single);
    ir.SetInsertPoint(done);
    after_tile(ir, place);
    BasicBlock* done_end = ir.GetInsertBlock();
    ir.CreateBr(next);
    // Those of a tile that was refused, or all that are left of the rows.
    ir.SetInsertPoint(single);
    llvm::PHINode* after = ir.CreatePHI(ir.getInt32Ty(), 2);
    after->addIncoming(x_end_, before);
    after->addIncoming(tile_end, refused_end);
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

Leftover::Leftover(llvm::Module& module, const llvm::Twine& name, llvm::ArrayRef<llvm::Type*> more, One one) {
    llvm::LLVMContext& context = module.getContext();
    llvm::Type *pointer = llvm::PointerType::get(context, 0), *i32 = llvm::Type::getInt32Ty(context);
    llvm::SmallVector<llvm::Type*, 12> types{pointer};
    types.append(fixed - 1, i32);
    types.append(more.begin(), more.end());
    auto* type = llvm::FunctionType::get(llvm::StructType::get(i32, i32), types, false);
    function_ = llvm::Function::Create(type, llvm::Function::InternalLinkage, name + ".leftover", module);
    make_leftover(*function_);
    IR ir(BasicBlock::Create(context, "entry", function_));
    const auto argument = [&](unsigned i) -> Value* { return function_->getArg(i); };
    Value *x = argument(1), *y = argument(2), *z = argument(3), *rows = argument(4), *x_end = argument(5);
    llvm::SmallVector<Value*, 4> others;
    for (unsigned i = fixed; i < function_->arg_size(); ++i) others.push_back(argument(i));
    Value* lane = copy_lane(ir, argument(0));
    Value* grid = load(ir, argument(0), offsetof(Lane, grid), pointer);
    Value* size = load(ir, grid, offsetof(Grid, block_dim), i32);
    Value* number = ir.CreateNUWMul(z, load(ir, grid, offsetof(Grid, block_dim) + 4, i32));
    number = ir.CreateNUWAdd(ir.CreateNUWMul(ir.CreateNUWAdd(number, y), size), x);
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

std::pair<Value*, Value*> Leftover::call(IR& ir, Value* lane, const Place& at, Value* rows, Value* x_end,
                                         llvm::ArrayRef<Value*> more) const {
    llvm::SmallVector<Value*, 12> arguments{lane, at.x, at.y, at.z, rows, x_end};
    arguments.append(more.begin(), more.end());
    Value* both = ir.CreateCall(function_, arguments);
    return {ir.CreateExtractValue(both, 0), ir.CreateExtractValue(both, 1)};
}

/// What the tile's function gets behind `common`: by rows, where there are several, what differs between them.
/// `numbers_end`: not 0 if the thread's number is one that begins anew there.
llvm::SmallVector<Value*, 16> tile_arguments(IR& ir, llvm::ArrayRef<Value*> common, const Place& place, Value* size_x,
                                             const TileCode& code, bool with_number, Value* results, Value* abridged,
                                             uint32_t numbers_end) {
    llvm::SmallVector<Value*, 16> arguments(common), numbers;
    for (unsigned row = 0; row < code.rows; ++row)
        numbers.push_back(ir.CreateNUWAdd(place.number, ir.CreateNUWMul(size_x, ir.getInt32(row))));
    if (with_number)
        for (Value* number : numbers)
            arguments.push_back(
                ir.CreateZExt(numbers_end ? ir.CreateAnd(number, numbers_end - 1) : number, ir.getInt64Ty()));
    arguments.push_back(place.x);
    // PTX ISA 10.1: %tid.y is below 1024. LLVM then adds rows up in addresses.
    Value* y = ir.CreateAnd(place.y, 1023);
    for (unsigned row = 0; row < code.rows; ++row) arguments.push_back(ir.CreateNUWAdd(y, ir.getInt32(row)));
    for (Value* number : numbers) arguments.push_back(ir.CreateAnd(number, 31));
    for (Value* number : numbers) arguments.push_back(ir.CreateLShr(number, 5));
    arguments.append({results, abridged});
    return arguments;
}

/// Whether the tile was run.
Value* run_tile(IR& ir, const TileCode& code, llvm::ArrayRef<Value*> arguments, const Place& place, Value* other_lane) {
    store(ir, arguments[0], offsetof(Lane, thread) + 8, place.z);
    if (!code.function_of_all) return ir.CreateCall(code.function, arguments);
    if (!code.function) return ir.CreateCall(code.function_of_all, arguments);
    llvm::Function* function = ir.GetInsertBlock()->getParent();
    const auto block = [&](const char* name) { return BasicBlock::Create(ir.getContext(), name, function); };
    BasicBlock *some = block("some"), *end = block("tile_end");
    Value* all = ir.CreateCall(code.function_of_all, arguments);
    BasicBlock* before = ir.GetInsertBlock();
    ir.CreateCondBr(all, end, some, llvm::MDBuilder(ir.getContext()).createLikelyBranchWeights());
    ir.SetInsertPoint(some);
    store(ir, other_lane, offsetof(Lane, thread) + 8, place.z);
    llvm::SmallVector<Value*, 16> others(arguments);
    others[0] = other_lane;
    Value* masked = ir.CreateCall(code.function, others);
    ir.CreateBr(end);
    ir.SetInsertPoint(end);
    llvm::PHINode* result = ir.CreatePHI(ir.getInt1Ty(), 2);
    result->addIncoming(ir.getTrue(), before);
    result->addIncoming(masked, some);
    return result;
}

} // namespace ptx::code

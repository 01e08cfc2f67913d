#include "llvm_to_code/host_entry.h"

#include "llvm_to_code/host_calls.h"
#include "llvm_to_code/host_lane.h"
#include "llvm_to_code/host_phases.h"
#include "llvm_to_code/host_rounds.h"
#include "llvm_to_code/loops_of_threads.h"

#include <llvm/IR/InstIterator.h>
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

llvm::Function* make_function(llvm::Module& module, llvm::StringRef name, llvm::Type* result,
                              llvm::ArrayRef<llvm::Type*> parameters, bool exported) {
    auto* type = llvm::FunctionType::get(result, parameters, false);
    auto* function = llvm::Function::Create(
        type, exported ? llvm::Function::ExternalLinkage : llvm::Function::InternalLinkage, name, module);
    if (exported) function->setVisibility(llvm::GlobalValue::DefaultVisibility);
    llvm::BasicBlock::Create(module.getContext(), "entry", function);
    return function;
}

void store(IR& ir, llvm::Value* base, uint32_t offset, llvm::Value* value) {
    ir.CreateStore(value, ir.CreateConstInBoundsGEP1_32(ir.getInt8Ty(), base, offset));
}

/// The function's frame lies below its frame address: the saved frame pointer and the return address are above.
void note_stack_top(IR& ir, llvm::Value* lane) {
    llvm::Value* frame = ir.CreateIntrinsic(llvm::Intrinsic::frameaddress, {ir.getPtrTy()}, {ir.getInt32(0)});
    store(ir, lane, offsetof(Lane, stack_top), ir.CreatePtrToInt(frame, ir.getInt64Ty()));
}

void forward(llvm::Module& module, llvm::StringRef name, llvm::Function& callee, llvm::Value* extra, bool inlined,
             bool note_stack) {
    llvm::Type* pointer = llvm::PointerType::get(module.getContext(), 0);
    llvm::Type* nothing = llvm::Type::getVoidTy(module.getContext());
    llvm::Function* function = make_function(module, name, nothing, {pointer}, true);
    IR ir(&function->getEntryBlock());
    if (note_stack) note_stack_top(ir, function->getArg(0));
    llvm::SmallVector<llvm::Value*, 2> arguments{function->getArg(0)};
    if (extra) arguments.push_back(extra);
    llvm::CallInst* call = ir.CreateCall(&callee, arguments);
    if (inlined) call->addFnAttr(llvm::Attribute::AlwaysInline);
    ir.CreateRetVoid();
}

/// `parallel`: the access group of what the loop's rounds do without regard to each other, or null.
llvm::MDNode* loop_properties(llvm::LLVMContext& context, llvm::MDNode* parallel, PhaseCode form) {
    auto name = [&](const char* text) { return llvm::MDString::get(context, text); };
    llvm::SmallVector<llvm::Metadata*, 4> properties{nullptr};
    if (parallel) properties.push_back(llvm::MDNode::get(context, {name("llvm.loop.parallel_accesses"), parallel}));
    if (form != PhaseCode::fast) {
        auto* one = llvm::ConstantAsMetadata::get(llvm::ConstantInt::get(llvm::Type::getInt32Ty(context), 1));
        properties.push_back(llvm::MDNode::get(context, {name("llvm.loop.interleave.count"), one}));
        properties.push_back(llvm::MDNode::get(context, {name("llvm.loop.unroll.disable")}));
    }
    if (form == PhaseCode::scalar) {
        auto* no = llvm::ConstantAsMetadata::get(llvm::ConstantInt::getFalse(context));
        properties.push_back(llvm::MDNode::get(context, {name("llvm.loop.vectorize.enable"), no}));
    }
    llvm::MDNode* loop = llvm::MDNode::getDistinct(context, properties);
    loop->replaceOperandWith(0, loop);
    return loop;
}

/// The threads of a CTA, or the one that the Lane names, in loops over z, y and x. One function for both, so that the
/// kernel is compiled once.
class ThreadLoops {
  public:
    /// Makes the thread's code: `lane` is its Lane.
    using Thread = llvm::function_ref<void(IR& ir, llvm::Value* lane)>;

    /// Code goes to the end of the range function's entry block.
    explicit ThreadLoops(llvm::Function& range) : range_(range), ir_(&range.getEntryBlock()) {}

    /// Where the loops are left. `parallel`: the access group of what the threads do without regard to each other, or
    /// null.
    IR& make(bool note_stack, Thread thread, llvm::MDNode* parallel = nullptr) {
        thread_ = thread;
        parallel_ = parallel;
        llvm::Value* source = range_.getArg(0);
        lane_ = copy_lane(ir_, source);
        if (note_stack) note_stack_top(ir_, lane_);
        llvm::Value* grid = load(source, offsetof(Lane, grid), ir_.getPtrTy());
        for (unsigned axis = 0; axis < 3; ++axis) {
            llvm::Value* index = load(source, offsetof(Lane, thread) + 4 * axis, ir_.getInt32Ty());
            size_[axis] = load(grid, offsetof(Grid, block_dim) + 4 * axis, ir_.getInt32Ty());
            begin_[axis] = ir_.CreateSelect(range_.getArg(1), index, ir_.getInt32(0));
            end_[axis] = ir_.CreateSelect(range_.getArg(1), ir_.CreateNUWAdd(index, ir_.getInt32(1)), size_[axis]);
        }
        loop(2);
        return ir_;
    }

    llvm::Value* load(llvm::Value* base, uint32_t offset, llvm::Type* type) {
        return ir_.CreateLoad(type, ir_.CreateConstInBoundsGEP1_32(ir_.getInt8Ty(), base, offset));
    }

  private:
    void loop(unsigned axis) {
        llvm::LLVMContext& context = range_.getContext();
        llvm::BasicBlock* before = ir_.GetInsertBlock();
        llvm::BasicBlock* head = llvm::BasicBlock::Create(context, "", &range_);
        ir_.CreateBr(head);
        ir_.SetInsertPoint(head);
        llvm::PHINode* index = ir_.CreatePHI(ir_.getInt32Ty(), 2, llvm::Twine("xyz"[axis]));
        index->addIncoming(begin_[axis], before);
        index_[axis] = index;
        store(ir_, lane_, offsetof(Lane, thread) + 4 * axis, index);
        if (axis > 0)
            loop(axis - 1);
        else
            run_thread();
        // No dimension is empty, so the test may come last.
        llvm::Value* next = ir_.CreateNUWAdd(index, ir_.getInt32(1));
        index->addIncoming(next, ir_.GetInsertBlock());
        llvm::BasicBlock* after = llvm::BasicBlock::Create(context, "", &range_);
        llvm::BranchInst* again = ir_.CreateCondBr(ir_.CreateICmpULT(next, end_[axis]), head, after);
        if (parallel_)
            again->setMetadata(llvm::LLVMContext::MD_loop,
                               loop_properties(range_.getContext(), parallel_, PhaseCode::fast));
        ir_.SetInsertPoint(after);
    }

    void run_thread() {
        // PTX ISA 10.1 and 10.3: threads are numbered x first.
        llvm::Value* rows = ir_.CreateNUWAdd(ir_.CreateNUWMul(index_[2], size_[1]), index_[1]);
        llvm::Value* number = ir_.CreateNUWAdd(ir_.CreateNUWMul(rows, size_[0]), index_[0]);
        store(ir_, lane_, offsetof(Lane, lane), ir_.CreateAnd(number, 31));
        store(ir_, lane_, offsetof(Lane, warp), ir_.CreateLShr(number, 5));
        thread_(ir_, lane_);
    }

    llvm::Function& range_;
    IR ir_;
    Thread thread_;
    llvm::MDNode* parallel_ = nullptr;
    llvm::Value* lane_ = nullptr;
    llvm::Value *begin_[3] = {}, *end_[3] = {}, *size_[3] = {}, *index_[3] = {};
};

/// What a thread reads and writes by ordinary accesses until it meets others, those do not change meanwhile, or the
/// program has a race. So LLVM may take threads side by side. Marks those accesses as a group; null when there are
/// variables on the stack, which threads use one after another.
llvm::MDNode* mark_accesses(llvm::Function& body) {
    llvm::LLVMContext& context = body.getContext();
    for (const llvm::Instruction& instruction : llvm::instructions(body))
        if (llvm::isa<llvm::AllocaInst>(instruction)) return nullptr;
    llvm::MDNode* group = llvm::MDNode::getDistinct(context, {});
    for (llvm::Instruction& instruction : llvm::instructions(body))
        if (llvm::isa<llvm::LoadInst, llvm::StoreInst>(instruction))
            instruction.setMetadata(llvm::LLVMContext::MD_access_group, group);
    return group;
}

} // namespace

void make_entry(llvm::Function& body, bool fibers, bool note_stack, const TileCode& tile) {
    llvm::Module& module = *body.getParent();
    const std::string name = body.getName().str();
    body.setName(name + ".thread");
    if (fibers) return forward(module, name, body, nullptr, true, note_stack);
    llvm::Type* pointer = llvm::PointerType::get(module.getContext(), 0);
    llvm::Type* bit = llvm::Type::getInt1Ty(module.getContext());
    llvm::Type* nothing = llvm::Type::getVoidTy(module.getContext());
    llvm::Function* range = make_function(module, name + ".range", nothing, {pointer, bit}, false);
    range->addFnAttr(llvm::Attribute::NoInline);
    if (tile.any()) {
        fill_tile_range(*range, body, tile);
    } else {
        ThreadLoops loops(*range);
        const auto run = [&](IR& ir, llvm::Value* lane) {
            ir.CreateCall(&body, {lane})->addFnAttr(llvm::Attribute::AlwaysInline);
        };
        loops.make(note_stack, run, mark_accesses(body)).CreateRetVoid();
    }
    forward(module, name, *range, llvm::ConstantInt::getTrue(bit), false, false);
    if (tile.in_rounds()) {
        llvm::Type* number = llvm::Type::getInt32Ty(module.getContext());
        auto* together = new llvm::GlobalVariable(
            module, number, true, llvm::GlobalValue::ExternalLinkage,
            llvm::ConstantInt::get(number, TileRounds::most_tiles(tile) * tile.columns * tile.rows),
            name + ".together");
        together->setVisibility(llvm::GlobalValue::DefaultVisibility);
    }
    // A call for each CTA: with the loop inside of it, blackscholes of tests/bench was a third slower.
    llvm::Function* blocks = make_function(module, name + ".block", nothing, {pointer}, true);
    IR ir(&blocks->getEntryBlock());
    for_blocks(ir, blocks->getArg(0), [&] { ir.CreateCall(range, {blocks->getArg(0), ir.getFalse()}); });
    ir.CreateRetVoid();
}

namespace {
/// Arguments of a row besides its Lane.
enum RowArgument : unsigned { row_lane, row_state, row_slots, row_threads, row_first, row_x, row_count };

/// i32 (Lane*, state, slots, i64 threads, i64 first, i32 x, i64 count): a phase of `count` threads with one y and z,
/// and of one warp if `warp_bytes` is not 0, from the thread of that number and that x on. One simple loop, of which
/// there may be many: LLVM's time is short for it.
llvm::Function* make_phase_row(llvm::Module& module, llvm::StringRef name, llvm::Function& phase, uint32_t warp_bytes,
                               PhaseCode form) {
    llvm::LLVMContext& context = module.getContext();
    IR ir(context);
    llvm::Type *pointer = ir.getPtrTy(), *i32 = ir.getInt32Ty(), *i64 = ir.getInt64Ty();
    llvm::Function* row = make_function(module, name, i32, {pointer, pointer, pointer, i64, i64, i32, i64}, false);
    row->addFnAttr(form == PhaseCode::fast ? llvm::Attribute::AlwaysInline : llvm::Attribute::NoInline);
    mark_loop_of_threads(*row);
    llvm::MDNode* group = mark_accesses(phase);
    llvm::BasicBlock* entry = &row->getEntryBlock();
    llvm::BasicBlock* loop = llvm::BasicBlock::Create(context, "loop", row);
    llvm::BasicBlock* end = llvm::BasicBlock::Create(context, "end", row);
    ir.SetInsertPoint(entry);
    llvm::AllocaInst* lane = copy_lane(ir, row->getArg(row_lane));
    llvm::Value* next = ir.CreateLoad(
        pointer, ir.CreateConstInBoundsGEP1_32(ir.getInt8Ty(), row->getArg(row_state), offsetof(PhaseState, next)));
    llvm::Value *slots = row->getArg(row_slots), *threads = row->getArg(row_threads), *first = row->getArg(row_first);
    if (warp_bytes) {
        llvm::Value* offset = ir.CreateNUWMul(ir.CreateLShr(first, 5), ir.getInt64(warp_bytes));
        slots = ir.CreateGEP(ir.getInt8Ty(), slots, offset);
        threads = ir.getInt64(32);
        first = ir.CreateAnd(first, 31);
    }
    ir.CreateBr(loop);
    ir.SetInsertPoint(loop);
    llvm::PHINode *index = ir.CreatePHI(i64, 2), *all = ir.CreatePHI(i32, 2), *any = ir.CreatePHI(i32, 2);
    llvm::Value* number = ir.CreateNUWAdd(row->getArg(row_first), index);
    llvm::Value* number32 = ir.CreateTrunc(number, i32);
    store(ir, lane, offsetof(Lane, thread), ir.CreateNUWAdd(row->getArg(row_x), ir.CreateTrunc(index, i32)));
    store(ir, lane, offsetof(Lane, lane), ir.CreateAnd(number32, 31));
    store(ir, lane, offsetof(Lane, warp), ir.CreateLShr(number32, 5));
    llvm::Value* result =
        ir.CreateCall(&phase, {lane, row->getArg(row_state), slots, threads, ir.CreateNUWAdd(first, index)});
    llvm::StoreInst* noted = ir.CreateStore(result, ir.CreateGEP(i32, next, number));
    if (group) noted->setMetadata(llvm::LLVMContext::MD_access_group, group);
    // All threads agree when no bit is set in one's number and clear in another's.
    llvm::Value *both = ir.CreateAnd(all, result), *either = ir.CreateOr(any, result);
    llvm::Value* following = ir.CreateNUWAdd(index, ir.getInt64(1));
    llvm::BranchInst* again = ir.CreateCondBr(ir.CreateICmpULT(following, row->getArg(row_count)), loop, end);
    const std::pair<llvm::PHINode*, std::pair<llvm::Value*, llvm::Value*>> phis[] = {
        {index, {ir.getInt64(0), following}}, {all, {ir.getInt32(~0u), both}}, {any, {ir.getInt32(0), either}}};
    for (const auto& [phi, values] : phis) {
        phi->addIncoming(values.first, entry);
        phi->addIncoming(values.second, loop);
    }
    again->setMetadata(llvm::LLVMContext::MD_loop, loop_properties(context, group, form));
    ir.SetInsertPoint(end);
    ir.CreateRet(ir.CreateSelect(ir.CreateICmpEQ(both, either), both, ir.getInt32(host::phase_mixed)));
    return row;
}

/// Makes the code for a row, of these arguments of it, and gives its result.
using Row = llvm::function_ref<llvm::Value*(IR& ir, llvm::ArrayRef<llvm::Value*> arguments)>;

/// Loops over the rows of a box, of one warp each if `warp_bytes` is not 0: the body of the function, whose first
/// argument is the Lane*.
void make_box_loops(llvm::Function& function, llvm::Value* box, uint32_t warp_bytes, bool note_stack, Row row) {
    llvm::LLVMContext& context = function.getContext();
    IR ir(context);
    llvm::Type *pointer = ir.getPtrTy(), *i32 = ir.getInt32Ty(), *i64 = ir.getInt64Ty();
    auto block = [&] { return llvm::BasicBlock::Create(context, "", &function); };
    llvm::BasicBlock *entry = &function.getEntryBlock(), *z_loop = block(), *y_loop = block(), *x_loop = block(),
                     *y_next = block(), *z_next = block(), *end = block();
    ir.SetInsertPoint(entry);
    auto load = [&](llvm::Value* base, size_t offset, llvm::Type* type) {
        return ir.CreateLoad(type, ir.CreateConstInBoundsGEP1_32(ir.getInt8Ty(), base, unsigned(offset)));
    };
    llvm::AllocaInst* lane = copy_lane(ir, function.getArg(0));
    if (note_stack) note_stack_top(ir, lane);
    llvm::Value* grid = load(lane, offsetof(Lane, grid), pointer);
    llvm::Value* state = load(lane, offsetof(Lane, phases), pointer);
    llvm::Value* slots = load(state, offsetof(PhaseState, slots), pointer);
    llvm::Value *begin[3], *after[3], *size[3], *threads = ir.getInt32(1);
    for (unsigned axis = 0; axis < 3; ++axis) {
        begin[axis] = load(box, offsetof(PhaseBox, begin) + 4 * axis, i32);
        after[axis] = load(box, offsetof(PhaseBox, end) + 4 * axis, i32);
        size[axis] = load(grid, offsetof(Grid, block_dim) + 4 * axis, i32);
        threads = ir.CreateNUWMul(threads, size[axis]);
    }
    threads = ir.CreateZExt(ir.CreateAnd(ir.CreateNUWAdd(threads, ir.getInt32(31)), ~31u), i64);
    llvm::AllocaInst *all = ir.CreateAlloca(i32), *any = ir.CreateAlloca(i32);
    ir.CreateStore(ir.getInt32(~0u), all);
    ir.CreateStore(ir.getInt32(0), any);
    ir.CreateBr(z_loop);
    ir.SetInsertPoint(z_loop);
    llvm::PHINode* z = ir.CreatePHI(i32, 2);
    store(ir, lane, offsetof(Lane, thread) + 8, z);
    ir.CreateBr(y_loop);
    ir.SetInsertPoint(y_loop);
    llvm::PHINode* y = ir.CreatePHI(i32, 2);
    store(ir, lane, offsetof(Lane, thread) + 4, y);
    // PTX ISA 10.1 and 10.3: threads are numbered x first.
    llvm::Value* rows = ir.CreateNUWAdd(ir.CreateNUWMul(z, size[1]), y);
    llvm::Value* row_begin = ir.CreateNUWMul(rows, size[0]);
    ir.CreateBr(x_loop);
    ir.SetInsertPoint(x_loop);
    llvm::PHINode* x = ir.CreatePHI(i32, 2);
    llvm::Value *first = ir.CreateNUWAdd(row_begin, x), *count = ir.CreateNUWSub(after[0], x);
    if (warp_bytes) { // no further than the warp goes
        llvm::Value* rest = ir.CreateNUWSub(ir.getInt32(32), ir.CreateAnd(first, 31));
        count = ir.CreateBinaryIntrinsic(llvm::Intrinsic::umin, count, rest);
    }
    llvm::Value *first64 = ir.CreateZExt(first, i64), *count64 = ir.CreateZExt(count, i64);
    llvm::Value* result = row(ir, {lane, state, slots, threads, first64, x, count64});
    ir.CreateStore(ir.CreateAnd(ir.CreateLoad(i32, all), result), all);
    ir.CreateStore(ir.CreateOr(ir.CreateLoad(i32, any), result), any);
    llvm::Value* next_x = ir.CreateNUWAdd(x, count);
    x->addIncoming(begin[0], y_loop);
    x->addIncoming(next_x, ir.GetInsertBlock());
    // All of a row is one piece unless warps end in it.
    llvm::Value* more = warp_bytes ? ir.CreateICmpULT(next_x, after[0]) : ir.getFalse();
    ir.CreateCondBr(more, x_loop, y_next);
    ir.SetInsertPoint(y_next);
    llvm::Value* next_y = ir.CreateNUWAdd(y, ir.getInt32(1));
    ir.CreateCondBr(ir.CreateICmpULT(next_y, after[1]), y_loop, z_next);
    y->addIncoming(begin[1], z_loop);
    y->addIncoming(next_y, y_next);
    ir.SetInsertPoint(z_next);
    llvm::Value* next_z = ir.CreateNUWAdd(z, ir.getInt32(1));
    ir.CreateCondBr(ir.CreateICmpULT(next_z, after[2]), z_loop, end);
    z->addIncoming(begin[2], entry);
    z->addIncoming(next_z, z_next);
    ir.SetInsertPoint(end);
    llvm::Value *both = ir.CreateLoad(i32, all), *either = ir.CreateLoad(i32, any);
    ir.CreateRet(ir.CreateSelect(ir.CreateICmpEQ(both, either), both, ir.getInt32(host::phase_mixed)));
}

} // namespace

void make_phase_entry(llvm::Module& module, llvm::StringRef symbol, llvm::ArrayRef<llvm::Function*> phases,
                      uint32_t warp_bytes, bool note_stack, PhaseCode form, llvm::ArrayRef<TileCode> tiles,
                      llvm::GlobalVariable* counts) {
    IR ir(module.getContext());
    llvm::Type *pointer = ir.getPtrTy(), *i32 = ir.getInt32Ty();
    const std::string name = (symbol + phase_suffix).str();
    const auto make_phase = [&] { return make_function(module, name, i32, {pointer, i32, pointer}, true); };
    /// What `run` makes for the phase whose number the function has got.
    const auto choose = [&](llvm::Function& function, IR& at, llvm::function_ref<llvm::Value*(uint32_t phase)> run) {
        auto block = [&] { return llvm::BasicBlock::Create(module.getContext(), "", &function); };
        llvm::BasicBlock *unknown = block(), *done = block();
        llvm::SwitchInst* which = at.CreateSwitch(function.getArg(1), unknown, unsigned(phases.size()));
        at.SetInsertPoint(unknown);
        at.CreateUnreachable();
        at.SetInsertPoint(done);
        llvm::PHINode* result = at.CreatePHI(i32, unsigned(phases.size()));
        for (uint32_t i = 0; i < phases.size(); ++i) {
            if (!phases[i]) continue;
            llvm::BasicBlock* call = block();
            which->addCase(at.getInt32(i), call);
            at.SetInsertPoint(call);
            result->addIncoming(run(i), call);
            at.CreateBr(done);
        }
        at.SetInsertPoint(done);
        return result;
    };
    const bool any_tiles = llvm::any_of(tiles, [](const TileCode& tile) { return tile.any(); });
    const bool of_warps = llvm::any_of(tiles, [](const TileCode& tile) { return tile.whole_warps; });
    const auto row_of = [&](uint32_t i, llvm::StringRef row) {
        // What whole warps go through in one phase is for few threads.
        return make_phase_row(module, (row + llvm::Twine(i)).str(), *phases[i], warp_bytes,
                              of_warps ? PhaseCode::brief : form);
    };
    if (form != PhaseCode::fast && !any_tiles) {
        llvm::Function* function = make_phase();
        return make_box_loops(*function, function->getArg(2), warp_bytes, note_stack,
                              [&](IR& at, llvm::ArrayRef<llvm::Value*> arguments) -> llvm::Value* {
                                  return choose(*function, at,
                                                [&](uint32_t i) { return at.CreateCall(row_of(i, name), arguments); });
                              });
    }
    // Loops of its own for each phase, of which LLVM sees the whole.
    const auto box_of = [&](uint32_t i) {
        llvm::Function* box = make_function(module, name + std::to_string(i), i32, {pointer, pointer}, false);
        box->addFnAttr(llvm::Attribute::NoInline);
        mark_loop_of_threads(*box);
        llvm::Function* row = row_of(i, (symbol + ".row").str());
        make_box_loops(*box, box->getArg(1), warp_bytes, note_stack,
                       [&](IR& at, llvm::ArrayRef<llvm::Value*> arguments) { return at.CreateCall(row, arguments); });
        return box;
    };
    if (any_tiles) return make_tile_phases(module, symbol.str(), phases, tiles, warp_bytes, box_of, counts);
    llvm::Function* function = make_phase();
    ir.SetInsertPoint(&function->getEntryBlock());
    ir.CreateRet(choose(*function, ir, [&](uint32_t i) {
        return ir.CreateCall(box_of(i), {function->getArg(0), function->getArg(2)});
    }));
}

} // namespace ptx::code

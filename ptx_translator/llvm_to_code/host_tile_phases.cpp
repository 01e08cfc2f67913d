// Phases of tiles, one behind the other in one function.
#include "llvm_to_code/alike.h"
#include "llvm_to_code/host_tile_loops.h"
#include "ptx/host_abi.h"

#include <llvm/IR/Instructions.h>
#include <llvm/IR/MDBuilder.h>
#include <llvm/IR/Module.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>

namespace ptx::code {
namespace {

using host::Grid;
using host::Lane;
using host::PhaseBox;
using host::PhaseState;
using llvm::BasicBlock;
using llvm::Value;

/// With more, their loops have functions of their own, of which those that are alike are one: LLVM's time is short.
constexpr ptrdiff_t few_phases = 16;

/// What loops over tiles see, in the function that they are in.
struct Frame {
    llvm::Function* function_ = nullptr;
    Value *source_ = nullptr, *box_ = nullptr, *chain_ = nullptr; ///< its arguments
    Value *lane_ = nullptr, *other_lane_ = nullptr, *state_ = nullptr, *slots_ = nullptr, *next_ = nullptr;
    Value *begin_[3] = {}, *end_[3] = {}, *size_[3] = {}, *threads_ = nullptr, *count_ = nullptr;
    llvm::AllocaInst *all_ = nullptr, *any_ = nullptr, *writes_ = nullptr, *abridged_ = nullptr;
};

class TilePhases : Frame {
  public:
    TilePhases(llvm::Module& module, const std::string& symbol, llvm::ArrayRef<llvm::Function*> phases,
               llvm::ArrayRef<TileCode> codes, uint32_t warp_bytes, llvm::function_ref<llvm::Function*(uint32_t)> alone,
               llvm::GlobalVariable* counts)
        : module_(module), phases_(phases), codes_(codes), warp_bytes_(warp_bytes), alone_(alone), counts_(counts),
          cuts_(*module.getNamedGlobal(symbol + ".cuts")), ir_(module.getContext()), pointer_(ir_.getPtrTy()),
          i32_(ir_.getInt32Ty()), i64_(ir_.getInt64Ty()), bit_(ir_.getInt1Ty()) {
        for (const TileCode& code : codes_)
            if (code.any() && !first_) first_ = &code;
        // A tile must be one in all phases.
        can_abridge_ =
            first_ && llvm::all_of(codes_, [&](const TileCode& code) {
                return !code.any() || (code.columns == first_->columns && code.rows == first_->rows &&
                                       code.whole_warps == first_->whole_warps && code.abridged == first_->abridged);
            });
        can_abridge_ = can_abridge_ && !first_->abridged.empty();
        apart_ = llvm::count_if(phases_, [](const llvm::Function* one) { return one; }) > few_phases;
        function_ = make_code(module, symbol + ".phases", i32_, {pointer_, i32_, pointer_, bit_}, false);
        make_tile_entries(*function_, symbol);
        begin();
        for (uint32_t i = 0; i < phases_.size(); ++i)
            if (phases_[i]) make_phase(i);
        if (apart_) merge();
    }

  private:
    BasicBlock* block(const llvm::Twine& name = "") {
        return BasicBlock::Create(module_.getContext(), name, function_);
    }
    /// What all loops need.
    void set_up(Value* source, Value* box, Value* chain) {
        ir_.SetInsertPoint(&function_->getEntryBlock());
        source_ = source;
        box_ = box;
        chain_ = chain;
        lane_ = copy_lane(ir_, source_);
        other_lane_ = copy_lane(ir_, source_);
        auto* grid = llvm::cast<llvm::LoadInst>(load(ir_, source_, offsetof(Lane, grid), pointer_));
        // So that what is read from there may be read ahead of the loops.
        grid->setMetadata(
            llvm::LLVMContext::MD_dereferenceable,
            llvm::MDNode::get(module_.getContext(), llvm::ConstantAsMetadata::get(ir_.getInt64(sizeof(Grid)))));
        grid->setMetadata(
            llvm::LLVMContext::MD_align,
            llvm::MDNode::get(module_.getContext(), llvm::ConstantAsMetadata::get(ir_.getInt64(alignof(Grid)))));
        store(ir_, lane_, offsetof(Lane, grid), grid);
        state_ = load(ir_, source_, offsetof(Lane, phases), pointer_);
        slots_ = load(ir_, state_, offsetof(PhaseState, slots), pointer_);
        next_ = load(ir_, state_, offsetof(PhaseState, next), pointer_);
        threads_ = ir_.getInt32(1);
        for (unsigned axis = 0; axis < 3; ++axis) {
            begin_[axis] = load(ir_, box_, offsetof(PhaseBox, begin) + 4 * axis, i32_);
            end_[axis] = load(ir_, box_, offsetof(PhaseBox, end) + 4 * axis, i32_);
            size_[axis] = load(ir_, grid, offsetof(Grid, block_dim) + 4 * axis, i32_);
            threads_ = ir_.CreateNUWMul(threads_, size_[axis]);
        }
        count_ = threads_;
        threads_ = ir_.CreateZExt(ir_.CreateAnd(ir_.CreateNUWAdd(threads_, ir_.getInt32(31)), ~31u), i64_);
        if (warp_bytes_) threads_ = ir_.getInt64(in_warp);
        all_ = ir_.CreateAlloca(i32_);
        any_ = ir_.CreateAlloca(i32_);
        writes_ = ir_.CreateAlloca(bit_);
        if (can_abridge_) abridged_ = ir_.CreateAlloca(bit_);
    }

    void begin() {
        set_up(function_->getArg(0), function_->getArg(2), function_->getArg(3));
        // Slots are as long as tiles have stored them all.
        if (can_abridge_) ir_.CreateStore(ir_.CreateAnd(chain_, ir_.CreateIsNull(function_->getArg(1))), abridged_);
        BasicBlock* unknown = block();
        llvm::SwitchInst* which = ir_.CreateSwitch(function_->getArg(1), unknown, unsigned(phases_.size()));
        begins_.resize(phases_.size());
        for (uint32_t i = 0; i < phases_.size(); ++i)
            if (phases_[i]) which->addCase(ir_.getInt32(i), begins_[i] = block("phase"));
        ir_.SetInsertPoint(unknown);
        ir_.CreateUnreachable();
        leave_ = block("leave");
        ir_.SetInsertPoint(leave_);
        result_ = ir_.CreatePHI(i32_, 2);
        if (can_abridge_) complete_slots(ir_, ir_.CreateICmpNE(result_, ir_.getInt32(host::phase_exit)));
        ir_.CreateRet(result_);
    }

    Value* abridged(IR& at) {
        if (can_abridge_) return at.CreateLoad(bit_, abridged_);
        return at.getFalse();
    }

    /// Before threads alone, or others, see slots, those that are abridged get what all threads have.
    void complete_slots(IR& at, Value* condition = nullptr) {
        if (!can_abridge_) return;
        if (!complete_) complete_ = make_slots_complete(module_, function_->getName(), *first_, warp_bytes_);
        Value* wanted = abridged(at);
        if (condition) wanted = at.CreateAnd(wanted, condition);
        BasicBlock *some = block("complete"), *end = block("complete_end");
        at.CreateCondBr(wanted, some, end, llvm::MDBuilder(module_.getContext()).createUnlikelyBranchWeights());
        at.SetInsertPoint(some);
        at.CreateCall(complete_, {slots_, threads_, size_[0], size_[1], size_[2]});
        at.CreateStore(at.getFalse(), abridged_);
        at.CreateBr(end);
        at.SetInsertPoint(end);
    }

    void leave_with(Value* result) {
        result_->addIncoming(result, ir_.GetInsertBlock());
        ir_.CreateBr(leave_);
    }

    void make_phase(uint32_t number) {
        ir_.SetInsertPoint(begins_[number]);
        Value* result = nullptr;
        if (number < codes_.size() && codes_[number].any()) {
            result = apart_ ? call_tiles(number) : run_tiles(number);
        } else {
            complete_slots(ir_);
            result = ir_.CreateCall(alone_(number), {source_, box_});
        }
        BasicBlock *on = block("on"), *out = block("out");
        ir_.CreateCondBr(chain_, on, out);
        ir_.SetInsertPoint(out);
        leave_with(result);
        ir_.SetInsertPoint(on);
        BasicBlock* others = block("others");
        llvm::SwitchInst* where = ir_.CreateSwitch(result, others, 2);
        // Warps pass by where threads alone would stop.
        const bool anywhere = number < codes_.size() && codes_[number].whole_warps;
        for (const uint32_t next : phases_behind(phases_, cuts_, number, anywhere)) {
            BasicBlock* way = block("barrier");
            where->addCase(ir_.getInt32(next), way);
            ir_.SetInsertPoint(way);
            go_on(number, next);
        }
        ir_.SetInsertPoint(others);
        leave_with(result);
    }

    /// Past a barrier; in loops only as long as nobody wants to stop.
    void go_on(uint32_t number, uint32_t next) {
        if (next <= number) {
            Value* stop = load(ir_, load(ir_, state_, offsetof(PhaseState, stop), pointer_), 0, ir_.getInt8Ty());
            llvm::cast<llvm::LoadInst>(stop)->setVolatile(true);
            BasicBlock *through = block("through"), *end = block("stop");
            ir_.CreateCondBr(ir_.CreateIsNull(stop), through, end,
                             llvm::MDBuilder(module_.getContext()).createLikelyBranchWeights());
            ir_.SetInsertPoint(end);
            leave_with(ir_.getInt32(next));
            ir_.SetInsertPoint(through);
        }
        if (counts_)
            ir_.CreateAtomicRMW(llvm::AtomicRMWInst::Add,
                                ir_.CreateConstInBoundsGEP1_32(ir_.getInt8Ty(), ir_.CreateLoad(pointer_, counts_),
                                                               offsetof(host::Counts, barriers)),
                                ir_.getInt64(1), llvm::MaybeAlign(8), llvm::AtomicOrdering::Monotonic);
        ir_.CreateBr(begins_[next]);
    }

    /// All threads agree when no bit is set in one's number and clear in another's.
    void note(IR& at, Value* both, Value* either) {
        at.CreateStore(at.CreateAnd(at.CreateLoad(i32_, all_), both), all_);
        at.CreateStore(at.CreateOr(at.CreateLoad(i32_, any_), either), any_);
    }

    /// In a function: i32 (Lane*, PhaseBox*, i1 chain, i1* abridged). What is constant the caller knows.
    Value* call_tiles(uint32_t number) {
        const Frame outer = *this;
        const llvm::IRBuilderBase::InsertPoint here = ir_.saveIP();
        function_ = make_code(module_, outer.function_->getName() + llvm::Twine(number), i32_,
                              {pointer_, pointer_, bit_, pointer_}, false);
        function_->removeFnAttr(llvm::Attribute::NoInline);
        loops_.push_back(function_);
        Value* abridged = function_->getArg(3);
        set_up(function_->getArg(0), function_->getArg(1), function_->getArg(2));
        if (can_abridge_) ir_.CreateStore(ir_.CreateLoad(bit_, abridged), abridged_);
        Value* result = run_tiles(number);
        if (can_abridge_) ir_.CreateStore(ir_.CreateLoad(bit_, abridged_), abridged);
        ir_.CreateRet(codes_[number].result ? ir_.getInt32(0) : result);
        llvm::Function* loops = function_;
        static_cast<Frame&>(*this) = outer;
        ir_.restoreIP(here);
        Value* own = can_abridge_ ? abridged_ : static_cast<Value*>(llvm::ConstantPointerNull::get(ir_.getPtrTy()));
        Value* returned = ir_.CreateCall(loops, {source_, box_, chain_, own});
        return codes_[number].result ? ir_.getInt32(*codes_[number].result) : returned;
    }

    /// What is called first, so that the callers are alike, too.
    void merge() {
        llvm::SmallVector<llvm::Function*, 64> called;
        for (uint32_t i = 0; i < codes_.size(); ++i)
            if (codes_[i].any()) called.append({phases_[i], codes_[i].function, codes_[i].function_of_all});
        merge_alike(called);
        merge_alike(leftovers_);
        merge_alike(loops_);
    }

    /// The phase's threads of so many rows from a place on. One function goes through those of all phases, but where
    /// there are many, those that are alike become one, with constants for arguments.
    std::pair<Value*, Value*> run_alone(IR& ir, uint32_t number, const Place& place, Value* rows, Value* x_end) {
        llvm::Function& phase = *phases_[number];
        const auto one = [&](IR& at, Value* lane, const Place& thread, llvm::ArrayRef<Value*> more) -> Value* {
            Value* which = at.CreateZExt(thread.number, i64_);
            Value* state = load(at, lane, offsetof(Lane, phases), pointer_);
            Value* slots = load(at, state, offsetof(PhaseState, slots), pointer_);
            Value* among = warp_bytes_ ? at.CreateAnd(which, in_warp - 1) : which;
            Value* arguments[] = {lane, state, slots_of(at, slots, thread.number, warp_bytes_), more[0], among};
            Value* result = at.CreateCall(phase.getFunctionType(), apart_ ? &phase : more[1], arguments);
            if (apart_ && codes_[number].result) return nullptr;
            Value* next = load(at, state, offsetof(PhaseState, next), pointer_);
            at.CreateStore(result, at.CreateGEP(i32_, next, which));
            return result;
        };
        if (apart_) {
            const Leftover leftover(module_, phase.getName(), i64_, one);
            leftovers_.push_back(&leftover.function());
            return leftover.call(ir, source_, place, rows, x_end, threads_);
        }
        if (!leftover_)
            leftover_.emplace(module_, function_->getName(), llvm::ArrayRef<llvm::Type*>{i64_, pointer_}, one);
        return leftover_->call(ir, source_, place, rows, x_end, {threads_, &phase});
    }

    Value* run_tiles(uint32_t number) {
        const TileCode& code = codes_[number];
        const unsigned lanes = code.columns * code.rows;
        IR entry(&function_->getEntryBlock(), function_->getEntryBlock().begin());
        auto* wide = llvm::FixedVectorType::get(i32_, lanes);
        llvm::AllocaInst* results = entry.CreateAlloca(code.one_result ? i32_ : static_cast<llvm::Type*>(wide));
        if (!code.result) {
            ir_.CreateStore(ir_.getInt32(~0u), all_);
            ir_.CreateStore(ir_.getInt32(0), any_);
            ir_.CreateStore(ir_.CreateNot(chain_), writes_);
        }
        make_leftover(*phases_[number]);
        const auto threads_alone = [&](IR& at, const Place& place, Value* rows, Value* x_end) {
            if (!code.result && code.one_result) write_earlier(at, at.CreateLoad(i32_, all_));
            const auto [both, either] = run_alone(at, number, place, rows, x_end);
            if (!code.result) note(at, both, either);
        };
        const auto tile = [&](IR& at, const Place& place) -> Value* {
            Value* slots = slots_of(at, slots_, place.number, warp_bytes_);
            const auto arguments = tile_arguments(at, {lane_, state_, slots, threads_}, place, size_[0], code, true,
                                                  results, abridged(at), warp_bytes_ ? in_warp : 0);
            return run_tile(at, code, arguments, place, other_lane_);
        };
        const auto after = [&](IR& at, const Place& place) {
            if (!code.result) note_tile(at, place, code, results);
        };
        const auto refused = [&](IR& at) { complete_slots(at); };
        TileLoops loops;
        std::copy(std::begin(begin_), std::end(begin_), loops.begin);
        std::copy(std::begin(end_), std::end(end_), loops.end);
        std::copy(std::begin(size_), std::end(size_), loops.size);
        loops.threads = threads_alone;
        loops.tile = tile;
        loops.after_tile = after;
        loops.refused = refused;
        loops.columns = code.columns;
        loops.rows = code.rows;
        loops.whole_warps = code.whole_warps;
        loops.idle_from = code.idle_from;
        if (!apart_) loops.ahead = function_->getEntryBlock().getTerminator();
        loops.make(ir_);
        if (code.result) return ir_.getInt32(*code.result);
        Value *both = ir_.CreateLoad(i32_, all_), *either = ir_.CreateLoad(i32_, any_);
        return ir_.CreateSelect(ir_.CreateICmpEQ(both, either), both, ir_.getInt32(host::phase_mixed));
    }

    /// Where the tile's threads go on. In chains that is not written as long as all threads do the same.
    void note_tile(IR& at, const Place& place, const TileCode& code, llvm::AllocaInst* results) {
        Value* numbers = at.CreateLoad(results->getAllocatedType(), results);
        BasicBlock* end = nullptr;
        if (code.one_result) {
            Value* before = at.CreateLoad(i32_, all_);
            note(at, numbers, numbers);
            Value* agree = at.CreateICmpEQ(at.CreateLoad(i32_, all_), at.CreateLoad(i32_, any_));
            BasicBlock* write = block("write");
            end = block("noted");
            at.CreateCondBr(at.CreateAnd(agree, at.CreateNot(at.CreateLoad(bit_, writes_))), end, write,
                            llvm::MDBuilder(module_.getContext()).createLikelyBranchWeights());
            at.SetInsertPoint(write);
            write_earlier(at, before);
            numbers = at.CreateVectorSplat(code.columns * code.rows, numbers);
        } else {
            note(at, at.CreateAndReduce(numbers), at.CreateOrReduce(numbers));
        }
        for (unsigned row = 0; row < code.rows; ++row) {
            llvm::SmallVector<int, 32> columns;
            for (unsigned i = 0; i < code.columns; ++i) columns.push_back(int(row * code.columns + i));
            Value* first = at.CreateNUWAdd(place.number, at.CreateNUWMul(size_[0], at.getInt32(row)));
            at.CreateAlignedStore(code.rows == 1 ? numbers : at.CreateShuffleVector(numbers, columns),
                                  at.CreateGEP(i32_, next_, at.CreateZExt(first, i64_)), llvm::Align(4));
        }
        if (!end) return;
        at.CreateBr(end);
        at.SetInsertPoint(end);
    }

    /// From now on it is written, and of all threads so far, which go on in the same place.
    void write_earlier(IR& at, Value* same) {
        if (!fill_) fill_ = make_fill(module_, function_->getName());
        BasicBlock *earlier = block("earlier"), *end = block("written");
        at.CreateCondBr(at.CreateLoad(bit_, writes_), end, earlier);
        at.SetInsertPoint(earlier);
        at.CreateCall(fill_, {next_, count_, same});
        at.CreateStore(at.getTrue(), writes_);
        at.CreateBr(end);
        at.SetInsertPoint(end);
    }

    llvm::Module& module_;
    const llvm::ArrayRef<llvm::Function*> phases_;
    const llvm::ArrayRef<TileCode> codes_;
    const uint32_t warp_bytes_;
    const llvm::function_ref<llvm::Function*(uint32_t)> alone_;
    llvm::GlobalVariable* const counts_;
    const llvm::GlobalVariable& cuts_;
    IR ir_;
    llvm::Type *const pointer_, *const i32_, *const i64_, *const bit_;
    const TileCode* first_ = nullptr;
    bool can_abridge_ = false;
    llvm::Function *complete_ = nullptr, *fill_ = nullptr;
    bool apart_ = false;
    std::optional<Leftover> leftover_;                         ///< of all phases
    llvm::SmallVector<llvm::Function*, 16> leftovers_, loops_; ///< of tiles, the latter if they are apart
    llvm::SmallVector<BasicBlock*, 16> begins_;
    BasicBlock* leave_ = nullptr;
    llvm::PHINode* result_ = nullptr;
};

} // namespace

void make_tile_phases(llvm::Module& module, const std::string& symbol, llvm::ArrayRef<llvm::Function*> phases,
                      llvm::ArrayRef<TileCode> codes, uint32_t warp_bytes,
                      llvm::function_ref<llvm::Function*(uint32_t)> alone, llvm::GlobalVariable* counts) {
    TilePhases(module, symbol, phases, codes, warp_bytes, alone, counts);
}

} // namespace ptx::code

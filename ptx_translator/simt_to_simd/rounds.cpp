#include "simt_to_simd/rounds.h"

#include "ptx/host_abi.h"
#include "simt_to_simd/widener.h"

#include <llvm/Analysis/AssumptionCache.h>
#include <llvm/Analysis/LoopInfo.h>
#include <llvm/Analysis/ScalarEvolutionExpressions.h>
#include <llvm/Analysis/TargetLibraryInfo.h>
#include <llvm/IR/CFG.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/Module.h>
#include <llvm/Transforms/Utils/LoopUtils.h>
#include <llvm/Transforms/Utils/ScalarEvolutionExpander.h>
#include <llvm/Transforms/Utils/SSAUpdater.h>

#include <cstddef>
#include <optional>

namespace ptx::simd {
namespace {

using llvm::BasicBlock;
using llvm::Instruction;
using llvm::SCEV;
using llvm::Value;

constexpr unsigned least_accesses = 5; ///< of vectors: a round must be worth the call
constexpr unsigned least_places = 128; ///< so many accesses in all rounds: fewer lines stay in the first cache
constexpr uint32_t most_bytes = 1024;
constexpr uint64_t least_step = 2 * page; ///< with one page turns gained nothing
const llvm::Align aligned{8};             ///< in the frame

/// Of masked vectors, too; null for others.
Value* pointer_of_access(const Instruction& instruction) {
    if (const auto* call = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction)) {
        if (call->getIntrinsicID() == llvm::Intrinsic::masked_load) return call->getArgOperand(0);
        if (call->getIntrinsicID() == llvm::Intrinsic::masked_store) return call->getArgOperand(1);
        return nullptr;
    }
    return const_cast<Value*>(llvm::getLoadStorePointerOperand(&instruction));
}

bool is_ordinary(const Instruction& instruction, const llvm::Function& function) {
    if (const auto* load = llvm::dyn_cast<llvm::LoadInst>(&instruction)) {
        // Tiles of other blocks may come between, and all have one place for shared memory.
        llvm::APInt offset(64, 0);
        const Value* base = load->getPointerOperand()->stripAndAccumulateConstantOffsets(
            function.getParent()->getDataLayout(), offset, true);
        return load->isSimple() && !(base == function.getArg(0) && offset == offsetof(host::Lane, shared));
    }
    if (const auto* store = llvm::dyn_cast<llvm::StoreInst>(&instruction)) return store->isSimple();
    if (const auto* call = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction)) {
        switch (call->getIntrinsicID()) {
        case llvm::Intrinsic::masked_load:
        case llvm::Intrinsic::masked_store:
        case llvm::Intrinsic::masked_gather:
        case llvm::Intrinsic::masked_scatter:
        case llvm::Intrinsic::prefetch:
            return true;
        default:
            if (call->isAssumeLikeIntrinsic()) return true;
        }
    }
    return !instruction.mayReadOrWriteMemory() && !instruction.mayThrow() &&
           (!llvm::isa<llvm::CallBase>(instruction) || instruction.willReturn());
}

/// Finds the loop, and how far its rounds are from each other.
class Walk {
  public:
    explicit Walk(llvm::Function& function)
        : dominators_(function), loops_(dominators_), library_(function.getParent()->getTargetTriple()),
          library_of_function_(library_), assumptions_(function),
          evolution_(function, library_of_function_, assumptions_, dominators_, loops_) {}

    /// What rounds go on by is known before the loop. `accesses`: of vectors, in a round.
    struct Found {
        llvm::Loop* loop = nullptr;
        const SCEV* step = nullptr;
        unsigned accesses = 0;
    };
    Found find() {
        for (llvm::Loop* loop : loops_.getLoopsInPreorder()) {
            if (loop->getParentLoop() || !loop->isInnermost()) continue;
            const Found found = look_at(*loop);
            if (!found.step || (!loop->getLoopPreheader() &&
                                !llvm::InsertPreheaderForLoop(loop, &dominators_, &loops_, nullptr, false)))
                continue;
            const llvm::SCEVExpander expander(evolution_, "step");
            if (expander.isSafeToExpandAt(found.step, loop->getLoopPreheader()->getTerminator())) return found;
        }
        return {};
    }

    /// Code in front of the loop: whether the step is long, and there are enough of them, if that can be told.
    Value* is_far(const Found& found) {
        Instruction* at = found.loop->getLoopPreheader()->getTerminator();
        llvm::SCEVExpander expander(evolution_, "step");
        Value* step = expander.expandCodeFor(found.step, found.step->getType(), at);
        llvm::IRBuilder<> ir(at);
        Value* length = ir.CreateBinaryIntrinsic(llvm::Intrinsic::abs, step, ir.getFalse());
        Value* result = ir.CreateICmpUGE(length, llvm::ConstantInt::get(step->getType(), least_step));
        const SCEV* rounds = evolution_.getBackedgeTakenCount(found.loop);
        if (llvm::isa<llvm::SCEVCouldNotCompute>(rounds) || !expander.isSafeToExpandAt(rounds, at)) return result;
        Value* others = expander.expandCodeFor(rounds, rounds->getType(), at);
        auto* least = llvm::ConstantInt::get(others->getType(), least_places / found.accesses);
        return ir.CreateAnd(result, ir.CreateICmpUGE(others, least));
    }

  private:
    /// By what the addresses of vectors that it stores go on, where those that it loads do so as well; no step: they do
    /// not, or by less.
    Found look_at(llvm::Loop& loop) {
        unsigned accesses = 0;
        const SCEV *stored = nullptr, *loaded = nullptr;
        for (BasicBlock* block : loop.blocks())
            for (Instruction& instruction : *block) {
                Value* pointer = pointer_of_access(instruction);
                const bool masked = llvm::isa<llvm::IntrinsicInst>(instruction);
                if (!pointer || (!masked && !llvm::getLoadStoreType(&instruction)->isVectorTy())) continue;
                const SCEV* step = step_of(pointer, loop);
                if (!step) continue;
                ++accesses;
                const auto* constant = llvm::dyn_cast<llvm::SCEVConstant>(step);
                if (constant && constant->getAPInt().abs().ult(least_step)) continue;
                (instruction.mayWriteToMemory() ? stored : loaded) = step;
            }
        return {&loop, loaded && accesses >= least_accesses ? stored : nullptr, accesses};
    }

    const SCEV* step_of(Value* pointer, const llvm::Loop& loop) {
        llvm::APInt distance(64, 0);
        pointer = pointer->stripAndAccumulateConstantOffsets(loop.getHeader()->getDataLayout(), distance, true);
        if (auto* number = llvm::dyn_cast<llvm::IntToPtrInst>(pointer)) pointer = number->getOperand(0);
        const SCEV* where = evolution_.getSCEV(pointer);
        // A base that LLVM has left in the loop stays beside what it counts.
        if (const auto* sum = llvm::dyn_cast<llvm::SCEVAddExpr>(where))
            for (const SCEV* one : sum->operands())
                if (llvm::isa<llvm::SCEVAddRecExpr>(one)) where = one;
        const auto* address = llvm::dyn_cast<llvm::SCEVAddRecExpr>(where);
        if (!address || address->getLoop() != &loop || !address->isAffine()) return nullptr;
        return address->getStepRecurrence(evolution_);
    }

    llvm::DominatorTree dominators_;
    llvm::LoopInfo loops_;
    llvm::TargetLibraryInfoImpl library_;
    llvm::TargetLibraryInfo library_of_function_;
    llvm::AssumptionCache assumptions_;
    llvm::ScalarEvolution evolution_;
};

/// The function before a loop, and from there on.
class Cut {
  public:
    Cut(BasicBlock& preheader, BasicBlock& header)
        : preheader_(preheader), header_(header), data_(header.getDataLayout()) {
        llvm::SmallVector<BasicBlock*, 16> open{&header};
        while (!open.empty()) {
            BasicBlock* block = open.pop_back_val();
            if (behind_.insert(block).second) open.append(succ_begin(block), succ_end(block));
        }
    }

    /// Where a frame keeps what crosses the cut; 0 if that is too much, or cannot be told.
    uint32_t lay_out(llvm::Function& function) {
        for (llvm::PHINode& phi : header_.phis()) kept_.push_back({&phi, 0});
        for (Instruction& instruction : llvm::instructions(function)) {
            if (llvm::isa<llvm::AllocaInst>(instruction)) {
                if (!is_on_one_side(instruction, is_behind(instruction))) return 0;
                continue;
            }
            if (behind_.contains(instruction.getParent())) continue;
            if (llvm::any_of(instruction.uses(), [&](const llvm::Use& use) { return crosses(use); }))
                kept_.push_back({&instruction, 0});
        }
        llvm::stable_sort(kept_, [&](const Kept& a, const Kept& b) { return size_of(a) > size_of(b); });
        uint32_t bytes = 0;
        for (Kept& one : kept_) {
            one.offset = bytes;
            bytes += (size_of(one) + 7) / 8 * 8;
        }
        return bytes <= most_bytes ? std::max(64u, (bytes + 63) / 64 * 64) : 0;
    }

    /// The function has the two arguments more by now. `far`: known before the loop, where it is not asked again.
    void make(llvm::Function& function, Value* far) {
        llvm::LLVMContext& context = function.getContext();
        Value *frame = function.getArg(unsigned(function.arg_size()) - 2),
              *way = function.getArg(unsigned(function.arg_size()) - 1);
        const auto place = [&](llvm::IRBuilder<>& ir, const Kept& one) {
            return ir.CreateConstInBoundsGEP1_32(ir.getInt8Ty(), frame, one.offset);
        };
        const auto is_of_header = [&](const Kept& one) { return one.value->getParent() == &header_; };
        BasicBlock* first = &function.getEntryBlock();
        auto* begin = BasicBlock::Create(context, "", &function, first);
        auto* resume = BasicBlock::Create(context, "", &function, &header_);
        auto* stop = BasicBlock::Create(context, "", &function, &header_);
        for (Instruction& instruction : llvm::make_early_inc_range(*first))
            if (llvm::isa<llvm::AllocaInst>(instruction)) instruction.moveBefore(*begin, begin->end());
        llvm::IRBuilder<> ir(begin);
        ir.CreateCondBr(ir.CreateICmpEQ(way, ir.getInt32(Rounds::go_on)), resume, first);
        ir.SetInsertPoint(preheader_.getTerminator());
        Value* stops = ir.CreateAnd(ir.CreateICmpEQ(way, ir.getInt32(Rounds::begin)), far);
        for (const Kept& one : kept_)
            if (!is_of_header(one)) ir.CreateAlignedStore(one.value, place(ir, one), aligned);
        // It stops at the header, unless it comes from the last stop.
        BasicBlock* round = header_.splitBasicBlock(header_.getFirstNonPHIIt());
        const llvm::SmallVector<BasicBlock*, 4> before(llvm::predecessors(&header_));
        ir.SetInsertPoint(&header_, header_.getFirstNonPHIIt());
        auto *now = ir.CreatePHI(ir.getInt1Ty(), 3), *later = ir.CreatePHI(ir.getInt1Ty(), 3);
        for (BasicBlock* block : before) {
            now->addIncoming(block == &preheader_ ? stops : later, block);
            later->addIncoming(block == &preheader_ ? stops : later, block);
        }
        now->addIncoming(ir.getFalse(), resume);
        later->addIncoming(ir.getTrue(), resume);
        header_.getTerminator()->eraseFromParent();
        ir.SetInsertPoint(&header_);
        ir.CreateCondBr(now, stop, round);
        ir.SetInsertPoint(stop);
        for (const Kept& one : kept_)
            if (is_of_header(one)) ir.CreateAlignedStore(one.value, place(ir, one), aligned);
        ir.CreateRet(ir.getInt32(Rounds::more));
        ir.SetInsertPoint(resume);
        llvm::SmallVector<Value*, 16> loaded;
        for (const Kept& one : kept_)
            loaded.push_back(ir.CreateAlignedLoad(one.value->getType(), place(ir, one), aligned));
        ir.CreateBr(&header_);
        for (size_t i = 0; i < kept_.size(); ++i)
            if (is_of_header(kept_[i])) llvm::cast<llvm::PHINode>(kept_[i].value)->addIncoming(loaded[i], resume);
        behind_.insert(round);
        for (size_t i = 0; i < kept_.size(); ++i) {
            if (is_of_header(kept_[i])) continue;
            llvm::SmallVector<llvm::Use*, 8> uses;
            for (llvm::Use& use : kept_[i].value->uses())
                if (crosses(use)) uses.push_back(&use);
            llvm::SSAUpdater values;
            values.Initialize(loaded[i]->getType(), "");
            values.AddAvailableValue(kept_[i].value->getParent(), kept_[i].value);
            values.AddAvailableValue(resume, loaded[i]);
            for (llvm::Use* use : uses) values.RewriteUse(*use);
        }
    }

  private:
    struct Kept {
        Instruction* value;
        uint32_t offset;
    };

    uint32_t size_of(const Kept& one) const {
        return uint32_t(data_.getTypeAllocSize(one.value->getType()).getFixedValue());
    }

    bool crosses(const llvm::Use& use) const {
        auto* user = llvm::cast<Instruction>(use.getUser());
        const auto* phi = llvm::dyn_cast<llvm::PHINode>(user);
        return behind_.contains(phi ? phi->getIncomingBlock(use) : user->getParent());
    }

    /// Of memory for loops over lanes, which is filled for each of them: where it is first used.
    bool is_behind(const Instruction& pointer) const {
        return !pointer.use_empty() && behind_.contains(llvm::cast<Instruction>(*pointer.user_begin())->getParent());
    }

    /// Only where it is accessed, so that nothing else knows the address.
    bool is_on_one_side(const Instruction& pointer, bool behind) const {
        return llvm::all_of(pointer.uses(), [&](const llvm::Use& use) {
            const auto& user = *llvm::cast<Instruction>(use.getUser());
            if (behind_.contains(user.getParent()) != behind) return false;
            if (llvm::isa<llvm::GetElementPtrInst>(user)) return is_on_one_side(user, behind);
            if (const auto* call = llvm::dyn_cast<llvm::IntrinsicInst>(&user); call && call->isLifetimeStartOrEnd())
                return true;
            return pointer_of_access(user) == &pointer && use.get() == &pointer &&
                   (!llvm::isa<llvm::StoreInst>(user) || use.getOperandNo() == 1);
        });
    }

    BasicBlock &preheader_, &header_;
    const llvm::DataLayout& data_;
    llvm::SmallPtrSet<const BasicBlock*, 16> behind_; ///< the loop and what comes after it
    llvm::SmallVector<Kept, 16> kept_;
};

llvm::Function* with_frame(llvm::Function& made) {
    llvm::LLVMContext& context = made.getContext();
    llvm::SmallVector<llvm::Type*, 16> types(made.getFunctionType()->params());
    llvm::Type* number = llvm::Type::getInt32Ty(context);
    types.append({llvm::PointerType::get(context, 0), number});
    auto* result =
        llvm::Function::Create(llvm::FunctionType::get(number, types, false), llvm::Function::InternalLinkage,
                               made.getName() + ".rounds", made.getParent());
    result->setAttributes(made.getAttributes());
    result->addFnAttr(llvm::Attribute::NoInline);
    result->splice(result->end(), &made);
    for (llvm::Argument& argument : made.args()) argument.replaceAllUsesWith(result->getArg(argument.getArgNo()));
    made.eraseFromParent();
    for (BasicBlock& block : *result)
        if (auto* end = llvm::dyn_cast<llvm::ReturnInst>(block.getTerminator())) {
            llvm::IRBuilder<> ir(end);
            ir.CreateRet(ir.CreateZExt(end->getReturnValue(), number));
            end->eraseFromParent();
        }
    return result;
}

} // namespace

Rounds cut_into_rounds(llvm::Function& made) {
    for (const Instruction& instruction : llvm::instructions(made))
        if (!is_ordinary(instruction, made)) return {};
    std::optional<Walk> walk(made);
    const Walk::Found found = walk->find();
    if (!found.loop) return {};
    BasicBlock *preheader = found.loop->getLoopPreheader(), *header = found.loop->getHeader();
    Cut cut(*preheader, *header);
    const uint32_t bytes = cut.lay_out(made);
    if (bytes == 0) return {};
    Value* far = walk->is_far(found);
    walk.reset();
    llvm::Function* function = with_frame(made);
    cut.make(*function, far);
    return {function, bytes};
}

} // namespace ptx::simd

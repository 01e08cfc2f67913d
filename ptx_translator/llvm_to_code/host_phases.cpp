#include "llvm_to_code/host_phases.h"

#include "llvm_to_code/kernels.h"
#include "llvm_to_code/neutral.h"
#include "llvm_to_code/phase_cuts.h"
#include "llvm_to_code/phase_values.h"
#include "ptx/host_abi.h"

#include <llvm/IR/Dominators.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/Transforms/Utils/Cloning.h>
#include <llvm/Transforms/Utils/Local.h>
#include <llvm/Transforms/Utils/PromoteMemToReg.h>
#include <llvm/Transforms/Utils/ValueMapper.h>

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

namespace ptx::code {
namespace {

using IR = llvm::IRBuilder<>;

/// A thread's arrays and what it keeps may not be more.
constexpr uint64_t most_bytes_per_thread = 16 << 10;

/// Blocks that several phases pass through are compiled for each: by so much may a kernel grow.
constexpr size_t most_growth = 6, small_kernel = 1000;

/// Each takes LLVM some milliseconds.
constexpr size_t most_phases = 64;

/// Functions that the kernel calls and in which threads meet become part of it, as far as that is possible.
void inline_cuts(llvm::Function& kernel) {
    for (bool changed = true; changed;) {
        changed = false;
        for (llvm::Function* function : reachable_from(kernel))
            if (function != &kernel && llvm::any_of(llvm::instructions(*function), PhaseCuts::is_cut))
                changed |= inline_into_callers(*function);
    }
}

/// Why threads cannot be taken from cut to cut, one after another: they meet in other ways too.
std::string why_not(llvm::Function& kernel) {
    for (llvm::Function* function : reachable_from(kernel))
        for (llvm::CallInst* call : cuttle_calls(*function)) {
            const llvm::StringRef name = cuttle_name(*call);
            if (name == "device.call") return "it launches kernels";
            if (name.starts_with("sreg.envreg")) return "it may meet the whole grid";
            // An exit in the kernel itself is a return.
            if (!lanes_meet_in(name) || (name == "exit" && function == &kernel)) continue;
            if (!PhaseCuts::is_cut(*call)) return "there is " + name.str();
            if (function != &kernel) return "there is " + name.str() + " in a function that stays one";
            if (const std::string reason = PhaseCuts::why_not(*call); !reason.empty()) return reason;
        }
    return {};
}

/// Arrays in slots are on no stack, where isspacep looks for local memory.
bool asks_for_local(llvm::Function& kernel) {
    for (llvm::Function* function : reachable_from(kernel))
        for (llvm::CallInst* call : cuttle_calls(*function))
            if (cuttle_name(*call) == "isspacep.local" || cuttle_name(*call) == "isspacep.global") return true;
    return false;
}

class Splitter {
  public:
    explicit Splitter(llvm::Function& kernel) : kernel_(kernel), data_(kernel.getParent()->getDataLayout()) {
        for (llvm::Instruction& instruction : llvm::instructions(kernel))
            if (auto* array = llvm::dyn_cast<llvm::AllocaInst>(&instruction)) arrays_.push_back(array);
    }

    Phases split(bool of_warps) {
        Phases phases;
        if (!lay_out_arrays()) return {.why_not = "its variables on the stack are of a kind that has no slot"};
        begins_.push_back(leave_arrays());
        cuts_.emplace(kernel_);
        if (cuts_->groups().size() >= most_phases) return {.why_not = "its threads meet in too many places"};
        // From the last to the first: what a split moves to a block of its own is small then.
        for (const auto& calls : llvm::reverse(cuts_->groups()))
            begins_.push_back(calls.front()->getParent()->splitBasicBlock(calls.front()->getIterator()));
        std::reverse(begins_.begin() + 1, begins_.end());
        values_.emplace(kernel_, llvm::ArrayRef(begins_).drop_front());
        lay_out_values();
        if (bytes_ > most_bytes_per_thread) return {.why_not = "its threads have too much to keep"};
        if (grows_too_much()) return {.why_not = "its code would grow too much"};
        for (uint32_t i = 0; i < begins_.size(); ++i) {
            phases.functions.resize(i ? cuts_->last_number(i - 1) : 0);
            phases.functions.push_back(make_phase(i));
        }
        if (of_warps) make_phases_of_warps(phases);
        phases.bytes_per_thread = static_cast<uint32_t>(bytes_);
        phases.by_warps = cuts_->by_warps();
        phases.any_of_warps = cuts_->any_of_warps();
        return phases;
    }

    void make_table(const std::string& name) const { cuts_->make_table(*kernel_.getParent(), name); }

  private:
    void make_phases_of_warps(Phases& phases) {
        if (!cuts_->any_of_warps()) return;
        through_warps_ = true;
        phases.of_warps.resize(phases.functions.size());
        for (uint32_t i = 0; i < begins_.size(); ++i)
            if (i == 0 || !cuts_->is_of_warp(i - 1)) phases.of_warps[i ? cuts_->last_number(i - 1) : 0] = make_phase(i);
        through_warps_ = false;
    }

    void add_place(llvm::AllocaInst* value, uint64_t size) {
        places_[value] = bytes_;
        bytes_ += size;
    }

    static uint64_t rounded(uint64_t size) { return (size + 15) / 16 * 16; }

    bool lay_out_arrays() {
        for (llvm::AllocaInst* array : arrays_) {
            // Inlining says where arrays of functions begin and end; slots have no such marks.
            for (llvm::User* user : llvm::make_early_inc_range(array->users()))
                if (auto* call = llvm::dyn_cast<llvm::IntrinsicInst>(user); call && call->isLifetimeStartOrEnd())
                    call->eraseFromParent();
            if (!array->isStaticAlloca() || array->getAlign() > 16) return false;
            add_place(array, rounded_size(array));
        }
        return arrays_.empty() || !asks_for_local(kernel_);
    }

    /// A block of their own for the kernel's arrays; returns what comes behind it.
    llvm::BasicBlock* leave_arrays() {
        llvm::BasicBlock& entry = kernel_.getEntryBlock();
        llvm::BasicBlock* begin = entry.splitBasicBlock(entry.begin());
        for (llvm::AllocaInst* array : arrays_) array->moveBefore(entry.getTerminator()->getIterator());
        return begin;
    }

    /// A value of one bit takes a byte.
    llvm::Type* in_memory(llvm::Type* type) {
        return type->isIntegerTy(1) ? llvm::Type::getInt8Ty(type->getContext()) : type;
    }

    void lay_out_values() {
        // Large ones first, so that there are no gaps; those of one size in their order.
        std::multimap<uint64_t, llvm::AllocaInst*, std::greater<>> by_size;
        for (llvm::AllocaInst* value : values_->kept())
            by_size.emplace(data_.getTypeAllocSize(in_memory(value->getAllocatedType())).getFixedValue(), value);
        for (const auto& [size, value] : by_size) add_place(value, size);
        cuts_->lay_out([&](uint64_t bytes) { return std::exchange(bytes_, bytes_ + bytes); });
    }

    llvm::SmallVector<llvm::BasicBlock*, 32> blocks_of(llvm::BasicBlock* begin) const {
        llvm::SmallVector<llvm::BasicBlock*, 32> blocks{begin};
        llvm::SmallPtrSet<llvm::BasicBlock*, 32> seen{begin};
        for (size_t i = 0; i < blocks.size(); ++i)
            for (llvm::BasicBlock* next : llvm::successors(blocks[i]))
                if (phase_of(next) == 0 && seen.insert(next).second) blocks.push_back(next);
        return blocks;
    }

    /// The number of the phase that begins with the block, 0 for other blocks: nothing jumps to an entry block.
    uint32_t phase_of(const llvm::BasicBlock* block) const {
        const auto* found = llvm::find(begins_, block);
        if (found == begins_.end()) return 0;
        const auto number = static_cast<uint32_t>(found - begins_.begin());
        return through_warps_ && number > 0 && cuts_->is_of_warp(number - 1) ? 0 : number;
    }

    bool grows_too_much() const {
        size_t before = small_kernel, after = 0;
        for (const llvm::BasicBlock& block : kernel_) before += block.size();
        for (llvm::BasicBlock* begin : begins_)
            for (const llvm::BasicBlock* block : blocks_of(begin)) after += block->size();
        return after > most_growth * before;
    }

    llvm::Function* make_phase(uint32_t number) {
        llvm::LLVMContext& context = kernel_.getContext();
        llvm::Type *pointer = llvm::PointerType::get(context, 0), *i64 = llvm::Type::getInt64Ty(context);
        auto* type = llvm::FunctionType::get(llvm::Type::getInt32Ty(context), {pointer, pointer, i64, i64}, false);
        phase_ = llvm::Function::Create(type, llvm::Function::InternalLinkage, "", kernel_.getParent());
        phase_->addFnAttr(llvm::Attribute::AlwaysInline);
        slots_ = {phase_, cuts_->by_warps()};
        llvm::BasicBlock* entry = llvm::BasicBlock::Create(context, "", phase_);
        map_.clear();
        ends_.clear();
        IR ir(entry);
        const llvm::SmallVector<llvm::BasicBlock*, 32> blocks = blocks_of(begins_[number]);
        llvm::SmallVector<llvm::AllocaInst*, 32> variables;
        find_accessed(blocks);
        for (llvm::ArrayRef<llvm::AllocaInst*> all : {values_->all(), cuts_->variables()})
            for (llvm::AllocaInst* value : all) {
                if (!accessed_.contains(value)) continue;
                variables.push_back(ir.CreateAlloca(value->getAllocatedType()));
                map_[value] = variables.back();
            }
        for (llvm::AllocaInst* array : arrays_) map_[array] = slots_.at(ir, places_.lookup(array), rounded_size(array));
        if (number > 0)
            for (llvm::AllocaInst* value : values_->live_at(number - 1))
                if (accessed_.contains(value)) load_slot(ir, value);
        for (llvm::BasicBlock* block : blocks) map_[block] = llvm::CloneBasicBlock(block, map_, "", phase_);
        ir.CreateBr(llvm::cast<llvm::BasicBlock>(map_[begins_[number]]));
        for (llvm::BasicBlock* block : blocks) finish(*block);
        if (number > 0) cuts_->pass(number - 1, slots_, map_);
        if (through_warps_)
            for (uint32_t i = 1; i < begins_.size(); ++i)
                if (cuts_->is_of_warp(i - 1) && llvm::is_contained(blocks, begins_[i]))
                    cuts_->stay_together(i - 1, map_);
        llvm::DominatorTree dominators(*phase_);
        llvm::erase_if(variables, [](auto* variable) { return !llvm::isAllocaPromotable(variable); });
        llvm::PromoteMemToReg(variables, dominators);
        return phase_;
    }

    uint64_t rounded_size(llvm::AllocaInst* array) { return rounded(array->getAllocationSize(data_)->getFixedValue()); }

    llvm::Value* slot(IR& ir, llvm::AllocaInst* value) {
        const uint64_t size = data_.getTypeAllocSize(in_memory(value->getAllocatedType())).getFixedValue();
        return slots_.at(ir, places_.lookup(value), size);
    }

    void load_slot(IR& ir, llvm::AllocaInst* value) {
        llvm::Type *type = value->getAllocatedType(), *stored = in_memory(type);
        llvm::Value* loaded = ir.CreateLoad(stored, slot(ir, value));
        if (stored != type) loaded = ir.CreateTrunc(loaded, type);
        ir.CreateStore(loaded, map_[value]);
    }

    void store_slot(IR& ir, llvm::AllocaInst* value) {
        llvm::Type *type = value->getAllocatedType(), *stored = in_memory(type);
        llvm::Value* loaded = ir.CreateLoad(type, map_[value]);
        if (stored != type) loaded = ir.CreateZExt(loaded, stored);
        ir.CreateStore(loaded, slot(ir, value));
    }

    /// The variables that the blocks read or write, and those that they write.
    void find_accessed(llvm::ArrayRef<llvm::BasicBlock*> blocks) {
        accessed_.clear();
        stored_.clear();
        for (llvm::BasicBlock* block : blocks)
            for (llvm::Instruction& instruction : *block) {
                if (auto* load = llvm::dyn_cast<llvm::LoadInst>(&instruction))
                    accessed_.insert(load->getPointerOperand());
                if (auto* store = llvm::dyn_cast<llvm::StoreInst>(&instruction)) {
                    accessed_.insert(store->getPointerOperand());
                    stored_.insert(store->getPointerOperand());
                }
            }
    }

    /// Where the phase ends at the cut that begins another.
    llvm::BasicBlock* end_at(uint32_t next) {
        llvm::BasicBlock*& end = ends_[next];
        if (end) return end;
        end = llvm::BasicBlock::Create(kernel_.getContext(), "", phase_);
        IR ir(end);
        for (llvm::AllocaInst* value : values_->live_at(next - 1))
            if (stored_.contains(value)) store_slot(ir, value);
        cuts_->leave(ir, next - 1, slots_, map_);
        ir.CreateRet(ir.getInt32(cuts_->first_number(next - 1)));
        return end;
    }

    /// Makes the copy of a block point into the phase.
    void finish(llvm::BasicBlock& block) {
        auto& copy = *llvm::cast<llvm::BasicBlock>(map_[&block]);
        for (llvm::Instruction& instruction : copy) {
            llvm::RemapInstruction(&instruction, map_, llvm::RF_NoModuleLevelChanges | llvm::RF_IgnoreMissingLocals);
            auto* phi = llvm::dyn_cast<llvm::PHINode>(&instruction);
            for (unsigned i = phi ? phi->getNumIncomingValues() : 0; i-- > 0;)
                if (phi->getIncomingBlock(i)->getParent() != phase_) phi->removeIncomingValue(i, false);
        }
        llvm::Instruction& original = *block.getTerminator();
        for (unsigned i = 0; i < original.getNumSuccessors(); ++i)
            if (const uint32_t next = phase_of(original.getSuccessor(i)))
                copy.getTerminator()->setSuccessor(i, end_at(next));
        if (!llvm::isa<llvm::ReturnInst>(original)) return;
        copy.getTerminator()->eraseFromParent();
        IR ir(&copy);
        ir.CreateRet(ir.getInt32(host::phase_exit));
    }

    llvm::Function& kernel_;
    const llvm::DataLayout& data_;
    llvm::SmallVector<llvm::AllocaInst*, 8> arrays_;
    llvm::SmallVector<llvm::BasicBlock*, 8> begins_; ///< of each phase
    std::optional<PhaseCuts> cuts_;                  ///< before each phase but the first
    std::optional<PhaseValues> values_;
    uint64_t bytes_ = 0; ///< of a thread's slots
    llvm::DenseMap<llvm::AllocaInst*, uint64_t> places_;
    // Of the phase being made:
    bool through_warps_ = false; ///< up to the next barrier
    llvm::Function* phase_ = nullptr;
    PhaseSlots slots_;
    llvm::ValueToValueMapTy map_;
    llvm::DenseMap<uint32_t, llvm::BasicBlock*> ends_;
    llvm::SmallPtrSet<llvm::Value*, 32> accessed_, stored_;
};

} // namespace

Phases split_into_phases(llvm::Function& kernel, const std::string& table, bool of_warps) {
    inline_cuts(kernel);
    if (std::string reason = why_not(kernel); !reason.empty()) return {.why_not = std::move(reason)};
    if (!kernel.use_empty()) return {.why_not = "its address is taken"};
    llvm::ValueToValueMapTy map;
    llvm::Function* copy = llvm::CloneFunction(&kernel, map);
    return_instead_of_exit(*copy);
    llvm::removeUnreachableBlocks(*copy);
    Splitter splitter(*copy);
    Phases phases = splitter.split(of_warps);
    if (phases.why_not.empty()) {
        splitter.make_table(table);
        for (uint32_t i = 0; i < phases.functions.size(); ++i)
            if (phases.functions[i]) phases.functions[i]->setName(kernel.getName() + phase_suffix + llvm::Twine(i));
        for (uint32_t i = 0; i < phases.of_warps.size(); ++i)
            if (phases.of_warps[i])
                phases.of_warps[i]->setName(kernel.getName() + phase_of_warps_suffix + llvm::Twine(i));
        kernel.eraseFromParent();
    }
    copy->eraseFromParent();
    return phases;
}

} // namespace ptx::code

#include "llvm_to_code/cheap_values.h"
#include "llvm_to_code/live_values.h"
#include "llvm_to_code/neutral.h"
#include "llvm_to_code/phase_operations.h"
#include "llvm_to_code/phases.h"

#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/MDBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/Transforms/Utils/BasicBlockUtils.h>
#include <llvm/Transforms/Utils/Local.h>
#include <llvm/Transforms/Utils/SSAUpdater.h>

#include <map>

namespace ptx::code {
namespace {

using host::State;
using IR = llvm::IRBuilder<>;

llvm::Function* slot_function(llvm::Module& module) {
    auto* wide = llvm::Type::getInt64Ty(module.getContext());
    auto* word = llvm::Type::getInt32Ty(module.getContext());
    auto* function = llvm::cast<llvm::Function>(
        module.getOrInsertFunction("cuttle.phase.slot", llvm::FunctionType::get(wide, {word, word}, false))
            .getCallee());
    function->setDoesNotAccessMemory();
    function->setWillReturn();
    function->setDoesNotThrow();
    return function;
}

class Cutter {
  public:
    explicit Cutter(llvm::Function& kernel)
        : kernel_(kernel), context_(kernel.getContext()), slot_(slot_function(*kernel.getParent())) {}

    PhasedKernel cut() {
        return_instead_of_exit(kernel_);
        llvm::removeUnreachableBlocks(kernel_);
        out_.states.push_back({});
        replace_allocas();
        llvm::SmallVector<llvm::CallInst*, 16> calls;
        for (llvm::Instruction& instruction : llvm::instructions(kernel_))
            if (phase_operation_of(instruction)) calls.push_back(llvm::cast<llvm::CallInst>(&instruction));
        for (llvm::CallInst* call : calls) split_at(*call);
        make_pointers_where_used();
        keep_live_values();
        make_function();
        return std::move(out_);
    }

  private:
    struct Cut {
        llvm::BasicBlock *before, *after;
    };

    /// Room in the frame. Offsets are multiples of the alignment, so that pieces are aligned for any number of threads.
    uint32_t reserve(uint64_t bytes, uint64_t alignment) {
        frame_ = static_cast<uint32_t>(llvm::alignTo(frame_, std::max<uint64_t>(alignment, 1)));
        const uint32_t offset = frame_;
        frame_ += static_cast<uint32_t>(bytes);
        return offset;
    }

    llvm::Value* pointer_to(IR& ir, uint32_t offset, uint64_t bytes, unsigned space = 0) {
        llvm::Value* address = ir.CreateCall(slot_, {ir.getInt32(offset), ir.getInt32(static_cast<uint32_t>(bytes))});
        return ir.CreateIntToPtr(address, ir.getPtrTy(space));
    }

    void put(IR& ir, uint32_t offset, llvm::Value* value, llvm::Type* type) {
        const uint64_t bytes = type->getIntegerBitWidth() / 8;
        mark(
            ir.CreateAlignedStore(ir.CreateZExtOrTrunc(value, type), pointer_to(ir, offset, bytes), llvm::Align(bytes)),
            offset);
    }

    llvm::Instruction* mark(llvm::Instruction* access, uint32_t offset) {
        of_frame_[access] = offset;
        return access;
    }

    /// Nothing else in the kernel reaches what the frame keeps, and no field of it lies in another.
    void tell_frame_apart(llvm::Function& function) {
        llvm::MDBuilder metadata(context_);
        llvm::MDNode* domain = metadata.createAnonymousAliasScopeDomain();
        std::map<uint32_t, llvm::Metadata*> scopes;
        for (const auto& [access, offset] : of_frame_)
            if (!scopes.contains(offset)) scopes[offset] = metadata.createAnonymousAliasScope(domain);
        // The lists grow with the square; with so many fields no loop is simple any more.
        constexpr size_t most_told_apart = 24;
        if (scopes.size() > most_told_apart)
            for (auto& [access, offset] : of_frame_) offset = host::frame_next;
        if (scopes.size() > most_told_apart) scopes.erase(std::next(scopes.begin()), scopes.end());
        auto all_but = [&](std::optional<uint32_t> one) {
            llvm::SmallVector<llvm::Metadata*, 16> others;
            for (const auto& [offset, scope] : scopes)
                if (offset != one) others.push_back(scope);
            return llvm::MDNode::get(context_, others);
        };
        llvm::MDNode* all = all_but({});
        std::map<uint32_t, llvm::MDNode*> others;
        for (const auto& [offset, scope] : scopes) others[offset] = all_but(offset);
        for (llvm::Instruction& instruction : llvm::instructions(function)) {
            const auto found = of_frame_.find(&instruction);
            if (found != of_frame_.end()) {
                instruction.setMetadata(llvm::LLVMContext::MD_alias_scope,
                                        llvm::MDNode::get(context_, {scopes[found->second]}));
                instruction.setMetadata(llvm::LLVMContext::MD_noalias, others[found->second]);
            } else if (llvm::isa<llvm::LoadInst, llvm::StoreInst>(instruction)) {
                instruction.setMetadata(llvm::LLVMContext::MD_noalias, all);
            }
        }
    }

    /// A thread's variables outlive its phases. The entry block stays the place of their addresses.
    void replace_allocas() {
        const llvm::DataLayout& layout = kernel_.getParent()->getDataLayout();
        llvm::SmallVector<llvm::AllocaInst*, 8> allocas;
        llvm::SmallVector<llvm::Instruction*, 8> lifetimes;
        for (llvm::Instruction& instruction : llvm::instructions(kernel_)) {
            if (auto* alloca = llvm::dyn_cast<llvm::AllocaInst>(&instruction)) allocas.push_back(alloca);
            if (instruction.isLifetimeStartOrEnd()) lifetimes.push_back(&instruction);
        }
        for (llvm::Instruction* lifetime : lifetimes) lifetime->eraseFromParent();
        llvm::BasicBlock* old = &kernel_.getEntryBlock();
        entry_ = llvm::BasicBlock::Create(context_, "phases", &kernel_, old);
        beginning_ = old;
        IR ir(entry_);
        for (llvm::AllocaInst* alloca : allocas) {
            const uint64_t alignment = std::max<uint64_t>(alloca->getAlign().value(), 8);
            const uint64_t bytes = llvm::alignTo(alloca->getAllocationSize(layout)->getFixedValue(), alignment);
            const uint32_t offset = reserve(bytes, alignment);
            llvm::Value* pointer = pointer_to(ir, offset, bytes, alloca->getType()->getPointerAddressSpace());
            alloca->replaceAllUsesWith(pointer);
            alloca->eraseFromParent();
        }
        ir.CreateBr(old); // a switch in the end
    }

    /// The operation becomes stores of its operands, the end of a block, and a read of its result.
    void split_at(llvm::CallInst& call) {
        const PhaseOperation& operation = *phase_operation_of(call);
        State state{};
        state.wait = operation.wait;
        if (auto number = constant_operand(call, operation.operation)) state.operation = static_cast<uint32_t>(*number);
        if (auto number = constant_operand(call, operation.barrier)) state.barrier = static_cast<uint8_t>(*number);
        IR ir(&call);
        auto field = [&](int operand, uint8_t& is_constant, uint32_t& value, uint32_t offset) {
            is_constant = 1;
            if (operand == PhaseOperation::none) return;
            if (auto number = constant_operand(call, operand)) {
                value = static_cast<uint32_t>(*number);
                return;
            }
            is_constant = 0;
            put(ir, offset, call.getArgOperand(static_cast<unsigned>(operand)), ir.getInt32Ty());
        };
        field(operation.mask, state.constant_mask, state.mask, host::frame_mask);
        field(operation.detail, state.constant_detail, state.detail, host::frame_detail);
        field(operation.clamp, state.constant_clamp, state.clamp, host::frame_clamp);
        if (operation.value != PhaseOperation::none)
            put(ir, host::frame_value, call.getArgOperand(static_cast<unsigned>(operation.value)), ir.getInt64Ty());
        out_.states.push_back(state);

        llvm::BasicBlock* before = call.getParent();
        llvm::BasicBlock* after = llvm::SplitBlock(before, call.getIterator());
        IR result(&call);
        if (!call.getType()->isVoidTy() && !call.use_empty()) {
            llvm::Value* all = mark(result.CreateAlignedLoad(result.getInt64Ty(),
                                                             pointer_to(result, host::frame_result, 8), llvm::Align(8)),
                                    host::frame_result);
            call.replaceAllUsesWith(as_type(result, all, call.getType()));
        }
        call.eraseFromParent();
        cuts_.push_back({before, after});
    }

    /// No pointer is ever stored (docs/neutral_ir.md): each block makes its own from integers.
    void make_pointers_where_used() {
        llvm::SmallVector<llvm::Instruction*, 32> pointers;
        for (llvm::Instruction& instruction : llvm::instructions(kernel_))
            if (instruction.getType()->isPointerTy() && instruction.getParent() != entry_)
                pointers.push_back(&instruction);
        while (!pointers.empty()) {
            llvm::Instruction* pointer = pointers.pop_back_val();
            for (llvm::Use& use : llvm::make_early_inc_range(pointer->uses())) {
                auto* user = llvm::cast<llvm::Instruction>(use.getUser());
                if (user->getParent() == pointer->getParent()) continue;
                llvm::Instruction* copy = pointer->clone();
                copy->insertBefore(user->getIterator());
                use.set(copy);
                pointers.push_back(copy);
                for (llvm::Value* operand : copy->operands()) // which may now be used in one more block
                    if (auto* base = llvm::dyn_cast<llvm::Instruction>(operand);
                        base && base->getType()->isPointerTy() && base->getParent() != entry_)
                        pointers.push_back(base);
            }
        }
    }

    static llvm::Value* as_type(IR& ir, llvm::Value* all, llvm::Type* type) {
        auto* pair = llvm::dyn_cast<llvm::StructType>(type);
        if (!pair) return ir.CreateZExtOrTrunc(all, type);
        llvm::Value* first = ir.CreateTrunc(all, pair->getElementType(0));
        llvm::Value* second = ir.CreateTrunc(ir.CreateLShr(all, 32), pair->getElementType(1));
        return ir.CreateInsertValue(ir.CreateInsertValue(llvm::PoisonValue::get(pair), first, 0), second, 1);
    }

    void keep_live_values() {
        const LiveValues live(kernel_);
        std::vector<std::pair<llvm::Instruction*, llvm::SmallVector<size_t, 4>>> kept;
        for (llvm::Instruction* value : live.values()) {
            if (value->getParent() == entry_) continue; // there in every phase
            llvm::SmallVector<size_t, 4> across;
            for (size_t i = 0; i < cuts_.size(); ++i)
                if (live.at_begin(*cuts_[i].after, *value)) across.push_back(i);
            if (!across.empty()) kept.push_back({value, across});
        }
        // All decisions and copies first: copies are made of what does not change.
        std::vector<llvm::SmallVector<llvm::Instruction*, 4>> arrivals;
        for (auto& [value, across] : kept) {
            arrivals.emplace_back();
            const bool anew = is_cheap(*value);
            const uint32_t offset = anew ? 0 : slot_for(*value);
            for (size_t i : across) {
                IR ir(&*cuts_[i].after->getFirstInsertionPt());
                if (anew) {
                    llvm::DenseMap<llvm::Instruction*, llvm::Instruction*> copies;
                    arrivals.back().push_back(copy_of(ir, *value, copies));
                    continue;
                }
                IR before(cuts_[i].before->getTerminator());
                save(before, *value, offset);
                arrivals.back().push_back(restore(ir, *value, offset));
            }
        }
        for (size_t i = 0; i < kept.size(); ++i) rewrite(*kept[i].first, kept[i].second, arrivals[i]);
    }

    static llvm::Type* stored_type(llvm::Type* type) {
        return type->isIntegerTy(1) ? llvm::Type::getInt8Ty(type->getContext()) : type;
    }

    uint32_t slot_for(const llvm::Instruction& value) {
        const uint64_t bytes = size_of(value), alignment = std::min<uint64_t>(llvm::PowerOf2Ceil(bytes), 16);
        return reserve(bytes, alignment);
    }

    uint64_t size_of(const llvm::Instruction& value) const {
        return kernel_.getParent()->getDataLayout().getTypeAllocSize(stored_type(value.getType())).getFixedValue();
    }

    static llvm::Align alignment_of(uint64_t bytes) {
        return llvm::Align(std::min<uint64_t>(bytes & (~bytes + 1), 16));
    }

    void save(IR& ir, llvm::Instruction& value, uint32_t offset) {
        llvm::Value* stored = &value;
        if (value.getType()->isIntegerTy(1)) stored = ir.CreateZExt(stored, ir.getInt8Ty());
        const uint64_t bytes = size_of(value);
        mark(ir.CreateAlignedStore(stored, pointer_to(ir, offset, bytes), alignment_of(bytes)), offset);
    }

    llvm::Instruction* restore(IR& ir, llvm::Instruction& value, uint32_t offset) {
        llvm::Type* type = stored_type(value.getType());
        const uint64_t bytes = size_of(value);
        llvm::Instruction* loaded =
            mark(ir.CreateAlignedLoad(type, pointer_to(ir, offset, bytes), alignment_of(bytes)), offset);
        if (!value.getType()->isIntegerTy(1)) return loaded;
        return llvm::cast<llvm::Instruction>(ir.CreateTrunc(loaded, ir.getInt1Ty()));
    }

    // ---- SSA form

    /// Every use takes the value that reaches it: the definition or one of the arrivals.
    void rewrite(llvm::Instruction& value, llvm::ArrayRef<size_t> across, llvm::ArrayRef<llvm::Instruction*> arrivals) {
        llvm::SSAUpdater updater;
        updater.Initialize(value.getType(), value.getName());
        updater.AddAvailableValue(value.getParent(), &value);
        llvm::DenseMap<llvm::BasicBlock*, llvm::Instruction*> arrival_of;
        for (size_t i = 0; i < across.size(); ++i) {
            llvm::BasicBlock* block = cuts_[across[i]].after;
            arrival_of[block] = arrivals[i];
            updater.AddAvailableValue(block, arrivals[i]);
        }
        llvm::SmallVector<llvm::Use*, 16> uses;
        for (llvm::Use& use : value.uses()) uses.push_back(&use);
        for (llvm::Use* use : uses) {
            auto* user = llvm::cast<llvm::Instruction>(use->getUser());
            auto* phi = llvm::dyn_cast<llvm::PHINode>(user);
            llvm::BasicBlock* block = phi ? phi->getIncomingBlock(*use) : user->getParent();
            if (phi || (block != value.getParent() && !arrival_of.count(block))) {
                updater.RewriteUse(*use);
            } else if (block != value.getParent()) {
                if (arrival_of[block] != user) use->set(arrival_of[block]);
            }
        }
    }

    /// The thread says what it does next, and ends this phase.
    void end_phase(llvm::BasicBlock& block, uint32_t next) {
        block.getTerminator()->eraseFromParent();
        IR ir(&block);
        put(ir, host::frame_next, ir.getInt32(next), ir.getInt32Ty());
        ir.CreateRetVoid();
    }

    /// The entry block leads to where each state goes on.
    void make_function() {
        for (llvm::BasicBlock& block : kernel_)
            if (llvm::isa<llvm::ReturnInst>(block.getTerminator())) end_phase(block, 0);
        entry_->getTerminator()->eraseFromParent();
        llvm::Function* made = with_parameters(kernel_, {llvm::Type::getInt32Ty(context_)});
        IR ir(entry_);
        llvm::SwitchInst* choice = ir.CreateSwitch(made->getArg(0), beginning_);
        for (size_t i = 0; i < cuts_.size(); ++i) {
            const auto number = static_cast<uint32_t>(i + 1);
            choice->addCase(ir.getInt32(number), cuts_[i].after);
            end_phase(*cuts_[i].before, number);
        }
        tell_frame_apart(*made);
        out_.function = made;
        out_.frame_bytes = static_cast<uint32_t>(llvm::alignTo(frame_, 16));
    }

    llvm::Function& kernel_;
    llvm::LLVMContext& context_;
    llvm::Function* slot_;
    PhasedKernel out_;
    llvm::BasicBlock *entry_ = nullptr, *beginning_ = nullptr;
    std::vector<Cut> cuts_;
    llvm::DenseMap<llvm::Instruction*, uint32_t> of_frame_; ///< loads and stores, and the field that they are of
    uint32_t frame_ = host::frame_fixed_bytes;
};

} // namespace

PhasedKernel cut_into_phases(llvm::Function& kernel) { return Cutter(kernel).cut(); }

} // namespace ptx::code

#include "llvm_to_code/phase_values.h"

#include "llvm_to_code/neutral.h"

#include <llvm/ADT/DenseMap.h>
#include <llvm/ADT/SetVector.h>
#include <llvm/ADT/SmallPtrSet.h>
#include <llvm/IR/CFG.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/Transforms/Utils/Local.h>

namespace ptx::code {
namespace {

using Blocks = llvm::SmallPtrSet<llvm::BasicBlock*, 16>;

/// What is computed again, at most, instead of being kept.
constexpr unsigned most_instructions = 24;

/// Blocks at whose beginning something is live that is wanted at the beginnings of `wanted` and made in `made`.
Blocks live_blocks(llvm::SmallVector<llvm::BasicBlock*, 16> wanted, const Blocks& made) {
    Blocks live(wanted.begin(), wanted.end());
    while (!wanted.empty())
        for (llvm::BasicBlock* before : llvm::predecessors(wanted.pop_back_val()))
            if (!made.contains(before) && live.insert(before).second) wanted.push_back(before);
    return live;
}

/// The block where a use needs its value: for a phi, at the end of the block that it comes from.
llvm::BasicBlock* block_of(const llvm::Use& use) {
    auto* user = llvm::cast<llvm::Instruction>(use.getUser());
    auto* phi = llvm::dyn_cast<llvm::PHINode>(user);
    return phi ? phi->getIncomingBlock(use) : user->getParent();
}

bool crosses(llvm::Instruction& value, const Blocks& cuts) {
    llvm::SmallVector<llvm::BasicBlock*, 16> wanted;
    for (const llvm::Use& use : value.uses())
        if (llvm::BasicBlock* block = block_of(use); block != value.getParent()) wanted.push_back(block);
    if (wanted.empty()) return false;
    const Blocks live = live_blocks(std::move(wanted), Blocks{value.getParent()});
    return llvm::any_of(live, [&](llvm::BasicBlock* block) { return cuts.contains(block); });
}

/// Neutral functions whose result a thread always finds the same.
bool is_fixed(llvm::StringRef name) {
    if (name.consume_front("sreg."))
        return !name.starts_with("clock") && !name.starts_with("globaltimer") && !name.starts_with("pm");
    return name == "kernel.parameters" || name == "global.address" || name.starts_with("shared.") ||
           name.starts_with("cvta.");
}

/// Collects, operands first, what the value is made of; false if it is not cheap.
bool collect(llvm::Value* value, llvm::SetVector<llvm::Instruction*>& parts) {
    auto* instruction = llvm::dyn_cast<llvm::Instruction>(value);
    if (!instruction) return true;
    if (parts.contains(instruction)) return true;
    auto* load = llvm::dyn_cast<llvm::LoadInst>(instruction);
    const bool parameter = load && load->isSimple() && load->getPointerAddressSpace() == Space::constant;
    const bool simple = llvm::isa<llvm::CastInst, llvm::GetElementPtrInst, llvm::CmpInst, llvm::SelectInst>(value) ||
                        (instruction->isBinaryOp() && !instruction->isIntDivRem() && !instruction->isFPDivRem());
    if (!parameter && !simple && !is_fixed(cuttle_name(*instruction))) return false;
    if (parts.size() >= most_instructions) return false;
    for (llvm::Value* operand : instruction->operands())
        if (!collect(operand, parts)) return false;
    return parts.insert(instruction), parts.size() <= most_instructions;
}

void compute_again(llvm::Instruction& value, llvm::ArrayRef<llvm::Instruction*> parts) {
    llvm::DenseMap<llvm::BasicBlock*, llvm::Instruction*> made;
    for (llvm::Use& use : llvm::make_early_inc_range(value.uses())) {
        llvm::BasicBlock* block = block_of(use);
        if (block == value.getParent()) continue;
        llvm::Instruction*& again = made[block];
        if (!again) {
            llvm::DenseMap<llvm::Value*, llvm::Value*> copies;
            const llvm::BasicBlock::iterator place = block->getFirstInsertionPt();
            for (llvm::Instruction* part : parts) {
                llvm::Instruction* copy = part->clone();
                for (llvm::Use& operand : copy->operands())
                    if (llvm::Value* known = copies.lookup(operand.get())) operand.set(known);
                copy->insertBefore(place);
                copies[part] = again = copy;
            }
        }
        use.set(again);
    }
}

llvm::AllocaInst* keep(llvm::Instruction& value) { return llvm::DemoteRegToStack(value); }

} // namespace

PhaseValues::PhaseValues(llvm::Function& kernel, llvm::ArrayRef<llvm::BasicBlock*> cut_blocks)
    : live_(cut_blocks.size()) {
    const Blocks cuts(cut_blocks.begin(), cut_blocks.end());
    llvm::SmallVector<llvm::Instruction*, 64> crossing;
    for (llvm::Instruction& instruction : llvm::instructions(kernel))
        if (!llvm::isa<llvm::AllocaInst>(instruction) && crosses(instruction, cuts)) crossing.push_back(&instruction);
    llvm::SmallVector<llvm::Instruction*, 32> kept;
    for (llvm::Instruction* value : crossing) {
        llvm::SetVector<llvm::Instruction*> parts;
        if (collect(value, parts))
            compute_again(*value, parts.getArrayRef());
        else
            kept.push_back(value);
    }
    for (llvm::Instruction* value : kept) {
        if (auto* phi = llvm::dyn_cast<llvm::PHINode>(value)) {
            // Stored where the phi's values come from and read where it was: again a value that is used beyond a cut.
            const llvm::BasicBlock* block = phi->getParent();
            llvm::AllocaInst* merged = llvm::DemotePHIToStack(phi);
            if (!merged) continue;
            variables_.push_back(merged);
            for (llvm::User* user : merged->users())
                if (auto* load = llvm::dyn_cast<llvm::LoadInst>(user); load && load->getParent() == block) value = load;
        }
        if (llvm::AllocaInst* variable = keep(*value)) variables_.push_back(variable);
    }
    for (llvm::AllocaInst* variable : variables_) {
        Blocks stores;
        llvm::SmallVector<llvm::BasicBlock*, 16> loads;
        for (llvm::User* user : variable->users())
            if (auto* store = llvm::dyn_cast<llvm::StoreInst>(user)) stores.insert(store->getParent());
        for (llvm::User* user : variable->users()) {
            auto* load = llvm::dyn_cast<llvm::LoadInst>(user);
            if (!load) continue;
            const bool stored_before = llvm::any_of(variable->users(), [&](llvm::User* other) {
                auto* store = llvm::dyn_cast<llvm::StoreInst>(other);
                return store && store->getParent() == load->getParent() && store->comesBefore(load);
            });
            if (!stored_before) loads.push_back(load->getParent());
        }
        const Blocks live = live_blocks(std::move(loads), stores);
        for (size_t i = 0; i < cut_blocks.size(); ++i)
            if (live.contains(cut_blocks[i])) live_[i].push_back(variable);
    }
}

llvm::SmallVector<llvm::AllocaInst*, 32> PhaseValues::kept() const {
    llvm::SmallSetVector<llvm::AllocaInst*, 32> all;
    for (const auto& live : live_) all.insert(live.begin(), live.end());
    return all.takeVector();
}

} // namespace ptx::code

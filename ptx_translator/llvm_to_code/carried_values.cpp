#include "llvm_to_code/carried_values.h"

#include <llvm/ADT/PostOrderIterator.h>
#include <llvm/IR/CFG.h>
#include <llvm/IR/Instructions.h>

namespace ptx::code {
WantedValues::WantedValues(llvm::Function& function, llvm::ArrayRef<llvm::AllocaInst*> values) {
    for (unsigned i = 0; i < values.size(); ++i) numbers_[values[i]] = i;
    for (llvm::BasicBlock& block : function) blocks_[&block] = facts_of(block);
    for (bool changed = true; changed;) {
        changed = false;
        for (llvm::BasicBlock* block : llvm::post_order(&function)) changed |= update(*block);
    }
}

WantedValues::Facts WantedValues::facts_of(llvm::BasicBlock& block) const {
    Facts facts{llvm::BitVector(numbers_.size()), llvm::BitVector(numbers_.size())};
    for (const llvm::Instruction& instruction : block) {
        const auto found = numbers_.find(llvm::getLoadStorePointerOperand(&instruction));
        if (found == numbers_.end()) continue;
        if (llvm::isa<llvm::StoreInst>(instruction))
            facts.written.set(found->second);
        else if (!facts.written.test(found->second))
            facts.wanted.set(found->second);
    }
    return facts;
}

bool WantedValues::update(llvm::BasicBlock& block) {
    llvm::BitVector later(numbers_.size());
    for (llvm::BasicBlock* next : llvm::successors(&block)) later |= at(next);
    Facts& facts = blocks_[&block];
    later.reset(facts.written);
    if (!later.test(facts.wanted)) return false;
    facts.wanted |= later;
    return true;
}

CarriedValues::CarriedValues(llvm::Function& function, llvm::ArrayRef<llvm::AllocaInst*> values,
                             llvm::ArrayRef<llvm::BasicBlock*> targets)
    : values_(values) {
    const WantedValues wanted(function, values);
    for (const llvm::BasicBlock* target : targets) wanted_.push_back(wanted.at(target));
    share_places(function);
}

/// A value takes the first place of its type that no target wants for another.
void CarriedValues::share_places(llvm::Function& function) {
    llvm::IRBuilder<> ir(&*function.getEntryBlock().getFirstInsertionPt());
    llvm::SmallVector<llvm::BitVector, 8> targets_of; // of each place
    for (unsigned value = 0; value < values_.size(); ++value) {
        llvm::BitVector targets(wanted_.size());
        for (unsigned i = 0; i < wanted_.size(); ++i)
            if (wanted_[i].test(value)) targets.set(i);
        llvm::AllocaInst* memory = values_[value];
        unsigned place = 0;
        while (place < places_.size() && (places_[place]->getAllocatedType() != memory->getAllocatedType() ||
                                          targets_of[place].anyCommon(targets)))
            ++place;
        place_of_.push_back(place);
        if (targets.none()) continue;
        if (place == places_.size()) {
            places_.push_back(ir.CreateAlloca(memory->getAllocatedType(), memory->getAddressSpace()));
            targets_of.emplace_back(wanted_.size());
        }
        targets_of[place] |= targets;
    }
}

void CarriedValues::leave(llvm::IRBuilder<>& ir, unsigned target) const {
    llvm::SmallVector<llvm::Value*, 8> carried;
    for (llvm::AllocaInst* place : places_) carried.push_back(llvm::Constant::getNullValue(place->getAllocatedType()));
    for (unsigned value : wanted_[target].set_bits())
        carried[place_of_[value]] = ir.CreateLoad(values_[value]->getAllocatedType(), values_[value]);
    for (unsigned i = 0; i < places_.size(); ++i) ir.CreateStore(carried[i], places_[i]);
}

void CarriedValues::arrive(llvm::IRBuilder<>& ir, unsigned target) const {
    for (unsigned value : wanted_[target].set_bits())
        ir.CreateStore(ir.CreateLoad(values_[value]->getAllocatedType(), places_[place_of_[value]]), values_[value]);
}

} // namespace ptx::code

#include "llvm_to_code/live_values.h"

#include <llvm/ADT/PostOrderIterator.h>
#include <llvm/IR/CFG.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>

namespace ptx::code {

LiveValues::LiveValues(llvm::Function& function) {
    for (llvm::Instruction& instruction : llvm::instructions(function)) {
        const bool crosses = llvm::any_of(instruction.users(), [&](llvm::User* user) {
            return llvm::isa<llvm::PHINode>(user) ||
                   llvm::cast<llvm::Instruction>(user)->getParent() != instruction.getParent();
        });
        if (!crosses) continue;
        number_[&instruction] = static_cast<unsigned>(values_.size());
        values_.push_back(&instruction);
    }
    const auto size = static_cast<unsigned>(values_.size());
    struct Effects {
        llvm::BitVector reads, writes, at_end;
    };
    llvm::DenseMap<llvm::BasicBlock*, Effects> effects;
    for (llvm::BasicBlock& block : function)
        effects[&block] = {llvm::BitVector(size), llvm::BitVector(size), llvm::BitVector(size)};
    for (llvm::Instruction* value : values_) {
        const unsigned number = number_[value];
        effects[value->getParent()].writes.set(number);
        for (llvm::Use& use : value->uses()) {
            auto* user = llvm::cast<llvm::Instruction>(use.getUser());
            if (auto* phi = llvm::dyn_cast<llvm::PHINode>(user))
                effects[phi->getIncomingBlock(use)].at_end.set(number);
            else if (user->getParent() != value->getParent())
                effects[user->getParent()].reads.set(number);
        }
    }
    for (llvm::BasicBlock& block : function) live_in_[&block] = llvm::BitVector(size);
    for (bool changed = true; changed;) {
        changed = false;
        for (llvm::BasicBlock* block : llvm::post_order(&function)) {
            const Effects& own = effects[block];
            llvm::BitVector live = own.at_end;
            for (llvm::BasicBlock* next : llvm::successors(block)) live |= live_in_[next];
            live.reset(own.writes);
            live |= own.reads;
            if (live == live_in_[block]) continue;
            live_in_[block] = std::move(live);
            changed = true;
        }
    }
}

bool LiveValues::at_begin(llvm::BasicBlock& block, llvm::Instruction& value) const {
    return live_in_.find(&block)->second.test(number_.find(&value)->second);
}

} // namespace ptx::code

#include "simt_to_simd/hoist.h"

#include "simt_to_simd/shapes.h"

#include <llvm/Analysis/ValueTracking.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>

namespace ptx::simd {

using llvm::Instruction;

bool may_hoist(Instruction& instruction, const Instruction* end, unsigned depth) {
    if (instruction.getParent() == end->getParent()) return true;
    if (llvm::isa<llvm::PHINode>(instruction) || depth > 12) return false;
    const auto* load = llvm::dyn_cast<llvm::LoadInst>(&instruction);
    if (instruction.mayReadOrWriteMemory() && !(load && load->hasMetadata(llvm::LLVMContext::MD_invariant_load)))
        return false;
    if (!llvm::isSafeToSpeculativelyExecute(&instruction, end)) return false;
    return llvm::all_of(instruction.operands(), [&](llvm::Use& use) {
        auto* operand = llvm::dyn_cast<Instruction>(use.get());
        return !operand || may_hoist(*operand, end, depth + 1);
    });
}

void hoist(Instruction& instruction, Instruction* end) {
    if (instruction.getParent() == end->getParent()) return;
    for (llvm::Use& use : instruction.operands())
        if (auto* operand = llvm::dyn_cast<Instruction>(use.get())) hoist(*operand, end);
    instruction.moveBefore(end->getIterator());
}

void hoist_assumptions(llvm::Function& scalar, const Shapes& shapes,
                       const llvm::SmallPtrSetImpl<const llvm::BasicBlock*>& but) {
    Instruction* end = scalar.getEntryBlock().getTerminator();
    llvm::SmallVector<Instruction*, 8> found;
    for (Instruction& instruction : llvm::instructions(scalar))
        if (llvm::isa<llvm::SExtInst, llvm::ZExtInst>(instruction) && shapes.of(&instruction).assumed &&
            !but.contains(instruction.getParent()) && may_hoist(instruction, end))
            found.push_back(&instruction);
    for (Instruction* instruction : found) hoist(*instruction, end);
}

} // namespace ptx::simd

#include "llvm_to_code/cheap_values.h"

#include "llvm_to_code/neutral.h"

#include <llvm/ADT/SmallPtrSet.h>
#include <llvm/IR/Instructions.h>

namespace ptx::code {
namespace {

bool reads_parameter(const llvm::Instruction& instruction) {
    const auto* load = llvm::dyn_cast<llvm::LoadInst>(&instruction);
    if (!load || load->isVolatile() || load->isAtomic()) return false;
    const llvm::Value* base = load->getPointerOperand();
    while (const auto* offset = llvm::dyn_cast<llvm::GetElementPtrInst>(base)) {
        if (!offset->hasAllConstantIndices()) return false;
        base = offset->getPointerOperand();
    }
    const auto* call = llvm::dyn_cast<llvm::Instruction>(base);
    return call && cuttle_name(*call) == "kernel.parameters";
}

bool is_source(const llvm::Instruction& instruction) {
    const llvm::StringRef name = cuttle_name(instruction);
    if (name.empty()) return reads_parameter(instruction);
    return name == "kernel.parameters" || name == "shared.dynamic" || name == "shared.window" ||
           name == "global.address" || name == "phase.slot" ||
           (name.starts_with("sreg.") && !name.contains("clock") && !name.contains("timer"));
}

bool is_simple_operation(const llvm::Instruction& instruction) {
    if (llvm::isa<llvm::CastInst, llvm::CmpInst, llvm::SelectInst, llvm::GetElementPtrInst>(instruction)) return true;
    if (!instruction.isBinaryOp() || instruction.getType()->isFPOrFPVectorTy()) return false;
    return !instruction.isIntDivRem();
}

/// Counts the instructions that a copy takes; too many is not cheap.
bool count_copies(llvm::Instruction& value, llvm::SmallPtrSetImpl<llvm::Instruction*>& seen) {
    constexpr size_t most = 12;
    if (!seen.insert(&value).second) return true;
    if (seen.size() > most) return false;
    if (!is_source(value) && !is_simple_operation(value)) return false;
    for (llvm::Value* operand : value.operands())
        if (auto* instruction = llvm::dyn_cast<llvm::Instruction>(operand))
            if (!count_copies(*instruction, seen)) return false;
    return true;
}

} // namespace

bool is_cheap(llvm::Instruction& value) {
    llvm::SmallPtrSet<llvm::Instruction*, 16> seen;
    return count_copies(value, seen);
}

llvm::Instruction* copy_of(llvm::IRBuilder<>& ir, llvm::Instruction& value,
                           llvm::DenseMap<llvm::Instruction*, llvm::Instruction*>& copies) {
    if (llvm::Instruction* known = copies.lookup(&value)) return known;
    llvm::Instruction* copy = value.clone();
    for (llvm::Use& operand : copy->operands())
        if (auto* instruction = llvm::dyn_cast<llvm::Instruction>(operand.get()))
            operand.set(copy_of(ir, *instruction, copies));
    ir.Insert(copy);
    copy->setDebugLoc({});
    return copies[&value] = copy;
}

} // namespace ptx::code

// How the runtime comes to the function of all phases, and where that goes on by itself.
#include "llvm_to_code/host_tile_loops.h"
#include "ptx/host_abi.h"

#include <llvm/IR/Instructions.h>
#include <llvm/IR/Module.h>

#include <cstddef>

namespace ptx::code {

using host::Grid;
using host::Lane;
using host::PhaseBox;
using host::Wait;
using llvm::Value;

void make_tile_entries(llvm::Function& phases, const std::string& symbol) {
    llvm::Module& module = *phases.getParent();
    IR ir(module.getContext());
    llvm::Type *pointer = ir.getPtrTy(), *i32 = ir.getInt32Ty();
    llvm::Function* phase = make_code(module, symbol + ".phase", i32, {pointer, i32, pointer}, true);
    ir.SetInsertPoint(&phase->getEntryBlock());
    ir.CreateRet(ir.CreateCall(&phases, {phase->getArg(0), phase->getArg(1), phase->getArg(2), ir.getFalse()}));
    llvm::Function* all = make_code(module, symbol + ".chain", i32, {pointer, i32}, true);
    ir.SetInsertPoint(&all->getEntryBlock());
    auto* box = ir.CreateAlloca(llvm::ArrayType::get(i32, sizeof(PhaseBox) / 4));
    Value* grid = load(ir, all->getArg(0), offsetof(Lane, grid), pointer);
    for (unsigned axis = 0; axis < 3; ++axis) {
        store(ir, box, uint32_t(offsetof(PhaseBox, begin) + 4 * axis), ir.getInt32(0));
        store(ir, box, uint32_t(offsetof(PhaseBox, end) + 4 * axis),
              load(ir, grid, offsetof(Grid, block_dim) + 4 * axis, i32));
    }
    ir.CreateRet(ir.CreateCall(&phases, {all->getArg(0), all->getArg(1), box, ir.getTrue()}));
}

namespace {

/// What threads wait for before the phase, by S.cuts.
Wait wait_before(const llvm::GlobalVariable& cuts, uint32_t phase) {
    static_assert(offsetof(host::PhaseCut, wait) == 0);
    const llvm::Constant* cut = cuts.getInitializer()->getAggregateElement(phase);
    return Wait(llvm::cast<llvm::ConstantInt>(cut->getAggregateElement(0u))->getZExtValue());
}

} // namespace

llvm::SmallVector<uint32_t, 4> phases_behind(llvm::ArrayRef<llvm::Function*> phases, const llvm::GlobalVariable& cuts,
                                             uint32_t number, bool anywhere) {
    llvm::SmallVector<uint32_t, 4> all;
    const auto add = [&](uint32_t which) {
        if (phases[which] && wait_before(cuts, which) == Wait::barrier && !llvm::is_contained(all, which))
            all.push_back(which);
    };
    if (anywhere)
        for (uint32_t i = 1; i < phases.size(); ++i) add(i);
    for (const llvm::BasicBlock& one : *phases[number]) {
        const auto* end = llvm::dyn_cast<llvm::ReturnInst>(one.getTerminator());
        const auto* next = end ? llvm::dyn_cast<llvm::ConstantInt>(end->getReturnValue()) : nullptr;
        if (next && next->getZExtValue() < phases.size()) add(uint32_t(next->getZExtValue()));
    }
    return all;
}

} // namespace ptx::code

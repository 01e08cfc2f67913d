#include "llvm_to_code/phases.h"

#include "llvm_to_code/neutral.h"
#include "llvm_to_code/phase_operations.h"

#include <llvm/ADT/StringSwitch.h>
#include <llvm/IR/Function.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>

namespace ptx::code {
namespace {

using host::Wait;

constexpr int none = PhaseOperation::none;

constexpr PhaseOperation operations[] = {
    {llvm::StringLiteral("barrier.sync"), Wait::barrier, none, 0, none, none, none, none},
    {llvm::StringLiteral("barrier.reduce"), Wait::barrier_reduce, 0, 1, 3, none, none, none},
    {llvm::StringLiteral("warp.sync"), Wait::warp_sync, none, none, none, none, none, 0},
    {llvm::StringLiteral("shuffle"), Wait::shuffle, 0, none, 1, 2, 3, 4},
    {llvm::StringLiteral("vote"), Wait::vote, 0, none, 1, none, none, 2},
    {llvm::StringLiteral("match.any"), Wait::match_any, none, none, 0, none, none, 1},
    {llvm::StringLiteral("match.all"), Wait::match_all, none, none, 0, none, none, 1},
    {llvm::StringLiteral("reduce"), Wait::reduce, 0, none, 1, none, none, 2},
};

/// What lets other lanes run, or has to do with where a thread's stack is, in any other way.
bool needs_fibers(llvm::StringRef name) {
    for (llvm::StringRef prefix : {"barrier.", "cluster.", "bulk.", "tensor.", "mma.", "sreg.envreg"})
        if (name.starts_with(prefix)) return true;
    return llvm::StringSwitch<bool>(name)
        .Cases({"active.mask", "exchange", "spin", "nanosleep", "grid.sync", "mbarrier"}, true)
        .Cases({"isspacep.local", "isspacep.global", "isspacep.shared.cluster"}, true)
        .Default(false);
}

/// Barriers of some threads only, and those that a register names, are left to fibers.
bool is_simple(const llvm::CallInst& call, const PhaseOperation& operation) {
    if (operation.operation != PhaseOperation::none && !constant_operand(call, operation.operation)) return false;
    if (operation.barrier == PhaseOperation::none) return true;
    const auto id = constant_operand(call, operation.barrier), count = constant_operand(call, operation.barrier + 1);
    return id && *id < 16 && count && *count == 0;
}

constexpr size_t most_states = 200, most_instructions = 20000;

} // namespace

const PhaseOperation* phase_operation_of(const llvm::Instruction& instruction) {
    const llvm::StringRef name = cuttle_name(instruction);
    if (name.empty()) return nullptr;
    for (const PhaseOperation& operation : operations)
        if (operation.name == name) return &operation;
    return nullptr;
}

std::optional<uint64_t> constant_operand(const llvm::CallInst& call, int operand) {
    if (operand == PhaseOperation::none) return {};
    const auto* number = llvm::dyn_cast<llvm::ConstantInt>(call.getArgOperand(static_cast<unsigned>(operand)));
    return number ? std::optional(number->getZExtValue()) : std::nullopt;
}

std::string why_not_phases(llvm::Function& kernel) {
    size_t states = 0, instructions = 0;
    for (llvm::Function* function : reachable_from(kernel)) {
        for (llvm::Instruction& instruction : llvm::instructions(*function)) {
            const bool own = function == &kernel;
            instructions += own;
            const llvm::StringRef name = cuttle_name(instruction);
            if (const PhaseOperation* operation = phase_operation_of(instruction)) {
                if (!own) return "a function that it calls synchronises";
                if (!is_simple(llvm::cast<llvm::CallInst>(instruction), *operation)) return "a barrier of some threads";
                ++states;
            } else if (needs_fibers(name) || (name == "exit" && !own)) {
                return ("it needs " + name).str();
            }
            if (!own) continue;
            if (instruction.getType()->isPointerTy() && llvm::isa<llvm::PHINode, llvm::SelectInst>(instruction))
                return "it merges pointers";
            if (auto* alloca = llvm::dyn_cast<llvm::AllocaInst>(&instruction); alloca && !alloca->isStaticAlloca())
                return "a variable of unknown size";
            if (auto* call = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction);
                call && call->getIntrinsicID() == llvm::Intrinsic::stacksave)
                return "it moves its stack pointer";
        }
    }
    if (states > most_states || instructions > most_instructions) return "it is too large";
    return "";
}

} // namespace ptx::code

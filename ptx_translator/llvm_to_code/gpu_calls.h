#pragma once

#include <llvm/ADT/ArrayRef.h>
#include <llvm/ADT/StringRef.h>
#include <llvm/IR/IRBuilder.h>

namespace llvm {
class CallInst;
class Function;
class GlobalVariable;
class Module;
} // namespace llvm

/// How the GPU targets lower `cuttle.*`: a table each, and what follows from other registers in common.
namespace ptx::code {

/// One call to lower.
struct GpuCall {
    llvm::CallInst& call;
    llvm::IRBuilder<>& ir;
    llvm::ArrayRef<struct GpuLowering> table;

    llvm::Function& kernel();
    llvm::Value* operand(unsigned i);
    /// The 32-bit value of another special register, from the same table.
    llvm::Value* special_register(llvm::StringRef name);
    /// Throws unless operand `i` is this constant: "cuttle.barrier.sync: <what> must be <value> on this target".
    void demand(unsigned i, uint64_t value, const char* what);
};

struct GpuLowering {
    llvm::StringLiteral name;        ///< with a period at its end: all names that begin so
    llvm::Value* (*lower)(GpuCall&); ///< the result may be wider or narrower, or as call_values.h's as_result takes it
};

/// Lowers every call in the function by the table, or by the registers that follow from others (warpid, nwarpid,
/// lanemask_*). Throws ptx::Error naming `target` and the function for what neither has.
void lower_gpu_calls(llvm::Function&, llvm::ArrayRef<GpuLowering> table, const char* target);

/// A lowering, of barrier.red at barrier 0 by all threads; lower_emulated_barriers has taken the others.
llvm::Value* lower_barrier_vote(GpuCall& site);

/// Throws for atomic operations on more than 64 bits, for which there are no instructions.
void check_atomics(llvm::Function& function);

/// Whether a function of the module may launch kernels, before its calls are lowered.
bool launches_kernels(const llvm::Module& module);

/// Adds what says that (ptx/launch_mark.h).
llvm::GlobalVariable& add_launch_mark(llvm::Module& module);

} // namespace ptx::code

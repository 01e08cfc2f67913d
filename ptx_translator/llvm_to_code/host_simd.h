#pragma once

#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/IRBuilder.h>

#include <string>

namespace llvm {
class Function;
class TargetMachine;
} // namespace llvm

/// The warp mode of the host: a function that runs one thread is made into one that runs threads with consecutive %tid.x
/// side by side, in vectors (simt_to_simd), beside which it stays for threads that are left over.
namespace ptx::code {

struct WideThread {
    /// i1 (arguments of the scalar function, i32 x, i32 y, i32 lane, i32 warp, ptr results); null: there is none.
    llvm::Function* function = nullptr;
    unsigned width = 0;
    std::string why_not; ///< a few words
};

/// `body` gets the Lane* first and, if it is a phase, the thread's number last. It is lowered for the host.
WideThread widen_thread(llvm::Function& body, llvm::TargetMachine&);

/// A loop over threads of one row.
struct RowLoop {
    llvm::Value *x, *number; ///< i32: of the first thread, in its row and in its CTA
    llvm::Value* count;      ///< i32, not 0
    unsigned width;
    /// Makes code for the thread at x and, of `width` from there on; the latter says whether they were run.
    llvm::function_ref<void(llvm::IRBuilder<>&, llvm::Value* x, llvm::Value* number)> one;
    llvm::function_ref<llvm::Value*(llvm::IRBuilder<>&, llvm::Value* x, llvm::Value* number)> wide;
    llvm::function_ref<void(llvm::IRBuilder<>&, llvm::Value* x, llvm::Value* number)> after_wide;
};

/// Makes the loop at the builder's place, the end of a block, and leaves the builder behind it. Tiles begin at multiples
/// of their width, as x and as number.
void make_row_loop(llvm::IRBuilder<>&, const RowLoop&);

} // namespace ptx::code

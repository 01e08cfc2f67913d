#pragma once

#include <llvm/IR/IRBuilder.h>

namespace llvm {
class CallInst;
}

namespace ptx::code {
class LaneAccess;

/// A call of `cuttle.mma.*`: the lane's registers go to memory, the warp meets, and device_library/host_matrix.cpp
/// computes for all lanes at once. Returns the lane's part of D.
llvm::Value* lower_matrix_multiply(llvm::CallInst&, LaneAccess&, llvm::IRBuilder<>&);

} // namespace ptx::code

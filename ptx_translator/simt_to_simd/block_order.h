#pragma once

#include <vector>

namespace llvm {
class BasicBlock;
class Function;
class LoopInfo;
} // namespace llvm

namespace ptx::simd {

/// The blocks of a reducible function so that every edge but those back to a loop's header leads forward, and the blocks
/// of each loop are together.
std::vector<llvm::BasicBlock*> order_blocks(llvm::Function&, const llvm::LoopInfo&);

} // namespace ptx::simd

#include "simt_to_simd/block_order.h"

#include <llvm/ADT/SmallPtrSet.h>
#include <llvm/Analysis/LoopInfo.h>
#include <llvm/IR/CFG.h>

#include <algorithm>

namespace ptx::simd {
namespace {

using Block = llvm::BasicBlock;

class Order {
  public:
    explicit Order(const llvm::LoopInfo& loops) : loops_(loops) {}

    /// Appends the blocks of the loop, or those of the function if it is null.
    void append(const llvm::Loop* level, Block* first) {
        std::vector<Block*> finished;
        llvm::SmallPtrSet<Block*, 16> seen;
        visit(level, first, seen, finished);
        std::reverse(finished.begin(), finished.end());
        for (Block* node : finished) {
            const llvm::Loop* inner = below(level, node);
            if (inner)
                append(inner, node);
            else
                blocks_.push_back(node);
        }
    }

    std::vector<Block*> take() { return std::move(blocks_); }

  private:
    /// The loop right below `level` of which the block is the header, where loops stand for their blocks.
    const llvm::Loop* below(const llvm::Loop* level, const Block* block) const {
        const llvm::Loop* loop = loops_.getLoopFor(block);
        while (loop && loop != level && loop->getParentLoop() != level) loop = loop->getParentLoop();
        return loop == level ? nullptr : loop;
    }

    /// Depth first; a node stands for what it is the header of.
    void visit(const llvm::Loop* level, Block* node, llvm::SmallPtrSet<Block*, 16>& seen,
               std::vector<Block*>& finished) {
        if (!seen.insert(node).second) return;
        llvm::SmallVector<Block*, 8> next;
        if (const llvm::Loop* inner = below(level, node))
            inner->getUniqueExitBlocks(next);
        else
            next.append(llvm::succ_begin(node), llvm::succ_end(node));
        // The last is finished first: what the branch's first successor leads to stays in front.
        for (Block* block : llvm::reverse(next)) {
            if (level && (!level->contains(block) || block == level->getHeader())) continue;
            visit(level, block, seen, finished);
        }
        finished.push_back(node);
    }

    const llvm::LoopInfo& loops_;
    std::vector<Block*> blocks_;
};

} // namespace

std::vector<Block*> order_blocks(llvm::Function& function, const llvm::LoopInfo& loops) {
    Order order(loops);
    order.append(nullptr, &function.getEntryBlock());
    return order.take();
}

} // namespace ptx::simd

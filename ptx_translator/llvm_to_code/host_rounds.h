#pragma once

#include "llvm_to_code/host_tile_loops.h"

namespace ptx::code {

/// Tiles whose functions can stop before each round of a loop (simt_to_simd/rounds.h): those of a block, and of blocks
/// that follow it by %ctaid.x, have their rounds in turn, row by row, so that what lies together in memory is read
/// together.
class TileRounds {
  public:
    /// How many tiles take turns, by what they keep: as many as find place in a part of the smallest stack.
    static uint32_t most_tiles(const TileCode&);

    /// Makes a tile's arguments, up to the frame.
    using Arguments = llvm::function_ref<llvm::SmallVector<llvm::Value*, 16>(IR&, const Place&)>;
    /// `copy`: the Lane that tiles read. Code goes to a place that is come to once.
    TileRounds(IR&, const TileCode&, llvm::Value* lane, llvm::Value* copy, llvm::Value* grid,
               llvm::Value* const size[3], Arguments);

    /// The block of the Lane and as many behind it as take turns, `block` for each of them; they are taken from
    /// Lane::more, and the last is the Lane's then. `alone`: it is a single thread's code.
    void make(IR&, llvm::Value* alone, llvm::function_ref<void(IR&)> block);
    /// Begins with a tile of a block, and runs it where it does not take turns. Gives whether that was possible.
    llvm::Value* begin(IR&, const Place&);

  private:
    llvm::Value* call(IR&, bool masked, const Place&, llvm::Value* frame, llvm::Value* way);
    llvm::Value* frame_of(IR&, llvm::Value* index);
    llvm::Value* word_of(IR&, llvm::Value* frame, uint32_t word);
    void set_block(IR&, llvm::Value* x);
    void take_turns(IR&);

    const TileCode& code_;
    llvm::Value *lane_, *copy_, *grid_;
    llvm::Value* const* size_;
    Arguments arguments_;
    uint32_t slot_bytes_;
    llvm::Value *in_row_ = nullptr, *rows_ = nullptr;                     ///< a block's tiles
    llvm::Value *blocks_ = nullptr, *tiles_ = nullptr, *turns_ = nullptr; ///< that take turns, and whether they do
    llvm::AllocaInst *slots_, *number_; ///< frames; of the block that begins, among them
};

} // namespace ptx::code

#pragma once

#include <llvm/ADT/ArrayRef.h>
#include <llvm/ADT/DenseMap.h>
#include <llvm/ADT/SmallPtrSet.h>
#include <llvm/ADT/SmallVector.h>

#include <cstdint>

namespace llvm {
class BasicBlock;
class DataLayout;
class Function;
class Instruction;
class Loop;
class LoopInfo;
class PHINode;
class PostDominatorTree;
class Value;
} // namespace llvm

namespace ptx::simd {

/// The threads that a vector holds: `columns` with consecutive %tid.x in each of `rows` rows with consecutive %tid.y.
struct Tile {
    unsigned columns = 16, rows = 1;
    unsigned lanes() const { return columns * rows; }
};

/// What the lanes of a value have to do with each other.
struct Shape {
    enum class Kind : uint8_t { unknown, regular, varying };
    Kind kind = Kind::unknown;
    bool by_row = false;   ///< regular: the first column's value differs from row to row
    bool assumed = false;  ///< regular if some sum does not wrap around, which is asked where the value is used
    bool is_row = false;   ///< of an argument: by row, one more in each
    uint8_t zero_bits = 0; ///< so many low bits of the first column's value are zero; counted where there is a stride
    int64_t stride = 0;    ///< regular: from column to column, modulo 2 to the width

    static Shape regular(int64_t stride = 0, bool by_row = false) {
        Shape shape;
        shape.kind = Kind::regular;
        shape.stride = stride;
        shape.by_row = by_row;
        return shape;
    }
    static Shape varying() {
        Shape shape;
        shape.kind = Kind::varying;
        return shape;
    }
    Shape in_one_row() const {
        Shape shape = *this;
        shape.by_row = false;
        return shape;
    }
    bool is_regular() const { return kind == Kind::regular; }
    bool is_varying() const { return kind == Kind::varying; }
    /// One value for all lanes.
    bool is_uniform() const { return is_regular() && stride == 0 && !by_row; }
    bool operator==(const Shape&) const = default;
};

/// What loads are thought to give, which is asked before anything is done; of unknown kind while nothing is.
using Guesses = llvm::DenseMap<const llvm::Value*, Shape>;

/// Comparisons by which lanes are taken not to part, which is asked before anything is done.
using Agreed = llvm::SmallPtrSet<const llvm::Value*, 8>;

/// What few_lanes.h and rounds_of_all.h say of a function that they have changed. Marked instructions are freezes,
/// which change nothing for a thread alone.
struct Marks {
    llvm::SmallPtrSet<const llvm::BasicBlock*, 8> of_one_lane; ///< blocks for one lane, which is there
    llvm::DenseMap<const llvm::Value*, unsigned> picks;        ///< the operand's value in the lane of that number
    llvm::SmallPtrSet<const llvm::Value*, 4> of_all; ///< whether the operand, a comparison, is true in all lanes
    /// Blocks for one row alone, which is there: the comparison that is true in it.
    llvm::DenseMap<const llvm::BasicBlock*, const llvm::Value*> of_one_row;
    llvm::DenseMap<const llvm::Value*, const llvm::Value*> row_picks; ///< the operand in that row, by the comparison
    llvm::SmallPtrSet<const llvm::Value*, 4> of_any_row; ///< whether the operand, such a comparison, is true in a row
};

/// Which values of a scalar function are the same in all lanes or go from lane to lane in equal steps, and where lanes
/// part. Expects a reducible function with one exit, loops in simplified and closed form, and no switches.
class Shapes {
  public:
    Shapes(llvm::Function&, const llvm::LoopInfo&, const llvm::PostDominatorTree&, Tile,
           llvm::ArrayRef<Shape> arguments, Guesses guesses = Guesses(), Agreed agreed = Agreed(),
           Marks marks = Marks());

    Shape of(const llvm::Value*) const;
    /// Whether lanes may part at the block's end.
    bool is_divergent(const llvm::BasicBlock* block) const { return divergent_.contains(block); }
    /// Whether some lanes may be elsewhere while others are in the block.
    bool is_masked(const llvm::BasicBlock* block) const { return masked_.contains(block); }
    /// Whether lanes may leave it in different rounds.
    bool is_divergent(const llvm::Loop*) const;
    /// Whether all lanes of this integer, which has a stride, are the first one's plus so many strides without wrapping
    /// around, whatever its first value.
    bool never_wraps(const llvm::Value*, bool is_signed) const;
    Tile tile() const { return tile_; }
    /// Whether the load has its shape by a guess.
    bool is_guess(const llvm::Value* load) const { return guesses_.contains(load) && of(load).is_regular(); }
    bool is_agreed(const llvm::Value* comparison) const { return agreed_.contains(comparison); }
    /// Whether what the comparison says of the lanes of a row follows from its first and last one, as long as operands
    /// with strides do not wrap around.
    bool is_monotone(const llvm::Value* comparison) const;
    /// Whether all of the block is for one lane alone, which is there.
    bool is_of_one_lane(const llvm::BasicBlock* block) const { return marks_.of_one_lane.contains(block); }
    /// The lane whose value the instruction gives; -1: it is an ordinary one.
    int picked_lane(const llvm::Value* value) const {
        const auto found = marks_.picks.find(value);
        return found == marks_.picks.end() ? -1 : int(found->second);
    }
    bool is_of_all(const llvm::Value* value) const { return marks_.of_all.contains(value); }
    /// Null: the block is for all rows, or the instruction an ordinary one.
    const llvm::Value* row_of(const llvm::BasicBlock* block) const { return marks_.of_one_row.lookup(block); }
    const llvm::Value* picked_row(const llvm::Value* value) const { return marks_.row_picks.lookup(value); }
    bool is_of_any_row(const llvm::Value* value) const { return marks_.of_any_row.contains(value); }
    /// Whether a value is small as threads' numbers in their block are.
    static bool is_of_block(const llvm::Value*, const llvm::DataLayout&);

  private:
    void run();
    Shape transfer(const llvm::Instruction&) const;
    Shape transfer_phi(const llvm::PHINode&) const;
    Shape transfer_binary(const llvm::Instruction&) const;
    Shape transfer_bits(const llvm::Instruction&) const;
    Shape transfer_compare(const llvm::Instruction&) const;
    Shape transfer_cast(const llvm::Instruction&) const;
    Shape transfer_address(const llvm::Instruction&) const;
    Shape transfer_load(const llvm::Instruction&) const;
    Shape same_for_all(const llvm::Instruction&) const;
    unsigned zero_bits(const llvm::Value*) const;
    bool has_low_bits_to_itself(const llvm::Value*, const Shape&) const;
    bool is_alike(const Shape&) const;
    void part(const llvm::BasicBlock*);

    llvm::Function& function_;
    const llvm::DataLayout& data_;
    const llvm::LoopInfo& loops_;
    const llvm::PostDominatorTree& post_;
    Tile tile_;
    Guesses guesses_;
    Agreed agreed_;
    Marks marks_;
    llvm::DenseMap<const llvm::Value*, Shape> shapes_;
    llvm::SmallPtrSet<const llvm::BasicBlock*, 16> divergent_, masked_, joins_;
};

} // namespace ptx::simd

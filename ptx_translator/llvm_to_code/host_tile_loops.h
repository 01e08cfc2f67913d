#pragma once

#include "llvm_to_code/host_tiles.h"

#include <llvm/ADT/ArrayRef.h>
#include <llvm/ADT/SmallVector.h>
#include <llvm/ADT/STLFunctionalExtras.h>

#include <optional>
#include <utility>

/// What loops over tiles are made of.
namespace ptx::code {

using IR = llvm::IRBuilder<>;

llvm::Value* load(IR&, llvm::Value* base, size_t offset, llvm::Type*);
void store(IR&, llvm::Value* base, uint32_t offset, llvm::Value* value);

/// From first to after; `body` gives by how much to go on.
void loop(IR&, llvm::Value* first, llvm::Value* after, llvm::function_ref<llvm::Value*(IR&, llvm::Value*)> body);

/// Where the loops are: %tid, and the thread's number in its CTA.
struct Place {
    llvm::Value *x, *y, *z, *number;
};

/// Loops over the threads of a box, begin <= %tid < end.
class TileLoops {
  public:
    llvm::Value *begin[3], *end[3], *size[3];
    /// Makes code for the threads of so many rows from a place on, up to the %tid.x where they end.
    llvm::function_ref<void(IR&, const Place&, llvm::Value* rows, llvm::Value* x_end)> threads;
    /// Makes code for the tile at a place, which says whether that was run.
    llvm::function_ref<llvm::Value*(IR&, const Place&)> tile;
    llvm::function_ref<void(IR&, const Place&)> after_tile;
    llvm::function_ref<void(IR&)> refused; ///< if it was not
    unsigned columns, rows;
    bool whole_warps = false;
    std::optional<uint32_t> idle_from; ///< the %tid.x from which on threads have nothing to do, if there is one

    void make(IR&);

  private:
    llvm::Value* x_end_ = nullptr;
    void make_only_tile(IR&, llvm::BasicBlock* done);
    struct Row {
        llvm::Value* end;  ///< the %tid.x where the row's tiles end
        llvm::Value* step; ///< how many rows they have, if that may be more than one
    };
    llvm::Value* row_number(IR&, llvm::Value* z, llvm::Value* y) const;
    Row make_row(IR&, llvm::Value* number, llvm::Value* y, bool is_first) const;
    llvm::Value* make_piece(IR&, const Place&, llvm::Value* tiles_end, llvm::Value* step);
};

/// A function of its own for threads one by one, so that it costs the loops over tiles neither registers nor a copy of
/// the Lane.
class Leftover {
  public:
    using One =
        llvm::function_ref<llvm::Value*(IR&, llvm::Value* lane, const Place&, llvm::ArrayRef<llvm::Value*> more)>;

    /// `one` makes code for the thread at a place, whose Lane is `lane`, and gives what it returns, or null. `more`:
    /// the function's further arguments.
    Leftover(llvm::Function& body, llvm::ArrayRef<llvm::Type*> more, One one);

    /// The bits that all results have, and those that any has.
    std::pair<llvm::Value*, llvm::Value*> call(IR&, llvm::Value* lane, llvm::Value* size_x, const Place&,
                                               llvm::Value* rows, llvm::Value* x_end,
                                               llvm::ArrayRef<llvm::Value*> more) const;
    llvm::Function& function() const { return *function_; }

  private:
    static constexpr unsigned fixed = 8; ///< arguments: the Lane*, %ntid.x, the place, rows and where x ends
    llvm::Function* function_;
};

/// What the tile's function gets behind `common`: by rows, where there are several, what differs between them.
/// `numbers_end`: not 0 if the thread's number is one that begins anew there.
llvm::SmallVector<llvm::Value*, 16> tile_arguments(IR&, llvm::ArrayRef<llvm::Value*> common, const Place&,
                                                   llvm::Value* size_x, const TileCode&, bool with_number,
                                                   llvm::Value* results, llvm::Value* abridged,
                                                   uint32_t numbers_end = 0);

/// Whether the tile was run. `other_lane`: a further copy of the Lane, for what is seldom run and not inlined, so that
/// the one of the arguments need not be in memory.
llvm::Value* run_tile(IR&, const TileCode&, llvm::ArrayRef<llvm::Value*> arguments, const Place&,
                      llvm::Value* other_lane);

/// A function that begins, of the module's own and not to be inlined unless it is exported.
llvm::Function* make_code(llvm::Module&, const llvm::Twine& name, llvm::Type* result,
                          llvm::ArrayRef<llvm::Type*> parameters, bool exported);

constexpr uint32_t in_warp = 32;
/// Where the slots are among which the thread's lie: of its warp, if those lie together in so many bytes.
llvm::Value* slots_of(IR&, llvm::Value* slots, llvm::Value* number, uint32_t warp_bytes);
/// void (slots, threads, i32 %ntid.x, .y, .z): gives the abridged slots of all tiles what each thread has.
llvm::Function* make_slots_complete(llvm::Module&, const llvm::Twine& name, const TileCode&, uint32_t warp_bytes);
/// void (next, i32 threads, i32 phase): all of them go on there.
llvm::Function* make_fill(llvm::Module&, const llvm::Twine& name);

} // namespace ptx::code

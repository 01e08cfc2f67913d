#pragma once

#include "llvm_to_code/host_tiles.h"

#include <llvm/ADT/ArrayRef.h>
#include <llvm/ADT/SmallVector.h>
#include <llvm/ADT/STLFunctionalExtras.h>

#include <optional>
#include <string>
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
    std::optional<uint32_t> idle_from;  ///< the %tid.x from which on threads have nothing to do, if there is one
    llvm::Instruction* ahead = nullptr; ///< where what several such loops have in common may be computed

    void make(IR&);

  private:
    llvm::Value *x_end_ = nullptr, *tiles_end_ = nullptr, *aligned_ = nullptr, *rest_end_ = nullptr;
    void make_only_tile(IR&, llvm::BasicBlock* done);
    struct Row {
        llvm::Value* end;  ///< the %tid.x where the row's tiles end
        llvm::Value* step; ///< how many rows they have, if that may be more than one
    };
    llvm::Value* row_number(IR&, llvm::Value* z, llvm::Value* y) const;
    Row make_row(IR&, llvm::Value* number, llvm::Value* y, bool is_first) const;
    llvm::Value* make_piece(IR&, const Place&, llvm::Value* tiles_end, llvm::Value* step);
};

/// Makes it the scalar code of threads that are left over from tiles, or refused by them.
void make_leftover(llvm::Function& body);

/// A function of its own for threads one by one, so that it costs the loops over tiles neither registers nor a copy of
/// the Lane.
class Leftover {
  public:
    using One =
        llvm::function_ref<llvm::Value*(IR&, llvm::Value* lane, const Place&, llvm::ArrayRef<llvm::Value*> more)>;

    /// `one` makes code for the thread at a place, whose Lane is `lane`, and gives what it returns, or null. `more`:
    /// the function's further arguments.
    Leftover(llvm::Module&, const llvm::Twine& name, llvm::ArrayRef<llvm::Type*> more, One one);

    /// The bits that all results have, and those that any has.
    std::pair<llvm::Value*, llvm::Value*> call(IR&, llvm::Value* lane, const Place&, llvm::Value* rows,
                                               llvm::Value* x_end, llvm::ArrayRef<llvm::Value*> more) const;
    llvm::Function& function() const { return *function_; }

  private:
    static constexpr unsigned fixed = 6; ///< arguments: the Lane*, the place by its %tid, rows and where x ends
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
/// S.phase and S.chain (ptx/host_abi.h), of a function of all phases: i32 (Lane*, i32 phase, PhaseBox*, i1 chain).
void make_tile_entries(llvm::Function& phases, const std::string& symbol);
/// The phases that may follow one without anybody else, behind barriers of all threads. `cuts`: S.cuts. `anywhere`: the
/// phase goes on where threads alone would stop.
llvm::SmallVector<uint32_t, 4> phases_behind(llvm::ArrayRef<llvm::Function*> phases, const llvm::GlobalVariable& cuts,
                                             uint32_t number, bool anywhere);
/// void (next, i32 threads, i32 phase): all of them go on there.
llvm::Function* make_fill(llvm::Module&, const llvm::Twine& name);

} // namespace ptx::code

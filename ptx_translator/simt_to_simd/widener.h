#pragma once

#include "simt_to_simd/bundles.h"
#include "simt_to_simd/directed.h"
#include "simt_to_simd/patterns.h"
#include "simt_to_simd/shapes.h"
#include "simt_to_simd/warp_operations.h"
#include "simt_to_simd/widen.h"

#include <llvm/ADT/DenseMap.h>
#include <llvm/ADT/MapVector.h>
#include <llvm/ADT/STLFunctionalExtras.h>
#include <llvm/Analysis/LoopInfo.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IRBuilder.h>

#include <optional>
#include <set>
#include <tuple>
#include <vector>

namespace llvm {
class DominatorTree;
class PostDominatorTree;
} // namespace llvm

namespace ptx::simd {

using IR = llvm::IRBuilder<>;

constexpr uint64_t page = 4096; ///< of memory that is there as a whole or not: Stacks::page of runtime/backend/cpu

/// What widen() works with. A regular value is kept as the first column's, in scalars, one or one for each row; others,
/// and regular ones where a vector is wanted, as a vector of all lanes, row after row.
class Widener {
  public:
    Widener(llvm::Function& scalar, const Shapes&, const llvm::LoopInfo&, const llvm::DominatorTree&,
            const llvm::PostDominatorTree&, const Machine&, const SlotAccesses&, const Bundles&);
    /// `exit`: null, or a condition in the entry block; tiles are refused any of whose lanes has the value for it. Null
    /// if a slot cannot be abridged that should be. `end`: null, or the same of lanes that have nothing to do at all:
    /// tiles of such lanes alone count as run.
    llvm::Function* run(llvm::Value* exit, bool value_of_exit, llvm::Value* end, bool value_of_end, Results results);

  private:
    // widener.cpp: blocks, in an order that all lanes can take together.
    using Targets = std::set<unsigned>; ///< numbers of blocks
    void make_signature();
    llvm::Value* aligned(const llvm::Argument&, llvm::Value* given);
    void make_variables();
    void clear_masks(const llvm::Loop*);
    void expect_at_exits(const llvm::Loop&);
    void take_lanes_of(const llvm::BasicBlock*);
    void widen_block(unsigned number);
    void end_block(unsigned number);
    void end_divergent(unsigned number, llvm::BranchInst&);
    void pass(unsigned from, llvm::BasicBlock* to, llvm::Value* mask);
    llvm::BasicBlock* route(Targets targets);
    bool needs_no_look(unsigned number);
    void finish();
    unsigned number_of(const llvm::BasicBlock* block) const { return numbers_.lookup(block); }

    // masks.cpp
    void find_equivalents();
    bool runs_as(const llvm::BasicBlock* block, const llvm::BasicBlock* other) const;
    bool is_reached_through(const llvm::BasicBlock* block, const llvm::BasicBlock* other) const;
    llvm::Value* load_mask(const llvm::BasicBlock*);
    llvm::Value* to_memory(llvm::Value* mask);
    llvm::Type* mask_in_memory();
    llvm::Value* both(llvm::Value* mask, llvm::Value* condition);
    llvm::Value* bits(llvm::Value* mask);
    llvm::Value* any(llvm::Value* mask);
    llvm::Value* perhaps_any(const llvm::BasicBlock*);
    llvm::Value* are_all(llvm::Value* mask);

    // values.cpp
    llvm::Value* base(llvm::Value*, unsigned row = 0);
    llvm::Value* vector(llvm::Value*);
    llvm::Value* spread(IR&, llvm::Value* scalar, int64_t stride, llvm::ArrayRef<llvm::Value*> rows);
    llvm::Value* from_word(llvm::Value* wide, const llvm::ConstantInt* lane);
    llvm::Type* widened(llvm::Type* type) const;
    unsigned rows_of(const llvm::Value*) const;
    void widen_instruction(llvm::Instruction&);
    void do_in_one_lane(llvm::Instruction&);
    llvm::Value* in_row(const llvm::Value* test, llvm::ArrayRef<llvm::Value*> rows);
    void pick_row(llvm::Instruction&, const llvm::Value* test);
    void widen_regular(llvm::Instruction&);
    llvm::Value* address_in_row(llvm::Value* pointer, unsigned row);
    llvm::Value* make_wide(IR&, llvm::Instruction&, llvm::ArrayRef<llvm::Value*> operands);
    llvm::Value* widen_division(llvm::Instruction&, llvm::Value* left, llvm::Value* right);
    void widen_intrinsic(llvm::CallInst&);
    void widen_directed(llvm::CallInst&, const Directed&); ///< directed.cpp
    llvm::Value* fuse_down(llvm::CallInst&, const Directed&);
    // warp_operations.cpp
    void widen_warp_operation(llvm::CallInst&);
    void widen_shuffle(llvm::CallInst&);
    void widen_vote(llvm::CallInst&);
    void widen_multiply(llvm::CallInst&);
    llvm::Value* match(llvm::Value* wide, llvm::Value* mask);
    llvm::Value* permute(llvm::Value* wide, llvm::Value* from);
    llvm::Value* last_of(llvm::Value*, unsigned row, bool is_signed, llvm::Value*& straight);
    void agree(llvm::ICmpInst&);
    llvm::Value* true_in_all(llvm::ICmpInst&);
    void keep_guard(llvm::Instruction&);
    llvm::Value* guard(llvm::Value*);
    void note(llvm::Instruction&, llvm::Value* wide);

    // row_steps.cpp
    struct RowStep {
        llvm::Value* times = nullptr; ///< uniform; null: one
        int64_t count = 0;
    };
    static std::optional<RowStep> sum(const std::optional<RowStep>&, const std::optional<RowStep>&);
    std::optional<RowStep> row_step(llvm::Value*);
    std::optional<RowStep> row_step_of(llvm::Instruction&);
    llvm::Value* from_rows_before(llvm::Instruction&, llvm::ArrayRef<llvm::Value*> before);

    // counts.cpp
    void make_counters();
    bool is_scattered(const llvm::Instruction& access) const;
    void count_block(unsigned number);
    void add_counts();

    // accesses.cpp
    void widen_load(llvm::LoadInst&);
    void widen_store(llvm::StoreInst&);
    bool has_masked_accesses(llvm::Type*) const;
    llvm::Value* is_in_one_page(llvm::LoadInst&, bool backwards);
    llvm::Value* load_contiguous(llvm::LoadInst&, bool backwards, llvm::Value* mask); ///< null: of all lanes
    void store_contiguous(llvm::StoreInst&, llvm::Value* mask);
    llvm::Value* load_some(llvm::LoadInst&);
    // slot_accesses.cpp
    void widen_guess(llvm::LoadInst&);
    bool store_abridged(llvm::StoreInst&);
    // prefetch.cpp
    using Later = llvm::DenseMap<llvm::Value*, llvm::Value*>;
    bool is_lane_field(const llvm::Value*, uint64_t field) const;
    llvm::Value* in_later(llvm::Value*, unsigned row, bool blocks, Later& known);
    std::optional<int64_t> way_to_later(const llvm::Value*, unsigned depth = 0) const;
    llvm::Value* in_next_round(llvm::Value* pointer, unsigned row);
    void prefetch(llvm::Instruction& access);
    llvm::Value* growth(llvm::Value*, unsigned row, const llvm::Loop&); ///< prefetch_rounds.cpp
    void prefetch_round(llvm::LoadInst&);
    // patterns.cpp
    std::optional<Elements> elements_of(const llvm::Value* pointer, llvm::Type*) const;
    llvm::Value* element(llvm::Value* pointer, const Elements&, llvm::Type*, unsigned number);
    llvm::Value* load_pattern(llvm::LoadInst&, const Elements&);
    llvm::Value* load_runs(llvm::LoadInst&, unsigned group); ///< runs.cpp
    bool is_own_memory(const llvm::Value* pointer) const;
    bool store_pattern(llvm::StoreInst&);
    void store_between(llvm::StoreInst&, const Elements&);
    // bundle_accesses.cpp
    void load_bundle(const Bundle&);
    void store_bundle(const Bundle&);
    // blends.cpp
    bool is_loaded_by_all(const llvm::StoreInst&) const;
    bool is_blend(const llvm::StoreInst&) const;
    llvm::Value* load_former(llvm::Type*, llvm::Value* place, llvm::Align);
    void blend(llvm::StoreInst&, llvm::Value* mask);
    bool only_blends(const llvm::BasicBlock&) const;
    llvm::Value* load_scattered(llvm::LoadInst&);
    llvm::Value* gather(llvm::LoadInst&);
    void scatter(llvm::StoreInst&);
    void one_by_one(llvm::Instruction&);
    /// The value in one lane, by a number that is constant or not; vectors that are asked for by the latter lie in
    /// memory.
    llvm::Value* in_lane(llvm::Value*, llvm::Value* lane);
    llvm::Value* in_memory(llvm::Value* wide);
    void prepare_lanes(llvm::Value*);
    /// Makes code that runs if the condition is true, and other code if not, and a phi of what they give.
    llvm::Value* choose(llvm::Value* condition, llvm::function_ref<llvm::Value*()> yes,
                        llvm::function_ref<llvm::Value*()> no);
    void for_each_lane(llvm::function_ref<void(llvm::Value* lane)>);
    /// What to add to the first column's value of each lane, if the shape says so.
    bool is_contiguous(const llvm::Value* pointer, const llvm::Type*, bool& backwards) const;

    llvm::Function& scalar_;
    const Shapes& shapes_;
    const llvm::LoopInfo& loops_;
    const llvm::DominatorTree& dominators_;
    const llvm::PostDominatorTree& post_;
    const Machine& machine_;
    const SlotAccesses& slots_;
    const Bundles& bundles_;
    const llvm::DataLayout& data_;
    llvm::LLVMContext& context_;
    Tile tile_; ///< of the block that is made: a row, where only that is there
    unsigned lanes_;

    llvm::Function* made_ = nullptr;
    IR ir_;
    llvm::BasicBlock* entry_ = nullptr; ///< variables and what arguments are made into
    std::vector<llvm::BasicBlock*> blocks_;
    llvm::DenseMap<const llvm::BasicBlock*, unsigned> numbers_;
    std::vector<llvm::BasicBlock*> entries_, bodies_; ///< of blocks: with the look whether any lane is there; behind it
    std::vector<Targets> pending_;                    ///< blocks where lanes may wait while others are in this one
    std::vector<const llvm::BasicBlock*> same_as_;    ///< an earlier block in which the same lanes are
    std::vector<llvm::AllocaInst*> mask_variables_;
    std::vector<llvm::Value*> masks_; ///< null: all lanes
    unsigned current_ = 0;
    llvm::Value *exit_ = nullptr, *end_ = nullptr;
    bool value_of_exit_ = false, value_of_end_ = false;
    Results results_ = Results::by_lane;
    llvm::Value *results_place_ = nullptr, *abridged_ = nullptr; ///< the last arguments
    bool failed_ = false;
    llvm::SmallVector<llvm::AllocaInst*, 4> counters_; ///< the fields of host::Counts but the last; none: not counted

    llvm::DenseMap<llvm::Value*, llvm::SmallVector<llvm::Value*, 2>> bases_;
    llvm::DenseMap<llvm::Value*, std::optional<RowStep>> row_steps_;
    llvm::DenseMap<llvm::Value*, llvm::Value*> vectors_, guards_;
    llvm::DenseMap<llvm::Value*, llvm::Value*>
        other_vectors_; ///< of a row while blocks are made for all, or the other way
    llvm::DenseMap<llvm::Value*, llvm::SmallVector<llvm::Value*, 2>> fields_; ///< of structures, as vectors
    llvm::DenseMap<llvm::PHINode*, llvm::SmallVector<llvm::AllocaInst*, 2>> phis_;
    llvm::DenseMap<llvm::Value*, llvm::AllocaInst*> memory_; ///< vectors that lie in memory for one_by_one
    bool by_words_ = false; ///< in_lane() takes small elements from registers that have several
    llvm::DenseMap<std::pair<llvm::Value*, unsigned>, llvm::Value*> words_; ///< these, by their place in the vector
    llvm::DenseMap<llvm::Type*, llvm::AllocaInst*> blocks_of_registers_;    ///< of matrices, by their size
    llvm::CallInst* last_multiply_ = nullptr;
    std::set<std::tuple<const llvm::Value*, unsigned, int64_t>> prefetched_; ///< by origin, row and line from there
    llvm::SmallVector<llvm::Value*, 4> entry_guards_;
    llvm::SmallVector<llvm::AllocaInst*, 32> variables_;
};

} // namespace ptx::simd

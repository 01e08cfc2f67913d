#pragma once

#include "ptx/host_abi.h"

#include <llvm/ADT/ArrayRef.h>
#include <llvm/ADT/DenseMap.h>
#include <llvm/ADT/SmallVector.h>
#include <llvm/ADT/STLFunctionalExtras.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/Transforms/Utils/ValueMapper.h>

#include <map>
#include <string>

namespace ptx::code {

/// Where a phase finds what threads keep: see host::PhaseCut.
struct PhaseSlots {
    llvm::Function* phase = nullptr;
    bool by_warps = false; ///< those of a warp lie together, else those of all threads
    /// The slot of `size` bytes at that byte, of the thread that runs.
    llvm::Value* at(llvm::IRBuilder<>&, uint64_t byte, uint64_t size) const;
};

/// The places where a kernel is cut, and what goes in and out there: threads leave their arguments in slots, and the
/// runner their results. Operations of a warp that need nothing of each other, as the shuffles of a wide value's
/// halves, are one cut.
class PhaseCuts {
  public:
    /// Neutral functions in which threads wait for each other, at which a kernel may be cut.
    static bool is_cut(const llvm::Instruction&);
    /// Why no cut can be made at this one, in a few words; nothing if it can.
    static std::string why_not(const llvm::CallInst& cut);

    /// Puts stores of the arguments in front of all cuts of the kernel, to variables in its entry block.
    explicit PhaseCuts(llvm::Function& kernel);

    /// The calls of each cut: in one block, with nothing in front of others than the first but what depends on calls.
    llvm::ArrayRef<llvm::SmallVector<llvm::CallInst*, 2>> groups() const { return groups_; }
    /// Numbers of a cut's first and last operation among all, which number phases: 0 is the kernel's beginning.
    uint32_t first_number(size_t group) const { return numbers_[group]; }
    uint32_t last_number(size_t group) const { return numbers_[group] + uint32_t(groups_[group].size()) - 1; }
    llvm::ArrayRef<llvm::AllocaInst*> variables() const { return variables_; }
    /// Whether there are many, and some in a warp, whose slots then lie together.
    bool by_warps() const;
    /// Whether threads meet in a warp, and do not only come to barriers and spin.
    bool any_of_warps() const;
    /// `reserve` gives the byte where a slot of that size begins.
    void lay_out(llvm::function_ref<uint64_t(uint64_t size)> reserve);
    /// The end of a phase at that cut; `map` knows its variables.
    void leave(llvm::IRBuilder<>&, size_t group, const PhaseSlots&, llvm::ValueToValueMapTy& map) const;
    /// The beginning of one; `map` knows its copies of the calls.
    void pass(size_t group, const PhaseSlots&, llvm::ValueToValueMapTy& map) const;
    /// Instead of `pass`, where all lanes of a warp go on together: makes `map`'s copies of the calls, which are of a
    /// warp, calls of the functions of simt_to_simd/warp_operations.h.
    void stay_together(size_t group, llvm::ValueToValueMapTy& map) const;
    /// Whether the cut is an operation of a warp.
    bool is_of_warp(size_t group) const;
    /// An array of host::PhaseCut. The first stands for the kernel's beginning and only says how slots lie.
    void make_table(llvm::Module&, const std::string& name) const;

  private:
    /// An argument: a constant or a variable.
    struct Argument {
        uint32_t constant = 0;
        llvm::AllocaInst* variable = nullptr;
    };
    struct Cut {
        host::Wait wait = host::Wait::none;
        uint32_t operation = 0, bytes = 0, result = host::no_slot, predicate = host::no_slot;
        Argument mask, by, clamp, value;
        llvm::SmallVector<llvm::AllocaInst*, 24> words; ///< of a collective
        uint32_t block = 0, results = 0;                ///< its slot; words that it gives
        uint64_t argument = 0;
        bool more = false; ///< the next one is of the same group
    };
    using Calls = llvm::SmallVector<llvm::CallInst*, 2>;

    void find_groups();
    void add(llvm::CallInst&, unsigned place);
    void stay_together(llvm::CallInst&, const Cut&, llvm::ValueToValueMapTy& map) const;
    void leave(llvm::IRBuilder<>&, const Cut&, const PhaseSlots&, llvm::ValueToValueMapTy& map) const;
    void pass(llvm::CallInst&, const Cut&, const PhaseSlots&) const;
    llvm::AllocaInst* variable(llvm::StringRef role, llvm::Type*);
    Argument take(llvm::CallInst&, unsigned operand, const llvm::Twine& role, bool always = false);
    void take_words(llvm::CallInst&, Cut&);
    uint32_t slot_of(const Argument&) const;
    llvm::Constant* argument(llvm::IRBuilder<>&, const Argument&) const;

    llvm::Function& kernel_;
    llvm::Instruction* before_ = nullptr; ///< the first call of the group, in front of which arguments are stored
    llvm::SmallVector<Calls, 16> groups_;
    llvm::SmallVector<uint32_t, 16> numbers_; ///< of their first operations
    llvm::SmallVector<Cut, 16> cuts_;         ///< by number; the first stands for the kernel's beginning
    std::map<std::pair<std::string, llvm::Type*>, llvm::AllocaInst*> named_;
    llvm::SmallVector<llvm::AllocaInst*, 16> variables_;
    llvm::DenseMap<const llvm::AllocaInst*, uint32_t> slots_;
};

} // namespace ptx::code

#include "llvm_to_code/phase_cuts.h"

#include "llvm_to_code/neutral.h"
#include "simt_to_simd/warp_operations.h"

#include <llvm/ADT/SmallPtrSet.h>
#include <llvm/Analysis/ValueTracking.h>
#include <llvm/IR/Module.h>

#include <cstddef>

namespace ptx::code {
namespace {

using IR = llvm::IRBuilder<>;
using host::Wait;

/// Which operand of a neutral function is what; -1: it has none.
struct Row {
    llvm::StringLiteral name;
    Wait wait;
    int operation, value, by, clamp, mask;
    bool groups; ///< may be with others in a group
};

constexpr Row rows[] = {
    {llvm::StringLiteral("barrier.sync"), Wait::barrier, -1, -1, -1, -1, -1, false},
    {llvm::StringLiteral("barrier.reduce"), Wait::barrier_reduce, 0, 3, -1, -1, -1, false},
    {llvm::StringLiteral("warp.sync"), Wait::warp_sync, -1, -1, -1, -1, 0, false},
    {llvm::StringLiteral("shuffle"), Wait::shuffle, 0, 1, 2, 3, 4, true},
    {llvm::StringLiteral("vote"), Wait::vote, 0, 1, -1, -1, 2, true},
    {llvm::StringLiteral("match.any"), Wait::match_any, -1, 0, -1, -1, 1, true},
    {llvm::StringLiteral("match.all"), Wait::match_all, -1, 0, -1, -1, 1, true},
    {llvm::StringLiteral("reduce"), Wait::reduce, 0, 1, -1, -1, 2, true},
    {llvm::StringLiteral("active.mask"), Wait::active_mask, -1, -1, -1, -1, -1, false},
    {llvm::StringLiteral("spin"), Wait::spin, -1, -1, -1, -1, -1, false},
    {llvm::StringLiteral("nanosleep"), Wait::spin, -1, -1, -1, -1, -1, false},
};
constexpr Row collective{llvm::StringLiteral("mma."), Wait::collective, -1, -1, -1, -1, -1, false};

const Row* row_of(const llvm::Instruction& instruction) {
    const llvm::StringRef name = cuttle_name(instruction);
    if (name.empty()) return nullptr;
    if (name.starts_with(collective.name)) return &collective;
    for (const Row& row : rows)
        if (row.name == name) return &row;
    return nullptr;
}

constexpr size_t most_in_group = 4;

/// With more cuts, some of them in a warp, code gets so large that it counts how it finds slots.
constexpr size_t most_of_all = 12;

/// Else a thread waits for all of the CTA, or for what others write.
bool in_a_warp(Wait wait) { return wait != Wait::barrier && wait != Wait::barrier_reduce && wait != Wait::spin; }

/// A bit takes a byte.
uint32_t bytes_of(const llvm::Type& type) { return (type.getIntegerBitWidth() + 7) / 8; }

} // namespace

llvm::Value* PhaseSlots::at(IR& ir, uint64_t byte, uint64_t size) const {
    llvm::Value *slots = phase->getArg(1), *mine = ir.CreateNUWMul(phase->getArg(3), ir.getInt64(size));
    // The constant last: all slots of a size then have one address in a register.
    if (by_warps)
        return ir.CreateGEP(ir.getInt8Ty(), ir.CreateGEP(ir.getInt8Ty(), slots, mine), ir.getInt64(32 * byte));
    llvm::Value* offset = ir.CreateNUWMul(phase->getArg(2), ir.getInt64(byte));
    return ir.CreateGEP(ir.getInt8Ty(), ir.CreateGEP(ir.getInt8Ty(), slots, offset), mine);
}

bool PhaseCuts::is_cut(const llvm::Instruction& instruction) { return row_of(instruction) != nullptr; }

std::string PhaseCuts::why_not(const llvm::CallInst& cut) {
    const Row& row = *row_of(cut);
    if (row.operation >= 0 && !llvm::isa<llvm::ConstantInt>(cut.getArgOperand(unsigned(row.operation))))
        return cuttle_name(cut).str() + " of an operation that only the thread knows";
    if (row.wait == Wait::collective && !llvm::isa<llvm::ConstantInt>(cut.getArgOperand(0)))
        return "mma of a form that only the thread knows";
    if (row.wait != Wait::barrier && row.wait != Wait::barrier_reduce) return {};
    const unsigned first = row.wait == Wait::barrier_reduce;
    const auto* count = llvm::dyn_cast<llvm::ConstantInt>(cut.getArgOperand(first + 1));
    if (!count || !count->isZero()) return "a barrier of some of the threads";
    if (!llvm::isa<llvm::ConstantInt>(cut.getArgOperand(first))) return "a barrier whose name only the thread knows";
    return {};
}

PhaseCuts::PhaseCuts(llvm::Function& kernel) : kernel_(kernel), cuts_(1) {
    find_groups();
    for (const Calls& calls : groups_) {
        numbers_.push_back(static_cast<uint32_t>(cuts_.size()));
        before_ = calls.front();
        for (unsigned i = 0; i < calls.size(); ++i) add(*calls[i], i);
        for (size_t i = numbers_.back(); i + 1 < cuts_.size(); ++i) cuts_[i].more = true;
    }
    cuts_.front().bytes = by_warps() ? 32 : 0;
}

bool PhaseCuts::by_warps() const { return groups_.size() > most_of_all && any_of_warps(); }

bool PhaseCuts::any_of_warps() const {
    return llvm::any_of(llvm::ArrayRef(cuts_).drop_front(), [](const Cut& cut) { return in_a_warp(cut.wait); });
}

/// Calls with nothing between them but computations, of which none gets to them from the others: those computations go
/// in front of the first.
void PhaseCuts::find_groups() {
    for (llvm::BasicBlock& block : kernel_) {
        bool open = false; // the last group may grow
        llvm::SmallPtrSet<llvm::Value*, 16> dependent;
        llvm::SmallVector<llvm::Instruction*, 16> between;
        for (llvm::Instruction& instruction : llvm::make_early_inc_range(block)) {
            const bool depends =
                llvm::any_of(instruction.operands(), [&](llvm::Use& use) { return dependent.contains(use.get()); });
            if (const Row* row = row_of(instruction)) {
                auto* call = llvm::cast<llvm::CallInst>(&instruction);
                if (open && !depends && row->groups && groups_.back().size() < most_in_group) {
                    for (llvm::Instruction* each : between) each->moveBefore(groups_.back().front()->getIterator());
                    groups_.back().push_back(call);
                } else {
                    groups_.push_back({call});
                    dependent.clear();
                    open = row->groups;
                }
                between.clear();
                dependent.insert(call);
            } else if (depends) {
                dependent.insert(&instruction);
                open &= !instruction.mayReadOrWriteMemory();
            } else if (llvm::isSafeToSpeculativelyExecute(&instruction) && !instruction.mayReadOrWriteMemory()) {
                between.push_back(&instruction);
            } else {
                open = false;
            }
        }
    }
    // Those that came later in a group follow its first call: nothing that they need is behind it.
    for (Calls& calls : groups_)
        for (size_t i = 1; i < calls.size(); ++i) calls[i]->moveAfter(calls[i - 1]);
}

void PhaseCuts::add(llvm::CallInst& call, unsigned place) {
    const Row& row = *row_of(call);
    Cut& cut = cuts_.emplace_back();
    cut.wait = row.wait;
    if (row.operation >= 0)
        cut.operation = static_cast<uint32_t>(
            llvm::cast<llvm::ConstantInt>(call.getArgOperand(unsigned(row.operation)))->getZExtValue());
    if (row.mask >= 0) cut.mask = take(call, unsigned(row.mask), "mask" + llvm::Twine(place));
    if (row.by >= 0) cut.by = take(call, unsigned(row.by), "by" + llvm::Twine(place));
    if (row.clamp >= 0) cut.clamp = take(call, unsigned(row.clamp), "clamp" + llvm::Twine(place));
    if (row.value >= 0) {
        cut.bytes = bytes_of(*call.getArgOperand(unsigned(row.value))->getType());
        cut.value = take(call, unsigned(row.value), "value" + llvm::Twine(place), true);
    }
    if (row.wait == Wait::barrier || row.wait == Wait::barrier_reduce)
        cut.argument =
            llvm::cast<llvm::ConstantInt>(call.getArgOperand(row.wait == Wait::barrier_reduce))->getZExtValue();
    if (row.wait == Wait::collective) take_words(call, cut);
}

llvm::AllocaInst* PhaseCuts::variable(llvm::StringRef role, llvm::Type* type) {
    llvm::AllocaInst*& made = named_[{role.str(), type}];
    if (made) return made;
    IR ir(&kernel_.getEntryBlock(), kernel_.getEntryBlock().begin());
    made = ir.CreateAlloca(type);
    variables_.push_back(made);
    return made;
}

/// What a thread gives is known before the cut, but not kept. A constant needs no variable, unless it has one always.
PhaseCuts::Argument PhaseCuts::take(llvm::CallInst& call, unsigned operand, const llvm::Twine& role, bool always) {
    llvm::Value* value = call.getArgOperand(operand);
    Argument taken;
    if (auto* constant = llvm::dyn_cast<llvm::ConstantInt>(value); constant && !always) {
        taken.constant = static_cast<uint32_t>(constant->getZExtValue());
        return taken;
    }
    taken.variable = variable(role.str(), value->getType());
    new llvm::StoreInst(value, taken.variable, before_->getIterator());
    call.setArgOperand(operand, llvm::PoisonValue::get(value->getType()));
    return taken;
}

/// As lower_matrix_multiply lays them out.
void PhaseCuts::take_words(llvm::CallInst& call, Cut& cut) {
    cut.argument = llvm::cast<llvm::ConstantInt>(call.getArgOperand(0))->getZExtValue();
    for (unsigned i = 1; i < call.arg_size(); ++i)
        cut.words.push_back(take(call, i, "word" + llvm::Twine(i), true).variable);
    cut.results = static_cast<uint32_t>(llvm::cast<llvm::ArrayType>(call.getType())->getNumElements());
    cut.bytes = 4 * (static_cast<uint32_t>(cut.words.size()) + cut.results);
}

void PhaseCuts::lay_out(llvm::function_ref<uint64_t(uint64_t size)> reserve) {
    for (llvm::AllocaInst* variable : variables_) {
        const bool in_block =
            llvm::any_of(cuts_, [&](const Cut& cut) { return llvm::is_contained(cut.words, variable); });
        if (!in_block) slots_[variable] = static_cast<uint32_t>(reserve(bytes_of(*variable->getAllocatedType())));
    }
    std::map<uint32_t, uint32_t> blocks;
    llvm::SmallVector<uint32_t, 4> results(most_in_group, host::no_slot), predicates(results);
    auto once = [&](uint32_t& slot, uint64_t size) {
        if (slot == host::no_slot) slot = static_cast<uint32_t>(reserve(size));
        return slot;
    };
    for (size_t group = 0; group < groups_.size(); ++group)
        for (size_t i = 0; i < groups_[group].size(); ++i) {
            Cut& cut = cuts_[numbers_[group] + i];
            llvm::Type* type = groups_[group][i]->getType();
            if (cut.wait == Wait::collective) {
                cut.block = once(blocks.try_emplace(cut.bytes, host::no_slot).first->second, cut.bytes);
            } else if (!type->isVoidTy()) {
                cut.result = once(results[i], 4);
                if (type->isStructTy()) cut.predicate = once(predicates[i], 1);
            }
        }
}

void PhaseCuts::leave(IR& ir, size_t group, const PhaseSlots& slots, llvm::ValueToValueMapTy& map) const {
    for (uint32_t i = first_number(group); i <= last_number(group); ++i) leave(ir, cuts_[i], slots, map);
}

void PhaseCuts::pass(size_t group, const PhaseSlots& slots, llvm::ValueToValueMapTy& map) const {
    for (size_t i = 0; i < groups_[group].size(); ++i)
        pass(*llvm::cast<llvm::CallInst>(map[groups_[group][i]]), cuts_[numbers_[group] + i], slots);
}

void PhaseCuts::leave(IR& ir, const Cut& cut, const PhaseSlots& slots, llvm::ValueToValueMapTy& map) const {
    auto store = [&](llvm::AllocaInst* variable, llvm::Value* address) {
        llvm::Type* type = variable->getAllocatedType();
        llvm::Value* value = ir.CreateLoad(type, map[variable]);
        ir.CreateStore(ir.CreateZExt(value, ir.getIntNTy(8 * bytes_of(*type))), address);
    };
    for (const Argument* argument : {&cut.mask, &cut.by, &cut.clamp, &cut.value})
        if (llvm::AllocaInst* variable = argument->variable)
            store(variable, slots.at(ir, slots_.lookup(variable), bytes_of(*variable->getAllocatedType())));
    if (cut.wait != Wait::collective) return;
    llvm::Value* block = slots.at(ir, cut.block, cut.bytes);
    unsigned word = 0;
    auto next = [&] { return ir.CreateConstInBoundsGEP1_32(ir.getInt32Ty(), block, word++); };
    for (llvm::AllocaInst* variable : cut.words) store(variable, next());
    // Written in two steps where D is made of halves.
    for (unsigned i = 0; i < cut.results; ++i) ir.CreateStore(ir.getInt32(0), next());
}

void PhaseCuts::pass(llvm::CallInst& call, const Cut& cut, const PhaseSlots& slots) const {
    IR ir(&call);
    llvm::Value* result = nullptr;
    if (cut.wait == Wait::collective) {
        llvm::Value* block = slots.at(ir, cut.block, cut.bytes);
        result = llvm::PoisonValue::get(call.getType());
        for (unsigned i = 0; i < cut.results; ++i) {
            llvm::Value* word = ir.CreateConstInBoundsGEP1_32(ir.getInt32Ty(), block, unsigned(cut.words.size()) + i);
            result = ir.CreateInsertValue(result, ir.CreateLoad(ir.getInt32Ty(), word), i);
        }
    } else if (cut.result != host::no_slot) {
        result = ir.CreateLoad(ir.getInt32Ty(), slots.at(ir, cut.result, 4));
        if (cut.predicate != host::no_slot) {
            llvm::Value* bit = ir.CreateLoad(ir.getInt8Ty(), slots.at(ir, cut.predicate, 1));
            llvm::Value* both = ir.CreateInsertValue(llvm::PoisonValue::get(call.getType()), result, 0);
            result = ir.CreateInsertValue(both, ir.CreateTrunc(bit, ir.getInt1Ty()), 1);
        }
    }
    if (result) call.replaceAllUsesWith(result);
    call.eraseFromParent();
}

bool PhaseCuts::is_of_warp(size_t group) const { return in_a_warp(cuts_[numbers_[group]].wait); }

void PhaseCuts::stay_together(size_t group, llvm::ValueToValueMapTy& map) const {
    for (size_t i = 0; i < groups_[group].size(); ++i)
        stay_together(*llvm::cast<llvm::CallInst>(map[groups_[group][i]]), cuts_[numbers_[group] + i], map);
}

/// The variables have what the operands were.
void PhaseCuts::stay_together(llvm::CallInst& call, const Cut& cut, llvm::ValueToValueMapTy& map) const {
    IR ir(&call);
    const Row& row = *row_of(call);
    const auto give = [&](int operand, const Argument& argument) {
        if (operand < 0 || !argument.variable) return;
        call.setArgOperand(unsigned(operand), ir.CreateLoad(argument.variable->getAllocatedType(), map[argument.variable]));
    };
    give(row.mask, cut.mask);
    give(row.by, cut.by);
    give(row.clamp, cut.clamp);
    give(row.value, cut.value);
    for (unsigned i = 0; i < cut.words.size(); ++i)
        call.setArgOperand(1 + i, ir.CreateLoad(ir.getInt32Ty(), map[cut.words[i]]));
    simd::make_warp_operation(call);
}

uint32_t PhaseCuts::slot_of(const Argument& argument) const {
    return argument.variable ? slots_.lookup(argument.variable) : host::no_slot;
}

llvm::Constant* PhaseCuts::argument(IR& ir, const Argument& argument) const {
    return llvm::ConstantStruct::getAnon({ir.getInt32(slot_of(argument)), ir.getInt32(argument.constant)});
}

void PhaseCuts::make_table(llvm::Module& module, const std::string& name) const {
    static_assert(offsetof(host::PhaseCut, mask) == 8 && offsetof(host::PhaseCut, value) == 32);
    static_assert(offsetof(host::PhaseCut, compute) == 48 && offsetof(host::PhaseCut, more) == 64);
    IR ir(module.getContext());
    llvm::SmallVector<llvm::Constant*, 16> all;
    for (const Cut& cut : cuts_) {
        const bool collective = cut.wait == Wait::collective;
        llvm::Constant* compute = llvm::ConstantPointerNull::get(ir.getPtrTy());
        if (collective) {
            auto* type = llvm::FunctionType::get(ir.getVoidTy(), {ir.getPtrTy(), ir.getInt64Ty()}, false);
            compute =
                llvm::cast<llvm::Constant>(module.getOrInsertFunction("cuttle_matrix_multiply", type).getCallee());
        }
        all.push_back(llvm::ConstantStruct::getAnon(
            {ir.getInt32(static_cast<uint32_t>(cut.wait)), ir.getInt32(cut.operation), argument(ir, cut.mask),
             argument(ir, cut.by), argument(ir, cut.clamp), ir.getInt32(collective ? cut.block : slot_of(cut.value)),
             ir.getInt32(cut.bytes), ir.getInt32(cut.result), ir.getInt32(cut.predicate), compute,
             ir.getInt64(cut.argument), ir.getInt64(cut.more)}));
    }
    auto* table = llvm::ConstantArray::get(llvm::ArrayType::get(all[0]->getType(), all.size()), all);
    auto* variable =
        new llvm::GlobalVariable(module, table->getType(), true, llvm::GlobalValue::ExternalLinkage, table, name);
    variable->setAlignment(llvm::Align(alignof(host::PhaseCut)));
    variable->setVisibility(llvm::GlobalValue::DefaultVisibility);
}

} // namespace ptx::code

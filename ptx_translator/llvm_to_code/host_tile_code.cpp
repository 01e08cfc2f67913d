#include "llvm_to_code/host_tiles.h"

#include "ptx/host_abi.h"
#include "ptx/image.h"
#include "simt_to_simd/end_of_grid.h"
#include "simt_to_simd/more_rows.h"
#include "simt_to_simd/prepare.h"
#include "simt_to_simd/rounds.h"
#include "simt_to_simd/slots.h"
#include "simt_to_simd/widen.h"

#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/IR/ConstantRange.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/Module.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Transforms/Utils/Cloning.h>

#include <cstddef>

namespace ptx::code {
namespace {

using IR = llvm::IRBuilder<>;
using host::Lane;

/// What differs from thread to thread, as arguments behind the others.
struct Field {
    uint32_t offset, end;
};
constexpr Field fields[] = {{offsetof(Lane, thread), 1024},
                            {offsetof(Lane, thread) + 4, 1024},
                            {offsetof(Lane, lane), 32},
                            {offsetof(Lane, warp), 32}};

constexpr unsigned least_columns = 4, most_lanes = 32, unknown_columns = 16, many_instructions = 600;
constexpr unsigned most_lanes_of_rows = 64;
constexpr double short_work = 160;        ///< instructions done for lanes, of all phases
constexpr double least_shared = 1.0 / 16; ///< of the instructions: loads that rows have in common

simd::Tile tile_for(const Target& target) {
    if (target.columns == 0) return {unknown_columns, 1};
    return {target.columns, std::min<unsigned>(target.rows, most_lanes / target.columns)};
}

/// For kernels whose threads do not meet in warps.
simd::Tile tile_of_rows(const Target& target) {
    simd::Tile tile = tile_for(target);
    if (target.columns) tile.rows = std::min<unsigned>(target.rows, most_lanes_of_rows / target.columns);
    return tile;
}

/// Whether vectors of 32 lanes are too long for the kernel: numbers of 64 bits in 8 registers each, of 16, are mostly
/// in memory.
bool is_of_doubles(llvm::ArrayRef<llvm::Function*> bodies, llvm::TargetMachine& machine) {
    unsigned doubles = 0, floats = 0;
    for (llvm::Function* body : bodies) {
        if (!body) continue;
        const auto width =
            machine.getTargetTransformInfo(*body).getRegisterBitWidth(llvm::TargetTransformInfo::RGK_FixedWidthVector);
        if (width.getFixedValue() > 256) return false;
        for (const llvm::Instruction& instruction : llvm::instructions(*body)) {
            doubles += instruction.getType()->isDoubleTy();
            floats += instruction.getType()->isFloatTy();
        }
    }
    return doubles > floats;
}

llvm::Function* copy_with_fields(llvm::Function& body) {
    llvm::SmallVector<llvm::Type*, 12> types(body.getFunctionType()->params());
    types.append(std::size(fields), llvm::Type::getInt32Ty(body.getContext()));
    auto* type = llvm::FunctionType::get(body.getReturnType(), types, false);
    auto* copy =
        llvm::Function::Create(type, llvm::Function::InternalLinkage, body.getName() + ".tile", body.getParent());
    llvm::ValueToValueMapTy map;
    for (llvm::Argument& argument : body.args()) map[&argument] = copy->getArg(argument.getArgNo());
    llvm::SmallVector<llvm::ReturnInst*, 4> returns;
    llvm::CloneFunctionInto(copy, &body, map, llvm::CloneFunctionChangeType::LocalChangesOnly, returns);
    copy->setAttributes(copy->getAttributes().removeFnAttribute(body.getContext(), llvm::Attribute::AlwaysInline));
    for (unsigned i = 0; i < std::size(fields); ++i)
        copy->addParamAttr(
            unsigned(body.arg_size()) + i,
            llvm::Attribute::get(body.getContext(), llvm::Attribute::Range,
                                 llvm::ConstantRange(llvm::APInt(32, 0), llvm::APInt(32, fields[i].end))));
    return copy;
}

/// Reads of the Lane's fields become the arguments. False if the Lane goes elsewhere.
bool use_arguments(llvm::Function& copy, unsigned first) {
    const llvm::DataLayout& data = copy.getParent()->getDataLayout();
    llvm::SmallVector<llvm::Value*, 8> pointers{copy.getArg(0)};
    while (!pointers.empty()) {
        for (llvm::User* user : llvm::make_early_inc_range(pointers.pop_back_val()->users())) {
            if (llvm::isa<llvm::GetElementPtrInst>(user)) {
                pointers.push_back(user);
                continue;
            }
            auto* load = llvm::dyn_cast<llvm::LoadInst>(user);
            llvm::APInt offset(64, 0);
            if (!load ||
                load->getPointerOperand()->stripAndAccumulateConstantOffsets(data, offset, true) != copy.getArg(0))
                return false;
            for (unsigned i = 0; i < std::size(fields); ++i)
                if (offset == fields[i].offset) load->replaceAllUsesWith(copy.getArg(first + i));
        }
    }
    return true;
}

/// One function on its way.
struct Candidate {
    llvm::Function* copy = nullptr;
    TileCode code;
};

Candidate begin(llvm::Function& body, simd::Tile tile, llvm::TargetMachine& machine) {
    Candidate result;
    result.code.columns = tile.columns;
    result.code.rows = tile.rows;
    if (tile.columns < least_columns) {
        result.code.why_not = "its blocks are too narrow";
        result.code.depends_on_tile = true;
        return result;
    }
    result.copy = copy_with_fields(body);
    simd::inline_calls(*result.copy);
    if (!use_arguments(*result.copy, unsigned(body.arg_size()))) {
        result.code.why_not = "it asks for services";
    } else {
        simd::prepare(*result.copy, machine);
        result.code.why_not = simd::why_not(*result.copy);
        result.code.depends_on_tile = result.code.why_not.empty();
    }
    return result;
}

/// The arguments' shapes: of `scalars` that the body has the last is the thread's number, but the Lane*.
llvm::SmallVector<simd::Shape, 12> shapes_of_arguments(unsigned scalars, simd::Tile tile) {
    llvm::SmallVector<simd::Shape, 12> shapes(scalars + std::size(fields), simd::Shape::regular());
    const bool by_row = tile.rows > 1;
    const auto consecutive = [&](unsigned argument, bool differs) {
        shapes[argument] = simd::Shape::regular(1, differs);
        shapes[argument].zero_bits = uint8_t(llvm::countr_zero(tile.columns));
    };
    if (scalars > 1) consecutive(scalars - 1, by_row);
    consecutive(scalars, false);                           // x
    shapes[scalars + 1] = simd::Shape::regular(0, by_row); // y
    shapes[scalars + 1].is_row = true;
    consecutive(scalars + 2, by_row);                      // lane
    shapes[scalars + 3] = simd::Shape::regular(0, by_row); // warp
    return shapes;
}

unsigned scalars_of(const Candidate& one) { return unsigned(one.copy->arg_size() - std::size(fields)); }

using GuessesFor = llvm::function_ref<simd::Guesses(llvm::Function&)>;

/// Whether tiles of so many rows load less for each of them, in all that the kernel does, and have room for what its
/// lanes hold. The others' rounds then also hide what their multiplications wait for. So do tiles of kernels that are
/// short, without loops and with all accesses in order: what a tile costs besides is as much as a row.
bool gains_by_rows(llvm::ArrayRef<Candidate> all, simd::Tile tile, llvm::TargetMachine& machine,
                   GuessesFor guesses_for) {
    double shared = 0, work = 0;
    bool good = true, is_straight = true;
    for (const Candidate& one : all) {
        if (!good || !one.copy || !one.code.why_not.empty()) continue;
        llvm::ValueToValueMapTy map;
        llvm::Function* clone = llvm::CloneFunction(one.copy, map);
        const auto shapes = shapes_of_arguments(scalars_of(one), tile);
        const simd::Guesses guesses = guesses_for(*clone);
        const simd::MoreRows rows = simd::look_at_rows(*clone, tile, shapes, guesses);
        shared += rows.shared;
        work += rows.work;
        is_straight &= !rows.loops && !rows.scattered;
        good = !rows.parts && !simd::look_at(*clone, tile, shapes, guesses).parts_between_rows &&
               simd::fits_registers(*clone, tile, shapes, guesses, machine.getTargetTransformInfo(*clone));
        clone->eraseFromParent();
    }
    return good && (shared >= least_shared * work || (is_straight && work <= short_work));
}

/// What every thread returns, if that is always the same.
std::optional<uint32_t> constant_result(llvm::Function& prepared) {
    for (llvm::BasicBlock& block : prepared)
        if (auto* end = llvm::dyn_cast<llvm::ReturnInst>(block.getTerminator()))
            if (auto* number = llvm::dyn_cast_or_null<llvm::ConstantInt>(end->getReturnValue()))
                return uint32_t(number->getZExtValue());
    return std::nullopt;
}

/// The %tid.x, which is argument `x`, from which on a thread of the prepared function does nothing.
std::optional<uint32_t> idle_from(llvm::Function& prepared, unsigned x) {
    const llvm::BasicBlock& entry = prepared.getEntryBlock();
    const auto* branch = llvm::dyn_cast<llvm::BranchInst>(entry.getTerminator());
    if (!branch || branch->isUnconditional() || branch->getSuccessor(0) == branch->getSuccessor(1) ||
        llvm::any_of(entry, [](const llvm::Instruction& one) { return one.mayHaveSideEffects(); }))
        return std::nullopt;
    const auto* compare = llvm::dyn_cast<llvm::ICmpInst>(branch->getCondition());
    const auto* bound = compare ? llvm::dyn_cast<llvm::ConstantInt>(compare->getOperand(1)) : nullptr;
    if (!bound || compare->getOperand(0) != prepared.getArg(x)) return std::nullopt;
    for (unsigned i : {0u, 1u}) {
        if (!simd::ends_at_once(branch->getSuccessor(1 - i))) continue;
        const auto predicate = i == 0 ? compare->getPredicate() : compare->getInversePredicate();
        const auto busy = llvm::ConstantRange::makeExactICmpRegion(predicate, bound->getValue())
                              .intersectWith({llvm::APInt(32, 0), llvm::APInt(32, fields[0].end)});
        if (!busy.isEmptySet() && busy.getUnsignedMax().ult(fields[0].end - 1))
            return uint32_t(busy.getUnsignedMax().getZExtValue()) + 1;
    }
    return std::nullopt;
}

/// Of a phase: i32 (Lane*, state, slots, i64 threads, i64 thread).
simd::SlotArguments slot_arguments(bool by_warps) {
    return {.slots = 2, .threads = 3, .thread = 4, .by_warps = by_warps};
}
constexpr unsigned phase_arguments = 5;

/// Gives the bytes of a tile's frame, 0 if that is not done.
uint32_t cut_into_rounds(llvm::Function*& function) {
    const simd::Rounds rounds = function ? simd::cut_into_rounds(*function) : simd::Rounds();
    if (rounds.function) function = rounds.function;
    return rounds.frame_bytes;
}

} // namespace

bool are_tiles_warps(const Target& target) { return tile_for(target).lanes() == most_lanes; }

llvm::SmallVector<TileCode, 4> make_tile_codes(llvm::ArrayRef<llvm::Function*> bodies, const Target& target,
                                               llvm::TargetMachine& machine, const Options& options,
                                               llvm::GlobalVariable* counts, bool whole_warps, bool by_warps) {
    simd::Tile tile = tile_for(target);
    if (!whole_warps && !by_warps && tile.lanes() == most_lanes && is_of_doubles(bodies, machine))
        (tile.rows > 1 ? tile.rows : tile.columns) /= 2;
    llvm::SmallVector<Candidate, 4> all;
    llvm::SmallVector<llvm::Function*, 4> phases;
    for (llvm::Function* body : bodies) {
        all.push_back(body ? begin(*body, tile, machine) : Candidate());
        if (body && all.back().copy && all.back().code.why_not.empty() && body->arg_size() == phase_arguments)
            phases.push_back(all.back().copy);
    }
    simd::SlotShapes slots;
    llvm::SmallVector<simd::AbridgedSlot, 4> abridged;
    // All that store to slots must be known.
    const bool guess =
        !phases.empty() && phases.size() == size_t(llvm::count_if(bodies, [](auto* body) { return body; }));
    const simd::SlotArguments where = slot_arguments(by_warps);
    if (guess) slots = shapes_of_slots(phases, tile, shapes_of_arguments(phase_arguments, tile), where);
    const auto guesses_for = [&](llvm::Function& function) {
        return guess ? guesses_of(function, slots, where) : simd::Guesses();
    };
    if (tile.rows > 1 && !whole_warps) {
        const bool parts = llvm::any_of(all, [&](const Candidate& one) {
            return one.copy && one.code.why_not.empty() &&
                   look_at(*one.copy, tile, shapes_of_arguments(scalars_of(one), tile), guesses_for(*one.copy))
                       .parts_between_rows;
        });
        if (parts) {
            tile.rows = 1;
            for (Candidate& one : all) one.code.rows = 1;
            if (guess) slots = shapes_of_slots(phases, tile, shapes_of_arguments(phase_arguments, tile), where);
        }
    }
    if (simd::Tile more = tile_of_rows(target); !whole_warps && !by_warps && more.rows > tile.rows &&
                                                tile.lanes() == most_lanes && tile_for(target).rows == tile.rows) {
        simd::SlotShapes others;
        if (guess) others = shapes_of_slots(phases, more, shapes_of_arguments(phase_arguments, more), where);
        const auto guesses = [&](llvm::Function& function) {
            return guess ? guesses_of(function, others, where) : simd::Guesses();
        };
        if (gains_by_rows(all, more, machine, guesses)) {
            tile = more;
            for (Candidate& one : all) one.code.rows = more.rows;
            slots = std::move(others);
        }
    }
    if (guess) abridged = slots_to_abridge(phases, tile, shapes_of_arguments(phase_arguments, tile), slots, where);
    llvm::SmallVector<TileCode, 4> result;
    for (Candidate& one : all) {
        if (one.copy && one.code.why_not.empty()) {
            const unsigned scalars = scalars_of(one);
            const llvm::TargetTransformInfo costs = machine.getTargetTransformInfo(*one.copy);
            // Kernels of clusters are not cut into phases.
            const bool alone = scalars == phase_arguments;
            const bool bit_masks =
                machine.getMCSubtargetInfo()->checkFeatures("+avx512f,+avx512bw,+avx512dq,+avx512vl");
            const auto shapes = shapes_of_arguments(scalars, tile);
            // Threads alone stop at operations of a warp.
            if (!whole_warps) one.code.result = constant_result(*one.copy);
            if (one.code.result) one.code.idle_from = idle_from(*one.copy, scalars);
            one.code.abridged = abridged;
            one.code.one_result = look_at(*one.copy, tile, shapes, guesses_for(*one.copy)).one_result;
            const simd::Results results = one.code.result       ? simd::Results::none
                                          : one.code.one_result ? simd::Results::one
                                                                : simd::Results::by_lane;
            simd::Machine how{.costs = costs,
                              .bit_masks = bit_masks,
                              .alone = alone,
                              .looks_ahead = alone || tile.rows > 1,
                              .only_if_faster = options.warp == 2,
                              .counts = counts};
            const auto widen = [&](llvm::Function& function, bool all_alike) {
                return simd::widen(function, tile, shapes, how, guesses_for(function), all_alike, results,
                                   guess ? accesses_of_slots(function, abridged, where) : simd::SlotAccesses());
            };
            // Most tiles are of threads that stay.
            llvm::ValueToValueMapTy map;
            llvm::Function* clone = llvm::CloneFunction(one.copy, map);
            one.code.function_of_all = widen(*clone, true);
            clone->eraseFromParent();
            how.brief_masks = one.code.function_of_all != nullptr;
            // The few other tiles are not worth as much of LLVM's time again: of a long function, or of a grid.
            const bool are_few = one.copy->getInstructionCount() > many_instructions ||
                                 (!alone && !counts && refuses_only_end_of_grid(*one.copy, tile, shapes));
            if (!(how.only_if_faster && how.brief_masks && are_few)) one.code.function = widen(*one.copy, false);
            one.code.whole_warps = whole_warps;
            if (!alone) {
                one.code.frame_bytes_of_all = cut_into_rounds(one.code.function_of_all);
                one.code.frame_bytes = cut_into_rounds(one.code.function);
            }
            if (!one.code.any()) one.code.why_not = "lanes are faster one after another";
        }
        if (one.copy) one.copy->eraseFromParent();
        result.push_back(one.code);
    }
    return result;
}

} // namespace ptx::code

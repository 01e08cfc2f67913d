#include "llvm_to_code/host_tiles.h"

#include "llvm_to_code/host_rounds.h"
#include "llvm_to_code/host_tile_loops.h"
#include "ptx/host_abi.h"

#include <cstddef>
#include <optional>

namespace ptx::code {

using host::Grid;
using host::Lane;
using llvm::Value;

llvm::AllocaInst* copy_lane(IR& ir, Value* source) {
    llvm::AllocaInst* copy = ir.CreateAlloca(llvm::ArrayType::get(ir.getInt8Ty(), sizeof(Lane)));
    copy->setAlignment(llvm::Align(alignof(Lane)));
    ir.CreateMemCpy(copy, copy->getAlign(), source, llvm::Align(alignof(Lane)), sizeof(Lane));
    return copy;
}

void fill_tile_range(llvm::Function& range, llvm::Function& body, const TileCode& code) {
    IR ir(&range.getEntryBlock());
    Value *source = range.getArg(0), *wide_lane = copy_lane(ir, source), *other_lane = copy_lane(ir, source);
    Value* grid = load(ir, source, offsetof(Lane, grid), ir.getPtrTy());
    TileLoops loops;
    for (unsigned axis = 0; axis < 3; ++axis) {
        Value* index = load(ir, source, offsetof(Lane, thread) + 4 * axis, ir.getInt32Ty());
        loops.size[axis] = load(ir, grid, offsetof(Grid, block_dim) + 4 * axis, ir.getInt32Ty());
        loops.begin[axis] = ir.CreateSelect(range.getArg(1), index, ir.getInt32(0));
        loops.end[axis] = ir.CreateSelect(range.getArg(1), ir.CreateNUWAdd(index, ir.getInt32(1)), loops.size[axis]);
    }
    make_leftover(body);
    const Leftover leftover(*body.getParent(), body.getName(), {},
                            [&](IR& at, Value* lane, const Place&, llvm::ArrayRef<Value*>) -> Value* {
                                at.CreateCall(&body, {lane});
                                return nullptr;
                            });
    const auto threads = [&](IR& at, const Place& place, Value* rows, Value* x_end) {
        leftover.call(at, source, place, rows, x_end, {});
    };
    const auto arguments = [&](IR& at, const Place& place) {
        return tile_arguments(at, {wide_lane}, place, loops.size[0], code, false, llvm::PoisonValue::get(at.getPtrTy()),
                              at.getFalse());
    };
    std::optional<TileRounds> rounds;
    if (code.in_rounds()) rounds.emplace(ir, code, source, wide_lane, grid, loops.size, arguments);
    const auto tile = [&](IR& at, const Place& place) -> Value* {
        if (rounds) return rounds->begin(at, place);
        return run_tile(at, code, arguments(at, place), place, other_lane);
    };
    const auto nothing = [](IR&, const Place&) {};
    loops.threads = threads;
    loops.tile = tile;
    loops.after_tile = nothing;
    loops.columns = code.columns;
    loops.rows = code.rows;
    loops.whole_warps = code.whole_warps;
    if (rounds) {
        rounds->make(ir, range.getArg(1), [&](IR& at) { loops.make(at); });
    } else {
        loops.make(ir);
    }
    ir.CreateRetVoid();
}

} // namespace ptx::code

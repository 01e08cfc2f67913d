#include "simt_to_simd/more_rows.h"

#include "simt_to_simd/hoist.h"

#include <llvm/ADT/STLExtras.h>
#include <llvm/Analysis/LoopInfo.h>
#include <llvm/Analysis/PostDominators.h>
#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/IR/CFG.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/Instructions.h>

namespace ptx::simd {
namespace {

using llvm::BasicBlock;
using llvm::Instruction;
using llvm::isa;
using llvm::Value;

constexpr double rounds = 8;          ///< of a loop
constexpr double spare_registers = 2; ///< for what is computed from one instruction to the next

struct Analyses {
    const llvm::DominatorTree dominators;
    const llvm::PostDominatorTree post;
    const llvm::LoopInfo loops;
    const Shapes shapes;
    Analyses(llvm::Function& scalar, Tile tile, llvm::ArrayRef<Shape> arguments, const Guesses& guesses)
        : dominators(scalar), post(scalar), loops(dominators), shapes(scalar, loops, post, tile, arguments, guesses) {}
};

/// Whether a load gives each row the same numbers, in a vector.
bool is_shared(const Value* value, const Shapes& shapes) {
    const auto* load = llvm::dyn_cast<llvm::LoadInst>(value);
    if (!load || !shapes.of(load).is_varying()) return false;
    const Shape place = shapes.of(load->getPointerOperand());
    return place.is_regular() && place.stride != 0 && !place.by_row;
}

bool is_scattered(const Instruction& instruction, const Shapes& shapes) {
    const Value* pointer = llvm::getLoadStorePointerOperand(&instruction);
    if (!pointer) return instruction.isAtomic();
    const Shape place = shapes.of(pointer);
    const auto size =
        int64_t(instruction.getDataLayout().getTypeStoreSize(llvm::getLoadStoreType(&instruction)).getFixedValue());
    return place.is_varying() || (place.stride != 0 && place.stride != size);
}

using Live = llvm::SmallPtrSet<const Value*, 16>;

/// Registers that the value's vector takes; 0: it is none, or loaded where it is used, or an address, which has an
/// order in all rounds but few.
double registers_of(const Value* value, const Shapes& shapes, double register_bits) {
    if (!shapes.of(value).is_varying() || !value->getType()->isSized()) return 0;
    const auto* load = llvm::dyn_cast<llvm::LoadInst>(value);
    if (load && !load->isUsedOutsideOfBlock(load->getParent())) return 0;
    if (value->getType()->isPointerTy() || value->getType()->isIntegerTy(64)) return 0;
    const double bits = double(value->getType()->getPrimitiveSizeInBits().getFixedValue());
    const unsigned lanes = is_shared(value, shapes) ? shapes.tile().columns : shapes.tile().lanes();
    return bits <= 1 ? 0 : bits * lanes / register_bits;
}

/// What the operand is in registers; null: in none.
const Value* held(const Value* operand) {
    while (const auto* cast = llvm::dyn_cast<llvm::BitCastInst>(operand)) operand = cast->getOperand(0);
    return isa<Instruction>(operand) || isa<llvm::Argument>(operand) ? operand : nullptr;
}

/// What lives behind the block.
Live live_behind(const BasicBlock& block, const llvm::DenseMap<const BasicBlock*, Live>& live_at) {
    Live live;
    for (const BasicBlock* next : llvm::successors(&block)) {
        if (const auto found = live_at.find(next); found != live_at.end())
            live.insert(found->second.begin(), found->second.end());
        for (const llvm::PHINode& phi : next->phis())
            if (const Value* value = held(phi.getIncomingValueForBlock(&block))) live.insert(value);
    }
    return live;
}

} // namespace

MoreRows look_at_rows(llvm::Function& scalar, Tile tile, llvm::ArrayRef<Shape> arguments, const Guesses& guesses) {
    hoist_assumptions(scalar, Analyses(scalar, tile, arguments, guesses).shapes);
    const Analyses known(scalar, tile, arguments, guesses);
    MoreRows result;
    for (const BasicBlock& block : scalar) {
        const llvm::Loop* loop = known.loops.getLoopFor(&block);
        result.parts |= loop && known.shapes.is_divergent(&block);
        double weight = 1;
        result.loops |= loop != nullptr;
        for (; loop; loop = loop->getParentLoop()) weight *= rounds;
        for (const Instruction& instruction : block) {
            if (!known.shapes.of(&instruction).is_uniform() && !isa<llvm::PHINode>(instruction) &&
                !instruction.isTerminator())
                result.work += weight;
            if (is_shared(&instruction, known.shapes)) result.shared += weight;
            result.scattered |= is_scattered(instruction, known.shapes);
        }
    }
    return result;
}

bool fits_registers(llvm::Function& scalar, Tile tile, llvm::ArrayRef<Shape> arguments, const Guesses& guesses,
                    const llvm::TargetTransformInfo& costs) {
    const Analyses known(scalar, tile, arguments, guesses);
    const double bits =
        double(costs.getRegisterBitWidth(llvm::TargetTransformInfo::RGK_FixedWidthVector).getFixedValue());
    auto* wide = llvm::FixedVectorType::get(llvm::Type::getFloatTy(scalar.getContext()), tile.columns);
    const double room = costs.getNumberOfRegisters(costs.getRegisterClassForType(true, wide)) - spare_registers;
    if (bits == 0) return false;
    llvm::DenseMap<const BasicBlock*, Live> live_at;
    double most = 0;
    for (bool changed = true; changed;) {
        changed = false;
        for (const BasicBlock& block : llvm::reverse(scalar)) {
            Live live = live_behind(block, live_at);
            double registers = 0;
            for (const Value* value : live) registers += registers_of(value, known.shapes, bits);
            most = std::max(most, registers);
            for (const Instruction& instruction : llvm::reverse(block)) {
                if (live.erase(&instruction)) registers -= registers_of(&instruction, known.shapes, bits);
                if (isa<llvm::PHINode, llvm::BitCastInst>(instruction)) continue;
                for (const Value* operand : instruction.operands())
                    if (const Value* value = held(operand); value && live.insert(value).second)
                        registers += registers_of(value, known.shapes, bits);
                most = std::max(most, registers);
            }
            Live& before = live_at[&block];
            changed |= live.size() != before.size();
            before = std::move(live);
        }
    }
    return most <= room;
}

} // namespace ptx::simd

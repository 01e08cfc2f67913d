#include "simt_to_simd/slots.h"

#include <llvm/Analysis/LoopInfo.h>
#include <llvm/Analysis/PostDominators.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/GetElementPtrTypeIterator.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/Module.h>

#include <optional>

namespace ptx::simd {
namespace {

using llvm::dyn_cast;
using llvm::Instruction;
using llvm::Value;

/// threads * per_threads + thread * per_thread + constant.
struct Sum {
    uint64_t per_threads = 0, per_thread = 0, constant = 0;
    Sum operator*(uint64_t factor) const { return {per_threads * factor, per_thread * factor, constant * factor}; }
    Sum operator+(const Sum& other) const {
        return {per_threads + other.per_threads, per_thread + other.per_thread, constant + other.constant};
    }
};

class Slots {
  public:
    Slots(llvm::Function& phase, SlotArguments arguments)
        : data_(phase.getParent()->getDataLayout()), slots_(phase.getArg(arguments.slots)),
          threads_(phase.getArg(arguments.threads)), thread_(phase.getArg(arguments.thread)),
          by_warps_(arguments.by_warps) {}

    /// The byte of the slot of that size that the pointer is the thread's of.
    std::optional<uint64_t> at(const Value* pointer, uint64_t size) const {
        Sum sum;
        while (const auto* address = dyn_cast<llvm::GetElementPtrInst>(pointer)) {
            for (auto i = llvm::gep_type_begin(address); i != llvm::gep_type_end(address); ++i) {
                const std::optional<Sum> index = i.isStruct() ? std::nullopt : sum_of(i.getOperand());
                if (!index) return std::nullopt;
                sum = sum + *index * i.getSequentialElementStride(data_).getFixedValue();
            }
            pointer = address->getPointerOperand();
        }
        if (pointer != slots_ || sum.per_thread != size) return std::nullopt;
        if (by_warps_) return sum.constant % 32 || sum.per_threads ? std::nullopt : std::optional(sum.constant / 32);
        return sum.constant ? std::nullopt : std::optional(sum.per_threads);
    }

  private:
    std::optional<Sum> sum_of(const Value* value) const {
        if (value == threads_) return Sum{1, 0, 0};
        if (value == thread_) return Sum{0, 1, 0};
        if (const auto* constant = dyn_cast<llvm::ConstantInt>(value)) return Sum{0, 0, constant->getZExtValue()};
        const auto* instruction = dyn_cast<llvm::BinaryOperator>(value);
        if (!instruction) return std::nullopt;
        const auto left = sum_of(instruction->getOperand(0)), right = sum_of(instruction->getOperand(1));
        if (!left || !right) return std::nullopt;
        const bool by_constant = right->per_threads == 0 && right->per_thread == 0;
        switch (instruction->getOpcode()) {
        case Instruction::Add:
            return *left + *right;
        case Instruction::Mul:
            return by_constant ? std::optional(*left * right->constant) : std::nullopt;
        case Instruction::Shl:
            return by_constant && right->constant < 64 ? std::optional(*left * (uint64_t(1) << right->constant))
                                                       : std::nullopt;
        default:
            return std::nullopt;
        }
    }

    const llvm::DataLayout& data_;
    const Value *slots_, *threads_, *thread_;
    const bool by_warps_;
};

uint64_t size_of(const Instruction& access) {
    return access.getDataLayout().getTypeStoreSize(llvm::getLoadStoreType(&access)).getFixedValue();
}

/// Stores the phase's values into the shapes; says whether they changed.
bool add_stores(llvm::Function& phase, const Shapes& shapes, const Slots& slots, SlotShapes& all) {
    bool changed = false;
    for (const Instruction& instruction : llvm::instructions(phase)) {
        const auto* store = dyn_cast<llvm::StoreInst>(&instruction);
        const auto byte = store ? slots.at(store->getPointerOperand(), size_of(*store)) : std::nullopt;
        if (!byte) continue;
        Shape shape = shapes.of(store->getValueOperand());
        if (shape.kind == Shape::Kind::unknown) continue;
        shape.assumed = false;
        shape.zero_bits = 0;
        Shape& known = all[*byte];
        Shape met = shape;
        if (known.is_regular() && shape.is_regular())
            met = known.stride == shape.stride ? Shape::regular(shape.stride, known.by_row || shape.by_row)
                                               : Shape::varying();
        if (known.is_varying()) met = known;
        changed |= !(met == known);
        known = met;
    }
    return changed;
}

} // namespace

Guesses guesses_of(llvm::Function& phase, const SlotShapes& all, SlotArguments arguments) {
    Guesses guesses;
    const Slots slots(phase, arguments);
    for (const Instruction& instruction : llvm::instructions(phase)) {
        const auto* load = dyn_cast<llvm::LoadInst>(&instruction);
        if (!load || !load->isSimple() || !load->getType()->isIntegerTy()) continue;
        const auto byte = slots.at(load->getPointerOperand(), size_of(*load));
        if (!byte) continue;
        const auto found = all.find(*byte);
        // Nothing stored so far: the phases that do have not been looked at.
        guesses[load] = found == all.end() ? Shape() : found->second;
    }
    return guesses;
}

SlotShapes shapes_of_slots(llvm::ArrayRef<llvm::Function*> phases, Tile tile, llvm::ArrayRef<Shape> arguments,
                           SlotArguments where) {
    SlotShapes all;
    for (bool changed = true; changed;) {
        changed = false;
        for (llvm::Function* phase : phases) {
            const llvm::DominatorTree dominators(*phase);
            const llvm::PostDominatorTree post(*phase);
            const llvm::LoopInfo loops(dominators);
            const Shapes shapes(*phase, loops, post, tile, arguments, guesses_of(*phase, all, where));
            changed |= add_stores(*phase, shapes, Slots(*phase, where), all);
        }
    }
    return all;
}

} // namespace ptx::simd

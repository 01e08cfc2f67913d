#include "simt_to_simd/slots.h"

#include "simt_to_simd/hoist.h"

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

/// The instructions that read and write slots; nothing if they get elsewhere.
std::optional<llvm::SmallVector<Instruction*, 16>> accesses_of(Value* slots) {
    llvm::SmallVector<Instruction*, 16> accesses;
    llvm::SmallVector<Value*, 8> pointers{slots};
    while (!pointers.empty()) {
        Value* pointer = pointers.pop_back_val();
        for (llvm::User* user : pointer->users()) {
            auto* access = dyn_cast<Instruction>(user);
            if (llvm::isa<llvm::GetElementPtrInst>(user))
                pointers.push_back(user);
            else if (access && llvm::getLoadStorePointerOperand(access) == pointer &&
                     !(llvm::isa<llvm::StoreInst>(access) && access->getOperand(0) == pointer))
                accesses.push_back(access);
            else
                return std::nullopt;
        }
    }
    return accesses;
}

bool is_simple(const Instruction& access) {
    const auto* load = dyn_cast<llvm::LoadInst>(&access);
    return llvm::getLoadStoreType(&access)->isIntegerTy() &&
           (load ? load->isSimple() : llvm::cast<llvm::StoreInst>(access).isSimple());
}

/// Whether the value, if it is regular, is so in each tile that is not refused: what it hangs on is asked at once.
bool is_asked_at_once(Value* value, const Shapes& shapes, const Instruction* end, unsigned depth = 0) {
    auto* instruction = dyn_cast<Instruction>(value);
    if (!instruction || !shapes.of(value).assumed) return true;
    if (depth > 12 || llvm::isa<llvm::PHINode>(instruction)) return false;
    if (llvm::isa<llvm::SExtInst, llvm::ZExtInst>(instruction) && !may_hoist(*instruction, end)) return false;
    return llvm::all_of(instruction->operands(),
                        [&](llvm::Use& use) { return is_asked_at_once(use.get(), shapes, end, depth + 1); });
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

llvm::SmallVector<AbridgedSlot, 4> slots_to_abridge(llvm::ArrayRef<llvm::Function*> phases, Tile tile,
                                                    llvm::ArrayRef<Shape> arguments, const SlotShapes& all,
                                                    SlotArguments where) {
    std::map<uint64_t, AbridgedSlot> found;
    for (const auto& [byte, shape] : all)
        if (shape.is_regular()) found[byte] = {byte, 0, shape.stride, shape.by_row};
    for (llvm::Function* phase : phases) {
        const auto accesses = accesses_of(phase->getArg(where.slots));
        if (!accesses) return {};
        const llvm::DominatorTree dominators(*phase);
        const llvm::PostDominatorTree post(*phase);
        const llvm::LoopInfo loops(dominators);
        const Shapes shapes(*phase, loops, post, tile, arguments, guesses_of(*phase, all, where));
        const Slots slots(*phase, where);
        Instruction* end = phase->getEntryBlock().getTerminator();
        for (Instruction* access : *accesses) {
            auto* pointer = const_cast<Value*>(llvm::getLoadStorePointerOperand(access));
            const auto byte = slots.at(pointer, size_of(*access));
            if (!byte) return {};
            const auto slot = found.find(*byte);
            if (slot == found.end()) continue;
            auto* address = dyn_cast<Instruction>(pointer);
            bool can = is_simple(*access) && (!address || may_hoist(*address, end));
            if (llvm::isa<llvm::StoreInst>(access))
                can = can && !shapes.is_masked(access->getParent()) &&
                      is_asked_at_once(access->getOperand(0), shapes, end);
            if (can && (slot->second.bytes == 0 || slot->second.bytes == size_of(*access)))
                slot->second.bytes = unsigned(size_of(*access));
            else
                found.erase(slot);
        }
    }
    llvm::SmallVector<AbridgedSlot, 4> result;
    for (const auto& [byte, slot] : found)
        if (slot.bytes) result.push_back(slot);
    return result;
}

SlotAccesses accesses_of_slots(llvm::Function& phase, llvm::ArrayRef<AbridgedSlot> abridged, SlotArguments where) {
    SlotAccesses result;
    const auto accesses = accesses_of(phase.getArg(where.slots));
    if (!accesses) return result;
    const Slots slots(phase, where);
    std::map<uint64_t, Value*> stored; // null: several values
    for (Instruction* access : *accesses) {
        const auto byte = slots.at(llvm::getLoadStorePointerOperand(access), size_of(*access));
        if (!byte) continue;
        for (const AbridgedSlot& slot : abridged)
            if (slot.byte == *byte) result.abridged[access] = slot.by_row;
        if (!llvm::isa<llvm::StoreInst>(access)) continue;
        const auto [known, first] = stored.emplace(*byte, access->getOperand(0));
        if (!first && known->second != access->getOperand(0)) known->second = nullptr;
    }
    for (Instruction* access : *accesses) {
        if (!llvm::isa<llvm::LoadInst>(access)) continue;
        const auto byte = slots.at(llvm::getLoadStorePointerOperand(access), size_of(*access));
        const auto known = byte ? stored.find(*byte) : stored.end();
        if (known != stored.end() && known->second) result.advances[access] = known->second;
    }
    return result;
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

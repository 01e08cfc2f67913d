#include "simt_to_simd/bundles.h"

#include "simt_to_simd/patterns.h"
#include "simt_to_simd/runs.h"

#include <llvm/IR/Constants.h>
#include <llvm/IR/DataLayout.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/Operator.h>

#include <algorithm>
#include <map>

namespace ptx::simd {

using llvm::dyn_cast;
using llvm::Instruction;
using llvm::isa;
using llvm::Value;

namespace {

constexpr unsigned piece_bytes = 16, most_accesses = 16, most_depth = 8;
constexpr int64_t most_between = 3; ///< elements that are loaded because they lie between others
constexpr int64_t most_distance = int64_t(1) << 20;

/// How far one number is behind another in all lanes, if that is a constant.
class Distance {
  public:
    Distance(const Shapes& shapes, const llvm::DataLayout& data) : shapes_(shapes), data_(data) {}

    std::optional<int64_t> of(const Value* from, const Value* to, unsigned depth = 0) const {
        int64_t less = 0, more = 0;
        from = without_constants(from, less);
        to = without_constants(to, more);
        if (std::abs(less) > most_distance || std::abs(more) > most_distance) return std::nullopt;
        if (from == to) return more - less;
        const auto rest = depth < most_depth ? of_unequal(from, to, depth) : std::nullopt;
        return rest ? std::optional(*rest + more - less) : std::nullopt;
    }

  private:
    const Value* without_constants(const Value* value, int64_t& sum) const {
        if (value->getType()->isPointerTy()) {
            llvm::APInt offset(64, 0);
            value = value->stripAndAccumulateConstantOffsets(data_, offset, true);
            sum = offset.getSExtValue();
            return value;
        }
        const auto* operation = dyn_cast<llvm::BinaryOperator>(value);
        const auto* constant = operation ? dyn_cast<llvm::ConstantInt>(operation->getOperand(1)) : nullptr;
        if (!constant || operation->getOpcode() != Instruction::Add || constant->getBitWidth() > 64) return value;
        sum = constant->getSExtValue();
        return operation->getOperand(0);
    }

    std::optional<int64_t> of_unequal(const Value* from, const Value* to, unsigned depth) const {
        const auto *a = dyn_cast<Instruction>(from), *b = dyn_cast<Instruction>(to);
        if (!a || !b || a->getOpcode() != b->getOpcode() || a->getType() != b->getType()) return std::nullopt;
        switch (a->getOpcode()) {
        case Instruction::GetElementPtr: {
            const auto &first = llvm::cast<llvm::GEPOperator>(*a), &second = llvm::cast<llvm::GEPOperator>(*b);
            if (first.getNumIndices() != 1 || second.getNumIndices() != 1 ||
                first.getSourceElementType() != second.getSourceElementType() ||
                !first.getOperand(1)->getType()->isIntegerTy(64))
                return std::nullopt;
            const auto way = of(first.getPointerOperand(), second.getPointerOperand(), depth + 1);
            const auto index = way ? of(first.getOperand(1), second.getOperand(1), depth + 1) : std::nullopt;
            const auto size = int64_t(data_.getTypeAllocSize(first.getSourceElementType()).getFixedValue());
            return index ? std::optional(*way + *index * size) : std::nullopt;
        }
        case Instruction::IntToPtr:
        case Instruction::PtrToInt:
            if (data_.getTypeSizeInBits(a->getType()) != data_.getTypeSizeInBits(a->getOperand(0)->getType()))
                return std::nullopt;
            return of(a->getOperand(0), b->getOperand(0), depth + 1);
        case Instruction::ZExt:
        case Instruction::SExt:
            return of_extended(a->getOperand(0), b->getOperand(0), depth);
        default:
            return std::nullopt;
        }
    }

    /// The numbers that the patterns begin with are the same, if their constants are as far from each other, and
    /// nothing is carried into them.
    std::optional<int64_t> of_extended(const Value* from, const Value* to, unsigned depth) const {
        if (from->getType() != to->getType()) return std::nullopt;
        const auto distance = of(from, to, depth + 1);
        const auto first = distance ? pattern_of(shapes_, data_, from) : std::nullopt;
        const auto second = first ? pattern_of(shapes_, data_, to) : std::nullopt;
        if (!second || !never_carries(*first) || !never_carries(*second)) return std::nullopt;
        for (size_t lane = 0; lane < first->offsets.size(); ++lane)
            if (second->offsets[lane] - first->offsets[lane] != *distance) return std::nullopt;
        return distance;
    }

    const Shapes& shapes_;
    const llvm::DataLayout& data_;
};

/// A bundle that accesses may still join.
struct Open {
    Bundle bundle;
    llvm::SmallVector<int64_t, 32> offsets; ///< of the first access's lanes
    llvm::SmallVector<int64_t, 4> behind;   ///< how far accesses are behind the first one
};

class Finder {
  public:
    Finder(const Shapes& shapes, const llvm::DataLayout& data, const SlotAccesses& slots,
           std::vector<std::unique_ptr<Bundle>>& found)
        : shapes_(shapes), data_(data), slots_(slots), found_(found) {}

    void look(llvm::BasicBlock& block) {
        for (Instruction& instruction : block) {
            if (!instruction.mayReadOrWriteMemory()) continue;
            const auto* load = dyn_cast<llvm::LoadInst>(&instruction);
            const auto* store = dyn_cast<llvm::StoreInst>(&instruction);
            const bool fits = ((load && load->isSimple()) || (store && store->isSimple())) && can_join(instruction);
            if (!load || !load->isSimple()) close(loads_);
            if (fits && joins(instruction, load ? loads_ : stores_)) {
                if (load) close(stores_);
                continue;
            }
            // It may go to where those of the bundle go, or read what they store.
            close(stores_);
            if (fits) begin(instruction, load ? loads_ : stores_);
        }
        close(stores_);
        close(loads_);
    }

  private:
    bool can_join(const Instruction& access) const {
        llvm::Type* type = llvm::getLoadStoreType(const_cast<Instruction*>(&access));
        const uint64_t bits = data_.getTypeSizeInBits(type).getFixedValue();
        if ((bits != 32 && bits != 64) || type->isPointerTy() || slots_.abridged.contains(&access)) return false;
        if (shapes_.is_guess(&access)) return false;
        const Shape shape = shapes_.of(llvm::getLoadStorePointerOperand(&access));
        return !shape.is_regular() || (std::abs(shape.stride) * 8 != int64_t(bits) && shape.stride != 0);
    }

    unsigned size_of(const Instruction& access) const {
        return unsigned(
            data_.getTypeStoreSize(llvm::getLoadStoreType(const_cast<Instruction*>(&access))).getFixedValue());
    }

    void begin(Instruction& access, std::vector<Open>& all) const {
        const auto pattern = pattern_of(shapes_, data_, llvm::getLoadStorePointerOperand(&access));
        if (!pattern) return;
        Open& one = all.emplace_back();
        one.bundle.size = size_of(access);
        one.bundle.accesses = {&access};
        one.behind = {0};
        for (const int64_t offset : pattern->offsets) one.offsets.push_back(offset - pattern->offsets[0]);
    }

    bool joins(Instruction& access, std::vector<Open>& all) const {
        const Value* pointer = llvm::getLoadStorePointerOperand(&access);
        for (Open& one : all) {
            Bundle& bundle = one.bundle;
            if (bundle.size != size_of(access) || bundle.accesses.size() == most_accesses) continue;
            const auto behind =
                Distance(shapes_, data_).of(llvm::getLoadStorePointerOperand(bundle.accesses[0]), pointer);
            if (!behind) continue;
            bundle.accesses.push_back(&access);
            one.behind.push_back(*behind);
            return true;
        }
        return false;
    }

    void close(std::vector<Open>& all) const {
        for (Open& one : all)
            if (lay_out(one) && is_worth_it(one.bundle))
                found_.push_back(std::make_unique<Bundle>(std::move(one.bundle)));
        all.clear();
    }

    /// False: elements overlap, or lanes store to one place.
    bool lay_out(Open& one) const {
        Bundle& bundle = one.bundle;
        const int64_t size = bundle.size, origin = bundle.loads() ? 0 : one.behind.back();
        std::map<int64_t, unsigned> numbers;
        for (const int64_t behind : one.behind)
            for (const int64_t offset : one.offsets)
                if (!numbers.try_emplace(behind - origin + offset).second && !bundle.loads()) return false;
        int64_t last = 0;
        for (auto& [place, number] : numbers) {
            const int64_t way = place - last;
            if (!bundle.places.empty() && way < size) return false;
            const bool between = bundle.loads() && way % size == 0 && way <= (most_between + 1) * size;
            if (bundle.places.empty() || (way != size && !between))
                bundle.runs.push_back({unsigned(bundle.places.size()), 0});
            else
                for (int64_t at = last + size; at < place; at += size) bundle.places.push_back(at);
            number = unsigned(bundle.places.size());
            bundle.places.push_back(last = place);
            bundle.runs.back().count = number + 1 - bundle.runs.back().begin;
        }
        for (const int64_t behind : one.behind) {
            auto& of = bundle.of.emplace_back();
            for (const int64_t offset : one.offsets) of.push_back(numbers[behind - origin + offset]);
        }
        return true;
    }

    bool is_worth_it(const Bundle& bundle) const {
        const unsigned lanes = shapes_.tile().lanes(), each = piece_bytes / bundle.size;
        if (2 * bundle.pieces(each) > lanes * bundle.accesses.size()) return false;
        if (bundle.accesses.size() > 1 || !bundle.loads()) return true;
        const Value* pointer = llvm::getLoadStorePointerOperand(bundle.accesses[0]);
        llvm::Type* type = bundle.accesses[0]->getType();
        return !elements_of(shapes_, data_, pointer, type) && !run_of(shapes_, data_, pointer, type);
    }

    const Shapes& shapes_;
    const llvm::DataLayout& data_;
    const SlotAccesses& slots_;
    std::vector<std::unique_ptr<Bundle>>& found_;
    std::vector<Open> loads_, stores_; ///< of stores one
};

} // namespace

bool Bundle::loads() const { return isa<llvm::LoadInst>(accesses[0]); }

unsigned Bundle::pieces(unsigned most) const {
    unsigned pieces = 0;
    for (const Run& run : runs) {
        const unsigned rest = run.count % most;
        // The last load may begin where another one has been.
        pieces += run.count / most + (loads() && run.count > most ? rest != 0 : unsigned(llvm::popcount(rest)));
    }
    return pieces;
}

Bundles::Bundles(llvm::Function& function, const Shapes& shapes, const llvm::DataLayout& data,
                 const SlotAccesses& slots) {
    Finder finder(shapes, data, slots, all_);
    for (llvm::BasicBlock& block : function)
        if (!shapes.is_masked(&block) && !shapes.is_of_one_lane(&block)) finder.look(block);
    for (const auto& bundle : all_)
        for (const Instruction* access : bundle->accesses) of_[access] = bundle.get();
}

} // namespace ptx::simd

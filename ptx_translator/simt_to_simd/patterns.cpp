// Addresses at constant distances: loads of all that lies between them and a shuffle, instead of lane by lane.
#include "simt_to_simd/patterns.h"

#include "ptx/host_abi.h"
#include "simt_to_simd/runs.h"
#include "simt_to_simd/widener.h"

#include <llvm/Analysis/ValueTracking.h>
#include <llvm/IR/GetElementPtrTypeIterator.h>
#include <llvm/IR/Module.h>

#include <algorithm>
#include <cstddef>

namespace ptx::simd {

using llvm::cast;
using llvm::dyn_cast;
using llvm::Instruction;
using llvm::Value;

bool never_carries(const Pattern& pattern) {
    return llvm::all_of(pattern.offsets,
                        [&](int64_t offset) { return offset >= 0 && (uint64_t(offset) & pattern.bits) == 0; });
}

namespace {

constexpr unsigned most_depth = 16;
/// Elements that may lie between the first and the last, for each lane; elements in one load.
constexpr unsigned most_elements_for_each_lane = 4, most_elements_of_piece = 8;

class Finder {
  public:
    Finder(const Shapes& shapes, const llvm::DataLayout& data) : shapes_(shapes), data_(data) {}

    std::optional<Pattern> find(const Value* value, unsigned depth = 0) const {
        const llvm::Type* type = value->getType();
        if (!type->isPointerTy() && !(type->isIntegerTy() && type->getIntegerBitWidth() <= 64)) return std::nullopt;
        auto pattern = find_unchecked(value, depth);
        if (!pattern) return std::nullopt;
        const unsigned width = width_of(value);
        pattern->bits &= llvm::maskTrailingOnes<uint64_t>(width);
        // What has wrapped around in the type is not seen as such.
        const bool fits = is_signed(*pattern, width) || (never_carries(*pattern) && is_unsigned(*pattern, width));
        return fits ? pattern : std::nullopt;
    }

    /// Nobody else need look out for the sign's bit.
    std::optional<Pattern> find_signed(const Value* value) const {
        auto pattern = find(value);
        return pattern && is_signed(*pattern, width_of(value)) ? pattern : std::nullopt;
    }

  private:
    static bool is_signed(const Pattern& pattern, unsigned width) {
        return llvm::all_of(pattern.offsets, [&](int64_t offset) { return llvm::isIntN(width, offset); });
    }
    static bool is_unsigned(const Pattern& pattern, unsigned width) {
        return llvm::all_of(pattern.offsets, [&](int64_t offset) { return llvm::isUIntN(width, uint64_t(offset)); });
    }
    /// Of an integer or a pointer.
    static unsigned width_of(const Value* value) {
        return value->getType()->isPointerTy() ? 64 : value->getType()->getIntegerBitWidth();
    }

    std::optional<Pattern> find_unchecked(const Value* value, unsigned depth) const {
        const Shape shape = shapes_.of(value);
        if (const auto* constant = dyn_cast<llvm::ConstantInt>(value)) {
            Pattern pattern;
            pattern.offsets.assign(shapes_.tile().lanes(), constant->getSExtValue());
            return pattern;
        }
        if (shape.is_regular()) return of_regular(value, shape);
        const auto* instruction = dyn_cast<Instruction>(value);
        if (!instruction || depth > most_depth) return std::nullopt;
        if (const auto* address = dyn_cast<llvm::GetElementPtrInst>(value)) return of_address(*address, depth);
        if (const auto* operation = dyn_cast<llvm::BinaryOperator>(value)) return of_binary(*operation, depth);
        switch (instruction->getOpcode()) {
        case Instruction::SExt:
        case Instruction::ZExt: {
            const Value* narrow = instruction->getOperand(0);
            auto pattern = find(narrow, depth + 1);
            if (!pattern || !never_carries(*pattern) || !is_signed(*pattern, width_of(narrow))) return std::nullopt;
            // It may have the sign's bit.
            if (instruction->getOpcode() == Instruction::SExt)
                pattern->bits = with_sign(pattern->bits, width_of(narrow));
            return pattern;
        }
        case Instruction::Call:
            return of_call(llvm::cast<llvm::CallInst>(*instruction), depth);
        case Instruction::IntToPtr:
        case Instruction::PtrToInt:
            return find(instruction->getOperand(0), depth + 1);
        default:
            return std::nullopt;
        }
    }

    std::optional<Pattern> of_regular(const Value* value, const Shape& shape) const {
        const Tile tile = shapes_.tile();
        if (shape.assumed || (shape.by_row && tile.rows > 1)) return std::nullopt;
        Pattern pattern;
        pattern.bits = ~uint64_t(0);
        if (value->getType()->isIntegerTy()) pattern.bits &= ~llvm::computeKnownBits(value, data_).Zero.getZExtValue();
        if (shape.stride != 0) pattern.bits &= ~uint64_t(0) << shape.zero_bits;
        for (unsigned lane = 0; lane < tile.lanes(); ++lane)
            pattern.offsets.push_back(shape.stride * int64_t(lane % tile.columns));
        return pattern;
    }

    static Pattern sum(const Pattern& a, const Pattern& b, int64_t factor) {
        Pattern result{a.bits | b.bits, a.offsets};
        // Of two numbers' sum low bits are zero that are so in both.
        if (b.bits && (a.bits || factor < 0)) result.bits = ~uint64_t(0) << llvm::countr_zero(result.bits);
        for (size_t i = 0; i < result.offsets.size(); ++i) result.offsets[i] += b.offsets[i] * factor;
        return result;
    }

    /// Distances that may have wrapped around are none.
    static std::optional<Pattern> checked(Pattern pattern) {
        constexpr int64_t far = int64_t(1) << 24;
        const bool near = llvm::all_of(pattern.offsets, [&](int64_t offset) {
            return std::abs(offset - pattern.offsets[0]) < far && std::abs(offset) < int64_t(1) << 48;
        });
        return near ? std::optional(std::move(pattern)) : std::nullopt;
    }

    std::optional<Pattern> of_binary(const llvm::BinaryOperator& operation, unsigned depth) const {
        const auto left = find(operation.getOperand(0), depth + 1), right = find(operation.getOperand(1), depth + 1);
        if (!left || !right) return std::nullopt;
        const auto* constant = dyn_cast<llvm::ConstantInt>(operation.getOperand(1));
        Pattern result = *left;
        const auto each = [&](auto&& f) {
            for (int64_t& offset : result.offsets) offset = f(offset);
        };
        switch (operation.getOpcode()) {
        case Instruction::Add:
            return checked(sum(*left, *right, 1));
        case Instruction::Sub:
            return checked(sum(*left, *right, -1));
        case Instruction::Shl:
            if (!constant || constant->getValue().uge(32)) return std::nullopt;
            each([&](int64_t offset) { return offset << constant->getZExtValue(); });
            result.bits <<= constant->getZExtValue();
            return checked(result);
        case Instruction::And:
        case Instruction::Or:
        case Instruction::Xor:
            if (!constant || !never_carries(*left)) return std::nullopt;
            return of_bits(operation.getOpcode(), *left, constant->getValue());
        case Instruction::LShr:
        case Instruction::AShr:
            if (!constant || !never_carries(*left) || constant->getValue().uge(width_of(&operation)))
                return std::nullopt;
            if (operation.getOpcode() == Instruction::AShr) {
                if (!is_signed(*left, width_of(&operation))) return std::nullopt;
                result.bits = with_sign(result.bits, width_of(&operation));
            }
            each([&](int64_t offset) { return offset >> constant->getZExtValue(); });
            result.bits = uint64_t(int64_t(result.bits) >> constant->getZExtValue());
            return result;
        default:
            return std::nullopt;
        }
    }

    /// Bits that the number may have are its own, others the offsets', up to the highest that they have.
    static std::optional<Pattern> of_bits(unsigned opcode, Pattern pattern, const llvm::APInt& constant) {
        const uint64_t all = constant.getZExtValue();
        uint64_t highest = 0;
        for (const int64_t offset : pattern.offsets) highest |= uint64_t(offset);
        const uint64_t room = llvm::maskTrailingOnes<uint64_t>(unsigned(llvm::bit_width(highest)));
        const auto own = int64_t(all & room & ~pattern.bits);
        for (int64_t& offset : pattern.offsets)
            offset = opcode == Instruction::And  ? offset & own
                     : opcode == Instruction::Or ? offset | own
                                                 : offset ^ own;
        pattern.bits = opcode == Instruction::And ? pattern.bits & all : pattern.bits | (all & ~room);
        return pattern;
    }

    /// All bits of a wider number that has the narrow one's sign.
    static uint64_t with_sign(uint64_t bits, unsigned width) {
        return bits >> (width - 1) & 1 ? bits | ~uint64_t(0) << (width - 1) : bits;
    }

    std::optional<Pattern> of_call(const llvm::CallInst& call, unsigned depth) const {
        if (call.getIntrinsicID() != llvm::Intrinsic::bitreverse) return std::nullopt;
        auto pattern = find(call.getArgOperand(0), depth + 1);
        if (!pattern || !never_carries(*pattern)) return std::nullopt;
        const auto turned = [width = width_of(&call)](uint64_t bits) {
            return llvm::reverseBits(bits) >> (64 - width);
        };
        pattern->bits = turned(pattern->bits);
        for (int64_t& offset : pattern->offsets) offset = int64_t(turned(uint64_t(offset)));
        return pattern;
    }

    std::optional<Pattern> of_address(const llvm::GetElementPtrInst& address, unsigned depth) const {
        auto result = find(address.getPointerOperand(), depth + 1);
        for (auto at = llvm::gep_type_begin(address); result && at != llvm::gep_type_end(address); ++at) {
            if (at.isStruct() || at.getOperand()->getType()->getScalarSizeInBits() != 64) return std::nullopt;
            const auto index = find(at.getOperand(), depth + 1);
            if (!index) return std::nullopt;
            result = checked(sum(*result, *index, int64_t(at.getSequentialElementStride(data_).getFixedValue())));
        }
        return result;
    }

    const Shapes& shapes_;
    const llvm::DataLayout& data_;
};

} // namespace

std::optional<Pattern> pattern_of(const Shapes& shapes, const llvm::DataLayout& data, const Value* value) {
    return Finder(shapes, data).find_signed(value);
}

std::optional<Elements> elements_of(const Shapes& shapes, const llvm::DataLayout& data, const Value* pointer,
                                    llvm::Type* type) {
    const uint64_t bits = data.getTypeSizeInBits(type).getFixedValue();
    if (bits != 32 && bits != 64) return std::nullopt;
    const int64_t size = int64_t(bits / 8);
    const auto pattern = pattern_of(shapes, data, pointer);
    if (!pattern) return std::nullopt;
    const auto [least, most] = std::minmax_element(pattern->offsets.begin(), pattern->offsets.end());
    Elements result;
    result.first = *least - pattern->offsets[0];
    for (const int64_t offset : pattern->offsets) {
        if ((offset - *least) % size != 0) return std::nullopt;
        result.of_lanes.push_back(unsigned((offset - *least) / size));
    }
    // What lies between is in the pages of the first and the last.
    if ((*most - *least) / size >= int64_t(most_elements_for_each_lane * shapes.tile().lanes())) return std::nullopt;
    result.count = unsigned((*most - *least) / size) + 1;
    if (result.count < most_elements_of_piece) return std::nullopt;
    return result;
}

std::optional<Elements> Widener::elements_of(const Value* pointer, llvm::Type* type) const {
    return simd::elements_of(shapes_, data_, pointer, type);
}

Value* Widener::element(Value* pointer, const Elements& elements, llvm::Type* type, unsigned number) {
    const auto size = int64_t(data_.getTypeStoreSize(type).getFixedValue());
    Value* lane = in_lane(pointer, ir_.getInt32(0));
    return ir_.CreateConstGEP1_64(ir_.getInt8Ty(), lane, uint64_t(elements.first + size * int64_t(number)));
}

/// For memory that all lanes may read.
Value* Widener::load_pattern(llvm::LoadInst& load, const Elements& elements) {
    llvm::Type* type = load.getType();
    auto* piece_type = llvm::FixedVectorType::get(type, most_elements_of_piece);
    llvm::SmallVector<Value*, 16> pieces;
    for (unsigned begin = 0; begin < elements.count; begin += most_elements_of_piece) {
        // The last one ends with the last element.
        const unsigned at = std::min(begin, elements.count - most_elements_of_piece);
        Value* piece =
            ir_.CreateAlignedLoad(piece_type, element(load.getPointerOperand(), elements, type, at), load.getAlign());
        if (at != begin) {
            llvm::SmallVector<int, 8> order;
            for (unsigned i = 0; i < most_elements_of_piece; ++i)
                order.push_back(i + begin < elements.count ? int(i + begin - at) : -1);
            piece = ir_.CreateShuffleVector(piece, order);
        }
        pieces.push_back(piece);
    }
    // Side by side.
    while (pieces.size() > 1) {
        llvm::SmallVector<Value*, 16> joined;
        for (size_t i = 0; i < pieces.size(); i += 2) {
            const auto lanes = int(cast<llvm::FixedVectorType>(pieces[i]->getType())->getNumElements());
            llvm::SmallVector<int, 128> order;
            for (int j = 0; j < 2 * lanes; ++j) order.push_back(j < lanes || i + 1 < pieces.size() ? j : -1);
            Value* second = i + 1 < pieces.size() ? pieces[i + 1] : llvm::PoisonValue::get(pieces[i]->getType());
            joined.push_back(ir_.CreateShuffleVector(pieces[i], second, order));
        }
        pieces = joined;
    }
    llvm::SmallVector<int, 32> order(elements.of_lanes.begin(), elements.of_lanes.end());
    return ir_.CreateShuffleVector(pieces[0], order);
}

Value* Widener::load_scattered(llvm::LoadInst& load) {
    Value* pointer = load.getPointerOperand();
    const auto elements = elements_of(pointer, load.getType());
    const auto run = elements ? std::nullopt : run_of(shapes_, data_, pointer, load.getType());
    if (!elements && !run) return gather(load);
    const auto all = [&] { return elements ? load_pattern(load, *elements) : load_runs(load, *run); };
    return masks_[current_] ? choose(are_all(masks_[current_]), all, [&] { return gather(load); }) : all();
}

bool is_shared_memory(const Value* pointer, const llvm::DataLayout& data) {
    const auto* load = dyn_cast<llvm::LoadInst>(llvm::getUnderlyingObject(pointer, 32));
    llvm::APInt offset(64, 0);
    return load &&
           load->getPointerOperand()->stripAndAccumulateConstantOffsets(data, offset, true) ==
               load->getFunction()->getArg(0) &&
           offset == offsetof(host::Lane, shared);
}

/// Whether it is the CTA's own, which only this thread of the process sees.
bool Widener::is_own_memory(const Value* pointer) const { return machine_.alone && is_shared_memory(pointer, data_); }

/// Whose value is left where lanes store to one place is not looked at.
bool is_stored_between(const Elements& elements) {
    const std::set<unsigned> places(elements.of_lanes.begin(), elements.of_lanes.end());
    return elements.count <= 2 * elements.of_lanes.size() && places.size() == elements.of_lanes.size();
}

/// What lies between is stored as it was: only in memory that nobody else stores to meanwhile.
bool Widener::store_pattern(llvm::StoreInst& store) {
    Value *pointer = store.getPointerOperand(), *mask = masks_[current_];
    llvm::Type* type = store.getValueOperand()->getType();
    if (type->isPointerTy() || !is_own_memory(pointer)) return false;
    const auto elements = elements_of(pointer, type);
    if (!elements || !is_stored_between(*elements)) return false;
    if (!mask || is_loaded_by_all(store)) return store_between(store, *elements), true;
    // Some lane is there, and so is all of its page.
    Value* begin = ir_.CreatePtrToInt(element(pointer, *elements, type, 0), ir_.getInt64Ty());
    const uint64_t bytes = elements->count * data_.getTypeStoreSize(type).getFixedValue();
    choose(
        ir_.CreateICmpULE(ir_.CreateAnd(begin, page - 1), ir_.getInt64(page - bytes)),
        [&]() -> Value* { return store_between(store, *elements), nullptr; },
        [&]() -> Value* { return one_by_one(store), nullptr; });
    return true;
}

/// Which elements are stored, of masks as words: between the lanes' there are those of no lane.
static Value* lanes_or_none(IR& ir, Value* words, llvm::ArrayRef<int> lanes) {
    const auto none = int(cast<llvm::FixedVectorType>(words->getType())->getNumElements());
    llvm::SmallVector<int, 8> or_none;
    for (int lane : lanes) or_none.push_back(lane >= 0 ? lane : none);
    Value* some = ir.CreateShuffleVector(words, llvm::Constant::getNullValue(words->getType()), or_none);
    return ir.CreateICmpSLT(some, llvm::Constant::getNullValue(some->getType()));
}

/// The same of masks as bits. LLVM 22 makes a shift of bits k.. with zeros behind them, which brings in the bits that
/// come next (AVX-512), so no zeros are shuffled in.
static Value* lanes_there(IR& ir, Value* mask, llvm::ArrayRef<int> lanes, llvm::Constant* there) {
    Value* some = ir.CreateShuffleVector(mask, lanes);
    if (there->isAllOnesValue()) return some;
    return ir.CreateSelect(there, some, llvm::Constant::getNullValue(there->getType()));
}

void Widener::store_between(llvm::StoreInst& store, const Elements& elements) {
    Value *pointer = store.getPointerOperand(), *value = store.getValueOperand();
    llvm::Type* type = value->getType();
    llvm::SmallVector<int, 128> lane_of(elements.count, -1);
    for (unsigned lane = 0; lane < lanes_; ++lane) lane_of[elements.of_lanes[lane]] = int(lane);
    Value *wide = vector(value), *mask = masks_[current_];
    llvm::Type* word = ir_.getIntNTy(unsigned(data_.getTypeSizeInBits(type).getFixedValue()));
    const auto former = [&](llvm::Type* piece, Value* at) -> Value* {
        return mask ? load_former(piece, at, store.getAlign()) : ir_.CreateAlignedLoad(piece, at, store.getAlign());
    };
    Value* words = mask && !machine_.bit_masks ? ir_.CreateSExt(mask, widened(word)) : nullptr;
    for (unsigned begin = 0; begin < elements.count;) {
        const unsigned size = std::min(most_elements_of_piece, llvm::bit_floor(elements.count - begin));
        const llvm::ArrayRef<int> lanes(lane_of.data() + begin, size);
        const unsigned there = unsigned(llvm::count_if(lanes, [](int lane) { return lane >= 0; }));
        if (there != 0) {
            Value* at = element(pointer, elements, type, begin);
            Value* piece = ir_.CreateShuffleVector(wide, lanes);
            if (mask || there < size) {
                llvm::SmallVector<llvm::Constant*, 8> stored;
                for (int lane : lanes) stored.push_back(ir_.getInt1(lane >= 0));
                llvm::Constant* there_or_not = llvm::ConstantVector::get(stored);
                Value* which = there_or_not;
                if (mask)
                    which = words ? lanes_or_none(ir_, words, lanes) : lanes_there(ir_, mask, lanes, there_or_not);
                piece = ir_.CreateSelect(which, piece, former(piece->getType(), at));
            }
            ir_.CreateAlignedStore(piece, at, store.getAlign());
        }
        begin += size;
    }
}

} // namespace ptx::simd

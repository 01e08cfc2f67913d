#include "simt_to_simd/shuffler.h"

#include <map>

namespace ptx::simd {

using llvm::Value;

static unsigned size_of(const Value* vector) {
    return llvm::cast<llvm::FixedVectorType>(vector->getType())->getNumElements();
}

Value* Shuffler::part(Value* vector, unsigned begin, unsigned count) {
    if (begin == 0 && count == size_of(vector)) return vector;
    llvm::SmallVector<int, 16> order;
    for (unsigned i = 0; i < count; ++i) order.push_back(int(begin + i));
    return ir_.CreateShuffleVector(vector, order);
}

Value* Shuffler::within_blocks(llvm::ArrayRef<Value*> vectors, llvm::ArrayRef<Source> order) {
    unsigned first = Source::none, second = Source::none;
    for (const Source& one : order) {
        if (one.vector == Source::none || one.vector == first || one.vector == second) continue;
        if (second != Source::none) return two_by_two(vectors, order);
        (first == Source::none ? first : second) = one.vector;
    }
    Value *one = vectors[first], *other = second == Source::none ? one : vectors[second];
    llvm::SmallVector<int, 4> of;
    for (const Source& each : order) {
        const unsigned behind = each.vector == first ? 0 : size_of(one);
        of.push_back(each.vector == Source::none ? -1 : int(behind + each.element));
    }
    return shuffle(one, other, of);
}

/// The first two elements and the others; in pairs that other results want, too.
Value* Shuffler::two_by_two(llvm::ArrayRef<Value*> vectors, llvm::ArrayRef<Source> order) {
    Value* halves[2] = {};
    llvm::SmallVector<int, 4> last;
    for (unsigned half : {0u, 1u}) {
        const Source a = order[2 * half], b = order[2 * half + 1];
        const Source& one = a.vector != Source::none ? a : b;
        if (one.vector == Source::none) {
            last.append({-1, -1});
            continue;
        }
        const int size = int(size_of(vectors[one.vector])), behind = half ? size : 0;
        if (a.vector == b.vector || a.vector == Source::none || b.vector == Source::none) {
            halves[half] = vectors[one.vector];
            for (const Source& source : {a, b})
                last.push_back(source.vector == Source::none ? -1 : behind + int(source.element));
            continue;
        }
        const bool even = a.element == b.element;
        const int first = even ? int(a.element / 2 * 2) : int(a.element);
        const int from[] = {first, size + (even ? first : int(b.element)), even ? first + 1 : -1,
                            even ? size + first + 1 : -1};
        halves[half] = shuffle(vectors[a.vector], vectors[b.vector], from);
        const int at = behind + (even ? int(a.element % 2 * 2) : 0);
        last.append({at, at + 1});
    }
    return shuffle(halves[0], halves[1], last);
}

Value* Shuffler::of_all(llvm::ArrayRef<Value*> vectors, llvm::ArrayRef<Source> order) {
    struct Some {
        Value* vector;
        llvm::SmallVector<int, 16> of; ///< by element of the result
    };
    std::map<unsigned, Some> first;
    for (size_t i = 0; i < order.size(); ++i) {
        if (order[i].vector == Source::none) continue;
        Some& some = first.try_emplace(order[i].vector, Some{vectors[order[i].vector], {}}).first->second;
        some.of.resize(order.size(), -1);
        some.of[i] = int(order[i].element);
    }
    llvm::SmallVector<Some, 8> open;
    for (auto& [number, some] : first) open.push_back(some);
    while (open.size() > 1) {
        llvm::SmallVector<Some, 8> next;
        for (size_t i = 0; i + 1 < open.size(); i += 2) {
            const Some &a = open[i], &b = open[i + 1];
            const int behind = int(size_of(a.vector));
            llvm::SmallVector<int, 16> both, own;
            for (size_t j = 0; j < order.size(); ++j) {
                both.push_back(a.of[j] >= 0 ? a.of[j] : b.of[j] >= 0 ? behind + b.of[j] : -1);
                own.push_back(both.back() >= 0 ? int(j) : -1);
            }
            next.push_back({ir_.CreateShuffleVector(a.vector, b.vector, both), own});
        }
        if (open.size() % 2) next.push_back(open.back());
        open = next;
    }
    return ir_.CreateShuffleVector(open[0].vector, open[0].of);
}

/// `order` of one block, in all of them; the second vector's elements come behind the first one's.
Value* Shuffler::shuffle(Value* first, Value* second, llvm::ArrayRef<int> order) {
    llvm::SmallVector<int, 16> of;
    for (unsigned block = 0; block < size_of(first) / each_; ++block)
        for (int one : order) of.push_back(one < 0 ? -1 : one + int(block * each_));
    return ir_.CreateShuffleVector(first, second, of);
}

} // namespace ptx::simd

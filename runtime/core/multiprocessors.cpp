#include "rt/multiprocessors.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <mutex>
#include <numeric>

namespace rt::multiprocessors {
namespace {

using Numbers = std::vector<uint32_t>; ///< sorted

/// Never destroyed.
struct Known {
    std::mutex mutex;
    std::map<Numbers, SetId> ids;
    std::deque<const Numbers*> sets;

    SetId id_of(Numbers numbers) {
        std::lock_guard lock(mutex);
        const auto [place, fresh] = ids.emplace(std::move(numbers), SetId(sets.size()));
        if (fresh) sets.push_back(&place->first);
        return place->second;
    }
    const Numbers& of(SetId id) {
        std::lock_guard lock(mutex);
        return *sets.at(id);
    }
};

Known& known() {
    static Known& all = *new Known;
    return all;
}

} // namespace

SetId first(uint32_t count) {
    Numbers numbers(count);
    std::iota(numbers.begin(), numbers.end(), 0);
    return known().id_of(std::move(numbers));
}

SetId united(SetId one, SetId other) {
    const Numbers &a = known().of(one), &b = known().of(other);
    Numbers both;
    std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
    return known().id_of(std::move(both));
}

uint32_t count(SetId id) { return uint32_t(known().of(id).size()); }

Split split(SetId id, uint32_t size, uint32_t most) {
    const Numbers& all = known().of(id);
    Split made;
    auto at = all.begin();
    for (uint32_t left = most; size && left && size_t(all.end() - at) >= size; left--, at += size)
        made.groups.push_back(known().id_of(Numbers(at, at + size)));
    made.rest = known().id_of(Numbers(at, all.end()));
    return made;
}

} // namespace rt::multiprocessors

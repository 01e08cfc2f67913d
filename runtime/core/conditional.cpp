#include "rt/conditional.h"

#include "rt/context.h"
#include "rt/device.h"
#include "rt/error.h"
#include "rt/stream.h"

#include <map>
#include <mutex>

namespace rt {
namespace {

/// Words that host and device reach, of each device. A word is used again but never unmapped: a kernel of a graph that
/// is gone does no harm. Never destroyed.
struct Words {
    std::mutex mutex;
    std::map<int, std::vector<uint64_t>> free;
};

Words& words() {
    static Words& all = *new Words;
    return all;
}

constexpr size_t slab_bytes = 4096, word_bytes = 8;

} // namespace

Condition::Condition(Context& context, uint32_t initial, bool assign)
    : context_(context), initial_(initial), assign_(assign) {
    Words& all = words();
    std::lock_guard lock(all.mutex);
    std::vector<uint64_t>& free = all.free[context.device().ordinal()];
    if (free.empty()) {
        const uint64_t slab = context.device().backend().allocate(slab_bytes, backend::MemoryKind::pinned);
        if (!slab) throw Error(Status::out_of_memory, "no memory for the handle of a conditional node");
        for (size_t at = slab_bytes; at > 0; at -= word_bytes) free.push_back(slab + at - word_bytes);
    }
    address_ = free.back();
    free.pop_back();
    *reinterpret_cast<volatile uint32_t*>(address_) = 0;
}

Condition::~Condition() {
    Words& all = words();
    std::lock_guard lock(all.mutex);
    all.free[context_.device().ordinal()].push_back(address_);
}

uint32_t Condition::value() const {
    return __atomic_load_n(reinterpret_cast<const uint32_t*>(address_), __ATOMIC_ACQUIRE);
}

void Condition::reset(Stream& stream) const {
    if (!assign_) return;
    backend::Fill fill;
    fill.destination = address_;
    fill.value = initial_;
    fill.element_bytes = sizeof initial_;
    fill.width = 1;
    stream.fill(fill);
}

} // namespace rt

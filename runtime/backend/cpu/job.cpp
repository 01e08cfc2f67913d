#include "backend/cpu/job.h"

#include "backend/cpu/timeline.h"

#include <algorithm>
#include <sched.h>

namespace rt::backend::cpu {

namespace {

constexpr uint64_t least_part_of_limit = 16;

} // namespace

Job::Job(Timeline& owner, unsigned slots)
    : owner_(owner), capacity_(std::max(1u, slots)), slots_(std::make_unique<Slot[]>(capacity_)) {}

void Job::open(uint64_t units, unsigned slots, uint64_t chunk_limit, bool ordered, uint64_t together) {
    // Whoever claims now has seen the counters of the work that is over, and would compare them with the new ends.
    // Those who begin to claim from here on find closed counters, or new ones.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    while (claiming_.load(std::memory_order_acquire) != 0) sched_yield();
    units_ = units;
    together_ = together;
    cancelled_ = false;
    ordered_ = ordered;
    chunk_limit_ = chunk_limit;
    remaining_ = units;
    slots = unsigned(std::min<uint64_t>(std::clamp(slots, 1u, capacity_), std::max<uint64_t>(units, 1)));
    used_ = slots;
    const uint64_t groups = (units + together - 1) / together, share = groups / slots, more = groups % slots;
    uint64_t begin = 0;
    for (unsigned i = 0; i < slots; i++) {
        const uint64_t end = std::min(units, begin + (share + (i < more ? 1 : 0)) * together);
        slots_[i].end.store(end, std::memory_order_relaxed);
        slots_[i].next.store(begin, std::memory_order_release);
        begin = end;
    }
}

bool Job::claim_from(Slot& slot, Chunk& chunk) {
    uint64_t next = slot.next.load(std::memory_order_acquire), end = slot.end.load(std::memory_order_relaxed);
    if (next >= end) return false;
    // Large chunks first, small ones towards the end, but none that is hardly worth taking.
    const uint64_t limit = chunk_limit_.load(std::memory_order_relaxed);
    uint64_t want = std::clamp<uint64_t>((end - next) / 4, std::max<uint64_t>(1, limit / least_part_of_limit), limit);
    const uint64_t together = together_.load(std::memory_order_relaxed);
    want = std::max(want / together, uint64_t{1}) * together;
    next = slot.next.fetch_add(want, std::memory_order_acq_rel);
    end = slot.end.load(std::memory_order_relaxed);
    if (next >= end) return false;
    chunk = {next, std::min(next + want, end)};
    return true;
}

bool Job::claim(unsigned participant, Chunk& chunk) {
    if (!claimable()) return false;
    claiming_.fetch_add(1, std::memory_order_seq_cst);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    const unsigned used = used_.load(std::memory_order_acquire), start = ordered() || !used ? 0 : participant % used;
    bool found = false;
    for (unsigned i = 0; i < used && !found; i++) found = claim_from(slots_[(start + i) % used], chunk);
    claiming_.fetch_sub(1, std::memory_order_release);
    return found;
}

bool Job::claimable() const {
    const unsigned used = used_.load(std::memory_order_acquire);
    for (unsigned i = 0; i < used; i++)
        if (slots_[i].next.load(std::memory_order_relaxed) < slots_[i].end.load(std::memory_order_relaxed)) return true;
    return false;
}

void Job::finish(uint64_t units, Runner& runner) {
    if (!units || remaining_.fetch_sub(units, std::memory_order_acq_rel) != units) return;
    for (unsigned i = 0; i < capacity_; i++) slots_[i].next.store(closed, std::memory_order_relaxed);
    owner_.job_done(runner, *this);
}

void Job::cancel(Runner& runner) {
    cancelled_ = true;
    uint64_t dropped = 0;
    const unsigned used = used_;
    for (unsigned i = 0; i < used; i++) {
        const uint64_t next = slots_[i].next.exchange(closed), end = slots_[i].end;
        if (next < end) dropped += end - next;
    }
    finish(dropped, runner);
}

} // namespace rt::backend::cpu

#include "backend/cpu/phase_run.h"

#include "backend/cpu/cta.h"
#include "backend/cpu/warp_operations.h"

#include <algorithm>
#include <fmt/format.h>

namespace rt::backend::cpu {

using namespace ptx::host;

namespace {

bool is_barrier(const State& state) { return state.wait == Wait::barrier || state.wait == Wait::barrier_reduce; }

Meet meet_of(Wait wait) {
    switch (wait) {
    case Wait::shuffle:
        return Meet::shuffle;
    case Wait::vote:
        return Meet::vote;
    case Wait::match_any:
        return Meet::match_any;
    case Wait::match_all:
        return Meet::match_all;
    case Wait::reduce:
        return Meet::reduce;
    default:
        return Meet::sync;
    }
}

template <class F> void for_each(uint32_t lanes, F&& f) {
    for (; lanes; lanes &= lanes - 1) f(unsigned(__builtin_ctz(lanes)));
}

} // namespace

bool PhaseRun::reserve(const Phases& phases, const uint32_t (&block)[3]) {
    phases_ = &phases;
    std::copy(std::begin(block), std::end(block), size_);
    threads_ = block[0] * block[1] * block[2];
    const size_t bytes = (size_t{phases.frame_bytes} * threads_ + 127) / 64 * 64;
    if (bytes > capacity_) {
        frames_.reset(static_cast<uint8_t*>(std::aligned_alloc(64, bytes)));
        capacity_ = frames_ ? bytes : 0;
    }
    next_ = reinterpret_cast<uint32_t*>(frames_.get());
    return frames_ != nullptr;
}

uint32_t PhaseRun::full(uint32_t warp) const {
    const uint32_t rest = threads_ - 32 * warp;
    return rest >= 32 ? ~0u : (1u << rest) - 1;
}

/// PTX ISA 9.7.9.6: whoever executes it takes part.
uint32_t PhaseRun::mask_of(uint32_t thread) const {
    const State& state = state_of(thread);
    return (state.constant_mask ? state.mask : field<uint32_t>(frame_mask)[thread]) | 1u << thread % 32;
}

bool PhaseRun::all_are_in(uint32_t state) const {
    uint32_t differences = 0;
    for (uint32_t i = 0; i < threads_; i++) differences |= next_[i] ^ state;
    return differences == 0;
}

Outcome PhaseRun::run(const GridRun& grid, CpuKernel::Phase phase, Lane& lane) {
    phase_ = phase;
    lane_ = &lane;
    uint32_t state = 0;
    for (uint32_t warp = 0; warp < warps(); warp++) live_[warp] = full(warp);
    // All threads together, as long as they do the same.
    const Box whole{{0, 0, 0}, {size_[0], size_[1], size_[2]}};
    for (;;) {
        if (grid.cancelled()) return Outcome::stopped;
        phase(&lane, &whole, state);
        state = next_[0];
        if (!all_are_in(state)) break;
        if (state == 0) return Outcome::finished;
        const State& all = phases_->state[state];
        if (all.wait == Wait::barrier) continue;
        if (all.wait == Wait::barrier_reduce) {
            reduce_at_barrier();
            continue;
        }
        std::fill_n(ready_, warps(), 0u);
        complete_warps();
        if (!std::equal(ready_, ready_ + warps(), live_)) return Outcome::stuck;
    }
    std::fill_n(ready_, warps(), 0u);
    for (;;) {
        for (uint32_t i = 0; i < threads_; i++)
            if (next_[i] == 0) live_[i / 32] &= ~(1u << i % 32);
        if (std::all_of(live_, live_ + warps(), [](uint32_t lanes) { return lanes == 0; })) return Outcome::finished;
        if (!complete_warps() && !complete_barrier()) return Outcome::stuck;
        if (grid.cancelled()) return Outcome::stopped;
        advance_ready();
    }
}

void PhaseRun::advance_ready() {
    for (uint32_t begin = 0; begin < threads_;) {
        const auto ready = [&](uint32_t thread) { return ready_[thread / 32] >> thread % 32 & 1; };
        uint32_t end = begin + 1;
        if (ready(begin)) {
            const uint32_t state = next_[begin];
            while (end < threads_ && next_[end] == state && ready(end)) end++;
            advance(begin, end, state);
        }
        begin = end;
    }
    std::fill_n(ready_, warps(), 0u);
}

/// Threads are numbered x first: a range of them is some boxes.
void PhaseRun::advance(uint32_t begin, uint32_t end, uint32_t state) {
    while (begin < end) {
        const uint32_t x = begin % size_[0], row = begin / size_[0], y = row % size_[1], z = row / size_[1];
        Box box{{x, y, z}, {size_[0], y + 1, z + 1}};
        const uint32_t rows = std::min((end - begin) / size_[0], size_[1] - y);
        if (x != 0 || rows == 0)
            box.end[0] = std::min(size_[0], x + (end - begin));
        else
            box.end[1] = y + rows;
        phase_(lane_, &box, state);
        begin += (box.end[0] - x) * (box.end[1] - y);
    }
}

bool PhaseRun::complete_warps() {
    bool any = false;
    for (uint32_t warp = 0; warp < warps(); warp++) {
        if (!shuffle_whole(warp)) complete_warp(warp);
        any |= ready_[warp] != 0;
    }
    return any;
}

/// Lanes meet when operation and member mask are the same, and all members that have not exited are there.
void PhaseRun::complete_warp(uint32_t warp) {
    uint32_t waiting = 0;
    const uint32_t first = 32 * warp;
    for_each(live_[warp] & ~ready_[warp],
             [&](unsigned lane) { waiting |= uint32_t(!is_barrier(state_of(first + lane))) << lane; });
    while (waiting) {
        const uint32_t one = first + unsigned(__builtin_ctz(waiting)), mask = mask_of(one);
        const Wait wait = state_of(one).wait;
        uint32_t arrived = 0;
        for_each(waiting, [&](unsigned lane) {
            if (state_of(first + lane).wait == wait && mask_of(first + lane) == mask) arrived |= 1u << lane;
        });
        waiting &= ~arrived;
        if (mask & live_[warp] & ~arrived) continue;
        compute(warp, arrived);
        ready_[warp] |= arrived;
    }
}

/// What is most of all: the same shuffle by all lanes of a warp.
bool PhaseRun::shuffle_whole(uint32_t warp) {
    const uint32_t first = 32 * warp, number = next_[first];
    const State& state = phases_->state[number];
    if (state.wait != Wait::shuffle || !state.constant_mask || state.mask != ~0u || live_[warp] != ~0u || ready_[warp])
        return false;
    for (uint32_t i = 0; i < 32; i++)
        if (next_[first + i] != number) return false;
    const uint64_t* value = field<uint64_t>(frame_value) + first;
    uint64_t* result = field<uint64_t>(frame_result) + first;
    const uint32_t *details = field<uint32_t>(frame_detail) + first, *clamps = field<uint32_t>(frame_clamp) + first;
    const auto all = [&]<Shuffle mode>() {
        const auto one = [&](uint32_t i, uint32_t detail, uint32_t clamp) {
            const ShuffleSource source = shuffle_source(mode, i, detail, clamp);
            result[i] = uint32_t(value[source.in_range ? source.lane : i]) | uint64_t{source.in_range} << 32;
        };
        if (state.constant_detail && state.constant_clamp)
            for (uint32_t i = 0; i < 32; i++) one(i, state.detail, state.clamp);
        else
            for (uint32_t i = 0; i < 32; i++)
                one(i, state.constant_detail ? state.detail : details[i],
                    state.constant_clamp ? state.clamp : clamps[i]);
    };
    switch (Shuffle(state.operation)) {
    case Shuffle::up:
        all.operator()<Shuffle::up>();
        break;
    case Shuffle::down:
        all.operator()<Shuffle::down>();
        break;
    case Shuffle::bfly:
        all.operator()<Shuffle::bfly>();
        break;
    case Shuffle::idx:
        all.operator()<Shuffle::idx>();
        break;
    }
    ready_[warp] = ~0u;
    return true;
}

void PhaseRun::compute(uint32_t warp, uint32_t members) {
    const uint32_t first = 32 * warp;
    const Wait wait = state_of(first + unsigned(__builtin_ctz(members))).wait;
    if (wait == Wait::warp_sync) return;
    WarpLane lanes[32];
    for_each(members, [&](unsigned lane) {
        const uint32_t thread = first + lane;
        const State& state = state_of(thread);
        lanes[lane].value = field<uint64_t>(frame_value)[thread];
        lanes[lane].operation = state.operation;
        lanes[lane].detail = state.constant_detail ? state.detail : field<uint32_t>(frame_detail)[thread];
        lanes[lane].clamp = state.constant_clamp ? state.clamp : field<uint32_t>(frame_clamp)[thread];
    });
    compute_meeting(meet_of(wait), lanes, members);
    for_each(members, [&](unsigned lane) { field<uint64_t>(frame_result)[first + lane] = lanes[lane].result; });
}

/// When all that have not exited wait at one barrier.
bool PhaseRun::complete_barrier() {
    int id = -1;
    for (uint32_t i = 0; i < threads_; i++) {
        if (!(live_[i / 32] >> i % 32 & 1)) continue;
        const State& state = state_of(i);
        if (!is_barrier(state) || (id >= 0 && id != state.barrier)) return false;
        id = state.barrier;
    }
    if (id < 0) return false;
    reduce_at_barrier();
    std::copy_n(live_, warps(), ready_);
    return true;
}

void PhaseRun::reduce_at_barrier() {
    uint32_t popc = 0;
    bool all = true, any = false;
    const auto for_reducers = [&](auto&& f) {
        for (uint32_t i = 0; i < threads_; i++)
            if ((live_[i / 32] >> i % 32 & 1) && state_of(i).wait == Wait::barrier_reduce) f(i);
    };
    for_reducers([&](uint32_t i) {
        const bool predicate = field<uint64_t>(frame_value)[i] != 0;
        popc += predicate;
        all &= predicate;
        any |= predicate;
    });
    for_reducers([&](uint32_t i) {
        const auto operation = BarrierReduce(state_of(i).operation);
        field<uint64_t>(frame_result)[i] = operation == BarrierReduce::popc   ? popc
                                           : operation == BarrierReduce::and_ ? uint32_t(all)
                                                                              : uint32_t(any);
    });
}

std::string PhaseRun::describe() const {
    std::string text = " its threads wait for each other for ever;";
    uint32_t live = 0, at_barrier[16] = {};
    for (uint32_t i = 0; i < threads_; i++) {
        if (!(live_[i / 32] >> i % 32 & 1)) continue;
        live++;
        if (is_barrier(state_of(i))) at_barrier[state_of(i).barrier & 15]++;
    }
    for (uint32_t id = 0; id < 16; id++)
        if (at_barrier[id]) text += fmt::format(" barrier {} has {} of {} threads;", id, at_barrier[id], live);
    for (uint32_t warp = 0; warp < warps(); warp++) {
        uint32_t there = 0, mask = 0;
        for_each(live_[warp], [&](unsigned lane) {
            if (is_barrier(state_of(32 * warp + lane))) return;
            there |= 1u << lane;
            mask = mask_of(32 * warp + lane);
        });
        if (there)
            text += fmt::format(" warp {} waits at a warp operation with mask {:#x}, of which {:#x} are there;", warp,
                                mask, there);
    }
    return text + fmt::format(" {} of {} threads have exited", threads_ - live, threads_);
}

} // namespace rt::backend::cpu

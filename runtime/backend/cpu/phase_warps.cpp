// What the lanes of a warp meet for between phases.
#include "backend/cpu/phase_run.h"
#include "backend/cpu/warp_operations.h"
#include "backend/cpu/whole_warp.h"

namespace rt::backend::cpu {

using namespace ptx::host;

namespace {

/// One lane's side of an operation.
struct WarpLane {
    uint64_t value = 0, result = 0;
    const void* compute = nullptr;
    uint32_t operation = 0, detail = 0, clamp = 0;
};

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
    case Wait::collective:
        return Meet::collective;
    default:
        return Meet::sync;
    }
}

} // namespace

/// PTX ISA 9.7.9.6: whoever executes it takes part.
uint32_t PhaseRun::mask_of(uint32_t thread) const {
    const PhaseCut& cut = cut_of(thread);
    if (cut.wait == Wait::collective) return ~0u;
    const uint32_t mask = cut.mask.slot == no_slot ? cut.mask.constant : *slot<uint32_t>(cut.mask.slot, thread);
    return mask | 1u << thread % 32;
}

/// `cut_at` tells by which cut a member has come.
template <class F> void PhaseRun::compute(uint32_t warp, uint32_t members, F&& cut_at) {
    const uint32_t first = 32 * warp;
    WarpLane lanes[32];
    for_each_lane(members, [&](unsigned lane) {
        const uint32_t thread = first + lane;
        const PhaseCut& cut = cut_at(lane);
        WarpLane& made = lanes[lane];
        const auto argument = [&](const PhaseArgument& which) {
            return which.slot == no_slot ? which.constant : *slot<uint32_t>(which.slot, thread);
        };
        made.operation = cut.operation;
        if (cut.wait == Wait::shuffle) made.detail = argument(cut.by), made.clamp = argument(cut.clamp);
        if (cut.wait == Wait::collective) {
            made.value = reinterpret_cast<uint64_t>(slot<uint8_t>(cut.value, thread, cut.bytes));
            made.compute = cut.compute;
            made.result = cut.argument;
        } else {
            made.value = cut.bytes == 1   ? *slot<uint8_t>(cut.value, thread)
                         : cut.bytes == 4 ? *slot<uint32_t>(cut.value, thread)
                                          : *slot<uint64_t>(cut.value, thread);
        }
    });
    compute_meeting(meet_of(cut_at(unsigned(__builtin_ctz(members))).wait), lanes, members);
    for_each_lane(members, [&](unsigned lane) {
        const PhaseCut& cut = cut_at(lane);
        if (cut.result != no_slot) *slot<uint32_t>(cut.result, first + lane) = uint32_t(lanes[lane].result);
        if (cut.predicate != no_slot) *slot<uint8_t>(cut.predicate, first + lane) = uint8_t(lanes[lane].result >> 32);
    });
}

/// All lanes of the warp are at the cut: whether nobody else is to come, and all mean the same meetings.
bool PhaseRun::is_whole(uint32_t warp, uint32_t at) const {
    const uint32_t lanes = lanes_of(warp);
    for (const PhaseCut* cut = cuts_ + at;; cut++) {
        if (cut->wait == Wait::active_mask || cut->wait == Wait::collective) return true;
        if (cut->mask.slot == no_slot) {
            if (lanes & ~cut->mask.constant) return false;
        } else {
            const uint32_t* masks = slot<uint32_t>(cut->mask.slot, 32 * warp);
            uint32_t differences = lanes & ~masks[0];
            for_each_lane(lanes, [&](unsigned lane) { differences |= masks[lane] ^ masks[0]; });
            if (differences) return false;
        }
        if (!cut->more) return true;
    }
}

/// What is most of all, by all of 32 lanes; false when that is not made faster.
bool PhaseRun::compute_whole(uint32_t first, const PhaseCut& cut) {
    const auto argument = [&](const PhaseArgument& which) -> whole_warp::Argument {
        if (which.slot == no_slot) return {&which.constant, 0};
        return {slot<uint32_t>(which.slot, first), 1};
    };
    if (cut.result == no_slot) return false;
    uint32_t* result = slot<uint32_t>(cut.result, first);
    if (cut.wait == Wait::shuffle) {
        uint8_t* predicate = cut.predicate == no_slot ? nullptr : slot<uint8_t>(cut.predicate, first);
        whole_warp::shuffle(Shuffle(cut.operation), slot<uint32_t>(cut.value, first), argument(cut.by),
                            argument(cut.clamp), result, predicate);
        return true;
    }
    if (cut.wait == Wait::vote)
        return whole_warp::vote(Vote(cut.operation), slot<uint8_t>(cut.value, first), result), true;
    if (cut.wait != Wait::reduce) return false;
    return whole_warp::reduce(Reduce(cut.operation), slot<uint32_t>(cut.value, first), result);
}

/// Gives the number of the last thing done.
uint32_t PhaseRun::complete_whole(uint32_t warp, uint32_t at) {
    const uint32_t first = 32 * warp, lanes = lanes_of(warp);
    for (;; at++) {
        const PhaseCut& cut = cuts_[at];
        if (cut.wait == Wait::active_mask)
            for_each_lane(lanes, [&](unsigned lane) { *slot<uint32_t>(cut.result, first + lane) = lanes; });
        else if (cut.wait != Wait::warp_sync && !(lanes == ~0u && compute_whole(first, cut)))
            compute(warp, lanes, [&](unsigned) -> const PhaseCut& { return cut; });
        if (!cut.more) return at;
    }
}

/// Lanes meet when operation and member mask are the same, and all members that have not exited are there. Gives the
/// lanes that may go on; those of `without` do already.
uint32_t PhaseRun::complete_some(uint32_t warp, uint32_t without) {
    const uint32_t first = 32 * warp;
    uint32_t live = 0, waiting = 0, asking = 0, ready = 0, going_on = 0;
    for_each_lane(lanes_of(warp), [&](unsigned lane) {
        if (state_.next[first + lane] == phase_exit) return;
        live |= 1u << lane;
        if (without >> lane & 1) return;
        const Wait wait = cut_of(first + lane).wait;
        if (wait == Wait::active_mask)
            asking |= 1u << lane;
        else if (wait != Wait::barrier && wait != Wait::barrier_reduce && wait != Wait::spin)
            waiting |= 1u << lane;
    });
    while (waiting) {
        const uint32_t one = first + unsigned(__builtin_ctz(waiting)), mask = mask_of(one);
        const Wait wait = cut_of(one).wait;
        uint32_t arrived = 0;
        for_each_lane(waiting, [&](unsigned lane) {
            if (cut_of(first + lane).wait == wait && mask_of(first + lane) == mask) arrived |= 1u << lane;
        });
        waiting &= ~arrived;
        if (mask & live & ~arrived) continue;
        if (wait != Wait::warp_sync)
            compute(warp, arrived, [&](unsigned lane) -> const PhaseCut& { return cut_of(first + lane); });
        for_each_lane(arrived, [&](unsigned lane) {
            const bool more = cut_of(first + lane).more;
            (more ? going_on : ready) |= 1u << lane;
            if (more) state_.next[first + lane]++;
        });
    }
    // They wait for the next operation of the same cut, maybe with some that wait already.
    if (going_on) return ready | complete_some(warp, ready | without);
    if (ready || without || !asking) return ready;
    // The rest of the warp stands still: those in the same place are active together.
    const uint32_t at = state_.next[first + unsigned(__builtin_ctz(asking))];
    for_each_lane(asking, [&](unsigned lane) { ready |= uint32_t(state_.next[first + lane] == at) << lane; });
    if (const uint32_t result = cuts_[at].result; result != no_slot)
        for_each_lane(ready, [&](unsigned lane) { *slot<uint32_t>(result, first + lane) = ready; });
    return ready;
}

} // namespace rt::backend::cpu

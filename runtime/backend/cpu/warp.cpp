// Operations of the lanes of a warp: PTX ISA 9.7.9.6 (shfl.sync), 9.7.13.8 (vote.sync), 9.7.13.9 (match.sync),
// 9.7.13.11 (redux.sync). The last lane to come does the work of all.
#include "backend/cpu/cta.h"

#include <cstring>

namespace rt::backend::cpu {

namespace {

template <class F> void for_each(uint32_t members, F&& f) {
    for (; members; members &= members - 1) f(unsigned(__builtin_ctz(members)));
}

void shuffle(LaneFiber* lanes, uint32_t members) {
    for_each(members, [&](unsigned self) {
        LaneFiber& lane = lanes[self];
        const int segment = int(lane.clamp >> 8 & 31), clamp = int(lane.clamp & 31), by = int(lane.detail & 31);
        const int lowest = int(self) & segment, highest = lowest | (clamp & ~segment);
        int from = 0;
        bool in_range = false;
        switch (ptx::host::Shuffle(lane.operation)) {
        case ptx::host::Shuffle::up:
            from = int(self) - by, in_range = from >= highest;
            break;
        case ptx::host::Shuffle::down:
            from = int(self) + by, in_range = from <= highest;
            break;
        case ptx::host::Shuffle::bfly:
            from = int(self) ^ by, in_range = from <= highest;
            break;
        case ptx::host::Shuffle::idx:
            from = lowest | (by & ~segment), in_range = from <= highest;
            break;
        }
        // What a lane outside of the members gives is undefined; hardware gives 0, and programs with too small blocks
        // live by it.
        uint32_t value = uint32_t(lane.value);
        if (in_range) value = members >> from & 1 ? uint32_t(lanes[from].value) : 0;
        lane.result = value | uint64_t{in_range} << 32;
    });
}

void vote(LaneFiber* lanes, uint32_t members) {
    uint32_t ballot = 0;
    for_each(members, [&](unsigned self) { ballot |= uint32_t(lanes[self].value != 0) << self; });
    for_each(members, [&](unsigned self) {
        switch (ptx::host::Vote(lanes[self].operation)) {
        case ptx::host::Vote::all:
            lanes[self].result = ballot == members;
            break;
        case ptx::host::Vote::any:
            lanes[self].result = ballot != 0;
            break;
        case ptx::host::Vote::uni:
            lanes[self].result = ballot == members || ballot == 0;
            break;
        case ptx::host::Vote::ballot:
            lanes[self].result = ballot;
            break;
        }
    });
}

void match_any(LaneFiber* lanes, uint32_t members) {
    for (uint32_t rest = members; rest;) {
        const uint64_t value = lanes[__builtin_ctz(rest)].value;
        uint32_t same = 0;
        for_each(rest, [&](unsigned other) { same |= uint32_t(lanes[other].value == value) << other; });
        for_each(same, [&](unsigned self) { lanes[self].result = same; });
        rest &= ~same;
    }
}

void match_all(LaneFiber* lanes, uint32_t members) {
    const uint64_t value = lanes[__builtin_ctz(members)].value;
    bool same = true;
    for_each(members, [&](unsigned other) { same &= lanes[other].value == value; });
    for_each(members, [&](unsigned self) { lanes[self].result = same ? members | uint64_t{1} << 32 : 0; });
}

/// f32, with -0 below +0. A NaN loses against a number, or wins where NaNs are kept; what is left is the canonical one.
uint32_t extreme(uint32_t a, uint32_t b, bool greatest, bool keeps_nan) {
    constexpr uint32_t nan = 0x7fffffff, infinity = 0x7f800000;
    const bool a_nan = (a & nan) > infinity, b_nan = (b & nan) > infinity;
    if (a_nan || b_nan) return keeps_nan || (a_nan && b_nan) ? nan : a_nan ? b : a;
    const auto order = [](uint32_t bits) { return bits >> 31 ? ~bits : bits | 1u << 31; };
    return (order(a) < order(b)) != greatest ? a : b;
}

uint32_t combine(ptx::host::Reduce operation, uint32_t a, uint32_t b) {
    switch (operation) {
    case ptx::host::Reduce::add:
        return a + b;
    case ptx::host::Reduce::min_s:
        return int32_t(a) < int32_t(b) ? a : b;
    case ptx::host::Reduce::max_s:
        return int32_t(a) > int32_t(b) ? a : b;
    case ptx::host::Reduce::min_u:
        return a < b ? a : b;
    case ptx::host::Reduce::max_u:
        return a > b ? a : b;
    case ptx::host::Reduce::and_:
        return a & b;
    case ptx::host::Reduce::or_:
        return a | b;
    case ptx::host::Reduce::xor_:
        return a ^ b;
    case ptx::host::Reduce::min_f:
        return extreme(a, b, false, false);
    case ptx::host::Reduce::max_f:
        return extreme(a, b, true, false);
    case ptx::host::Reduce::min_nan:
        return extreme(a, b, false, true);
    case ptx::host::Reduce::max_nan:
        return extreme(a, b, true, true);
    }
    return 0;
}

void reduce(LaneFiber* lanes, uint32_t members) {
    const unsigned first = unsigned(__builtin_ctz(members));
    const auto operation = ptx::host::Reduce(lanes[first].operation);
    uint32_t result = uint32_t(lanes[first].value);
    // A single NaN too becomes the canonical one.
    if (operation >= ptx::host::Reduce::min_f) result = combine(operation, result, result);
    for_each(members & (members - 1),
             [&](unsigned self) { result = combine(operation, result, uint32_t(lanes[self].value)); });
    for_each(members, [&](unsigned self) { lanes[self].result = result; });
}

void exchange(LaneFiber* lanes, uint32_t members) {
    const unsigned first = unsigned(__builtin_ctz(members));
    const size_t bytes = lanes[first].detail;
    auto* out = reinterpret_cast<uint8_t*>(lanes[first].result);
    for (unsigned lane = 0; lane < 32; lane++) {
        if (members >> lane & 1)
            std::memcpy(out + lane * bytes, reinterpret_cast<const void*>(lanes[lane].value), bytes);
        else
            std::memset(out + lane * bytes, 0, bytes);
    }
    for_each(members & (members - 1),
             [&](unsigned self) { std::memcpy(reinterpret_cast<void*>(lanes[self].result), out, 32 * bytes); });
}

void collective(LaneFiber* lanes, uint32_t members) {
    const LaneFiber& first = lanes[__builtin_ctz(members)];
    void* given[32] = {};
    for_each(members, [&](unsigned self) { given[self] = reinterpret_cast<void*>(lanes[self].value); });
    reinterpret_cast<void (*)(void* const*, uint64_t)>(const_cast<void*>(first.compute))(given, first.result);
}

void compute(Meet kind, LaneFiber* lanes, uint32_t members) {
    switch (kind) {
    case Meet::sync:
        break;
    case Meet::shuffle:
        shuffle(lanes, members);
        break;
    case Meet::vote:
        vote(lanes, members);
        break;
    case Meet::match_any:
        match_any(lanes, members);
        break;
    case Meet::match_all:
        match_all(lanes, members);
        break;
    case Meet::reduce:
        reduce(lanes, members);
        break;
    case Meet::exchange:
        exchange(lanes, members);
        break;
    case Meet::collective:
        collective(lanes, members);
        break;
    }
}

} // namespace

void Cta::meet(LaneFiber& self, Meet kind, uint32_t mask) {
    Warp& warp = warps_[self.index / 32];
    mask |= self.bit();
    uint32_t i = 0;
    while (i < warp.meetings && (warp.meeting[i].mask != mask || warp.meeting[i].kind != kind)) i++;
    Meeting& meeting = warp.meeting[i];
    if (i == warp.meetings) {
        warp.meetings++;
        meeting.mask = mask;
        meeting.arrived = 0;
        meeting.kind = kind;
        meeting.waiting = {};
    }
    meeting.arrived |= self.bit();
    if (!(mask & warp.live & ~meeting.arrived)) return complete_meeting(warp, i);
    self.state = LaneState::meeting;
    self.meet = kind;
    progress_ = true;
    meeting.waiting.push(self);
    suspend(self);
}

void Cta::complete_meeting(Warp& warp, uint32_t index) {
    Meeting& meeting = warp.meeting[index];
    compute(meeting.kind, warp_lanes(uint32_t(&warp - warps_.get())), meeting.arrived);
    ready_.append(meeting.waiting);
    if (index != --warp.meetings) meeting = warp.meeting[warp.meetings];
}

} // namespace rt::backend::cpu

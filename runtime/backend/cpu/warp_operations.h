#pragma once

#include "backend/cpu/cta.h"

#include <cstring>

/// Operations of the lanes of a warp: PTX ISA 9.7.9.6 (shfl.sync), 9.7.13.8 (vote.sync), 9.7.13.9 (match.sync),
/// 9.7.13.11 (redux.sync).
namespace rt::backend::cpu {

template <class F> void for_each_lane(uint32_t members, F&& f) {
    for (; members; members &= members - 1) f(unsigned(__builtin_ctz(members)));
}

namespace warp_operation {

struct ShuffleSource {
    unsigned lane;
    bool in_range;
};

inline ShuffleSource shuffle_source(ptx::host::Shuffle mode, unsigned self, uint32_t detail,
                                    uint32_t clamp_and_segment) {
    const int segment = int(clamp_and_segment >> 8 & 31), clamp = int(clamp_and_segment & 31), by = int(detail & 31);
    const int lowest = int(self) & segment, highest = lowest | (clamp & ~segment);
    int from = 0;
    bool in_range = false;
    switch (mode) {
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
    return {unsigned(from), in_range};
}

template <class L> void shuffle(L* lanes, uint32_t members) {
    for_each_lane(members, [&](unsigned self) {
        L& lane = lanes[self];
        const auto [from, in_range] = shuffle_source(ptx::host::Shuffle(lane.operation), self, lane.detail, lane.clamp);
        // What a lane outside of the members gives is undefined; hardware gives 0, and programs with too small blocks
        // live by it.
        uint32_t value = uint32_t(lane.value);
        if (in_range) value = members >> from & 1 ? uint32_t(lanes[from].value) : 0;
        lane.result = value | uint64_t{in_range} << 32;
    });
}

template <class L> void vote(L* lanes, uint32_t members) {
    uint32_t ballot = 0;
    for_each_lane(members, [&](unsigned self) { ballot |= uint32_t(lanes[self].value != 0) << self; });
    for_each_lane(members, [&](unsigned self) {
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

template <class L> void match_any(L* lanes, uint32_t members) {
    for (uint32_t rest = members; rest;) {
        const uint64_t value = lanes[__builtin_ctz(rest)].value;
        uint32_t same = 0;
        for_each_lane(rest, [&](unsigned other) { same |= uint32_t(lanes[other].value == value) << other; });
        for_each_lane(same, [&](unsigned self) { lanes[self].result = same; });
        rest &= ~same;
    }
}

template <class L> void match_all(L* lanes, uint32_t members) {
    const uint64_t value = lanes[__builtin_ctz(members)].value;
    bool same = true;
    for_each_lane(members, [&](unsigned other) { same &= lanes[other].value == value; });
    for_each_lane(members, [&](unsigned self) { lanes[self].result = same ? members | uint64_t{1} << 32 : 0; });
}

/// f32, with -0 below +0. A NaN loses against a number, or wins where NaNs are kept; what is left is the canonical one.
inline uint32_t extreme(uint32_t a, uint32_t b, bool greatest, bool keeps_nan) {
    constexpr uint32_t nan = 0x7fffffff, infinity = 0x7f800000;
    const bool a_nan = (a & nan) > infinity, b_nan = (b & nan) > infinity;
    if (a_nan || b_nan) return keeps_nan || (a_nan && b_nan) ? nan : a_nan ? b : a;
    const auto order = [](uint32_t bits) { return bits >> 31 ? ~bits : bits | 1u << 31; };
    return (order(a) < order(b)) != greatest ? a : b;
}

inline uint32_t combine(ptx::host::Reduce operation, uint32_t a, uint32_t b) {
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

template <class L> void reduce(L* lanes, uint32_t members) {
    const unsigned first = unsigned(__builtin_ctz(members));
    const auto operation = ptx::host::Reduce(lanes[first].operation);
    uint32_t result = uint32_t(lanes[first].value);
    // A single NaN too becomes the canonical one.
    if (operation >= ptx::host::Reduce::min_f) result = combine(operation, result, result);
    for_each_lane(members & (members - 1),
                  [&](unsigned self) { result = combine(operation, result, uint32_t(lanes[self].value)); });
    for_each_lane(members, [&](unsigned self) { lanes[self].result = result; });
}

template <class L> void exchange(L* lanes, uint32_t members) {
    const unsigned first = unsigned(__builtin_ctz(members));
    const size_t bytes = lanes[first].detail;
    auto* out = reinterpret_cast<uint8_t*>(lanes[first].result);
    for (unsigned lane = 0; lane < 32; lane++) {
        if (members >> lane & 1)
            std::memcpy(out + lane * bytes, reinterpret_cast<const void*>(lanes[lane].value), bytes);
        else
            std::memset(out + lane * bytes, 0, bytes);
    }
    for_each_lane(members & (members - 1),
                  [&](unsigned self) { std::memcpy(reinterpret_cast<void*>(lanes[self].result), out, 32 * bytes); });
}

template <class L> void collective(L* lanes, uint32_t members) {
    const L& first = lanes[__builtin_ctz(members)];
    void* given[32] = {};
    for_each_lane(members, [&](unsigned self) { given[self] = reinterpret_cast<void*>(lanes[self].value); });
    reinterpret_cast<void (*)(void* const*, uint64_t)>(const_cast<void*>(first.compute))(given, first.result);
}

} // namespace warp_operation

/// L has the fields of LaneFiber that tell what a lane gives and gets.
template <class L> void compute_meeting(Meet kind, L* lanes, uint32_t members) {
    switch (kind) {
    case Meet::sync:
        break;
    case Meet::shuffle:
        warp_operation::shuffle(lanes, members);
        break;
    case Meet::vote:
        warp_operation::vote(lanes, members);
        break;
    case Meet::match_any:
        warp_operation::match_any(lanes, members);
        break;
    case Meet::match_all:
        warp_operation::match_all(lanes, members);
        break;
    case Meet::reduce:
        warp_operation::reduce(lanes, members);
        break;
    case Meet::exchange:
        warp_operation::exchange(lanes, members);
        break;
    case Meet::collective:
        warp_operation::collective(lanes, members);
        break;
    }
}

} // namespace rt::backend::cpu

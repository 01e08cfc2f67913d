// What lanes do together: SPIR-V 1.4, 3.32.20 (barriers) and 3.32.24 (non-uniform groups). Those take part that the
// control flow has brought here.
#include "elementwise.h"
#include "floats.h"

#include <atomic>
#include <chrono>

namespace spirv_machine {

namespace {

using u64 = uint64_t;

void control_barrier(Warp& warp, const Instruction& in) {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    switch (warp.uniform(in, 0)) {
    case scope_workgroup:
        warp.state = Warp::State::at_barrier;
        return;
    case scope_subgroup:
        return; // lanes are at one place anyway
    default:
        warp.stop("a barrier of an unknown scope");
    }
}

void memory_barrier(Warp&, const Instruction&) { std::atomic_thread_fence(std::memory_order_seq_cst); }

/// The group is always a warp.
void demand_subgroup(Warp& warp, const Instruction& in) {
    if (warp.uniform(in, 0) != scope_subgroup) warp.stop("a group operation that is not of the sub-group");
}

unsigned first_lane(const Warp& warp) { return unsigned(std::countr_zero(warp.mask)); }

uint32_t ballot(const Warp& warp, const Lanes& predicate) {
    uint32_t result = 0;
    warp.each_lane([&](unsigned lane) { result |= uint32_t(predicate[lane] & 1) << lane; });
    return result;
}

/// f() gives all lanes the same.
template <class F> void give_all(Warp& warp, const Instruction& in, F&& f) {
    demand_subgroup(warp, in);
    const u64 value = f();
    warp.each_lane([&](unsigned lane) { warp.to(in.result)[lane] = value; });
}

void elect(Warp& warp, const Instruction& in) {
    demand_subgroup(warp, in);
    warp.each_lane([&](unsigned lane) { warp.to(in.result)[lane] = lane == first_lane(warp); });
}
void all(Warp& warp, const Instruction& in) {
    give_all(warp, in, [&] { return ballot(warp, warp.operand(in, 1)) == warp.mask; });
}
void any(Warp& warp, const Instruction& in) {
    give_all(warp, in, [&] { return ballot(warp, warp.operand(in, 1)) != 0; });
}
void all_equal(Warp& warp, const Instruction& in) {
    give_all(warp, in, [&] {
        bool same = true;
        const Lanes& value = warp.operand(in, 1);
        warp.each_lane([&](unsigned lane) { same &= value[lane] == value[first_lane(warp)]; });
        return same;
    });
}

void ballot_vector(Warp& warp, const Instruction& in) {
    demand_subgroup(warp, in);
    const uint32_t result = ballot(warp, warp.operand(in, 1));
    for (uint32_t i = 0; i < in.scalars; i++)
        warp.each_lane([&](unsigned lane) { warp.to(in.result + Row(i))[lane] = i == 0 ? result : 0; });
}

/// Every lane reads `from(lane)`'s value: useless if that lane takes no part.
template <class F> void read_lanes(Warp& warp, const Instruction& in, F&& from) {
    demand_subgroup(warp, in);
    for (uint32_t i = 0; i < in.scalars; i++) {
        const Lanes value = warp.operand(in, 1, i);
        Lanes& result = warp.to(in.result + Row(i));
        warp.each_lane([&](unsigned lane) {
            const u64 other = from(lane);
            const bool there = other < lanes && warp.mask >> other & 1;
            result[lane] = there ? value[other] : narrowed(undefined_result, in.bits);
        });
    }
}

void broadcast(Warp& warp, const Instruction& in) {
    const Lanes index = warp.operand(in, 2);
    warp.each_lane([&](unsigned lane) {
        if (index[lane] != index[first_lane(warp)]) warp.stop("a broadcast from different lanes");
    });
    read_lanes(warp, in, [&](unsigned lane) { return index[lane]; });
}
void broadcast_first(Warp& warp, const Instruction& in) {
    read_lanes(warp, in, [&](unsigned) { return u64{first_lane(warp)}; });
}
void shuffle(Warp& warp, const Instruction& in) {
    const Lanes index = warp.operand(in, 2);
    read_lanes(warp, in, [&](unsigned lane) { return index[lane]; });
}
void shuffle_xor(Warp& warp, const Instruction& in) {
    const Lanes by = warp.operand(in, 2);
    read_lanes(warp, in, [&](unsigned lane) { return lane ^ by[lane]; });
}
void shuffle_up(Warp& warp, const Instruction& in) {
    const Lanes by = warp.operand(in, 2);
    read_lanes(warp, in, [&](unsigned lane) { return u64{lane} - by[lane]; });
}
void shuffle_down(Warp& warp, const Instruction& in) {
    const Lanes by = warp.operand(in, 2);
    read_lanes(warp, in, [&](unsigned lane) { return u64{lane} + by[lane]; });
}

enum GroupOperation : uint32_t { whole = 0, inclusive = 1, exclusive = 2 }; // 3.28

/// f(a, b, bits); `neutral(bits)` is what an exclusive scan begins with.
template <auto f, auto neutral> void combine(Warp& warp, const Instruction& in) {
    demand_subgroup(warp, in);
    if (in.words[0] > exclusive || in.operands.size() > 2) warp.stop("a group operation of an unknown kind");
    for (uint32_t i = 0; i < in.scalars; i++) {
        const Lanes value = warp.operand(in, 1, i);
        Lanes& result = warp.to(in.result + Row(i));
        u64 sum = narrowed(neutral(in.bits), in.bits);
        warp.each_lane([&](unsigned lane) {
            const u64 before = sum;
            sum = narrowed(f(sum, value[lane], in.bits), in.bits);
            result[lane] = in.words[0] == exclusive ? before : sum;
        });
        if (in.words[0] == whole) warp.each_lane([&](unsigned lane) { result[lane] = sum; });
    }
}

/// Nanoseconds.
void read_clock(Warp& warp, const Instruction& in) {
    const auto now = u64(std::chrono::steady_clock::now().time_since_epoch().count());
    warp.each_lane([&](unsigned lane) { warp.to(in.result)[lane] = now; });
}

} // namespace

Execute find_function(const std::string& name) { return name == "_Z23intel_get_cycle_counterv" ? read_clock : nullptr; }

void add_groups(Operations& rows) {
    using W = unsigned;
    constexpr auto zero = [](W) { return u64{0}; };
    constexpr auto ones = [](W) { return ~u64{0}; };
    constexpr auto least = [](W bits) { return u64{1} << (bits - 1); };
    constexpr auto most = [](W bits) { return (u64{1} << (bits - 1)) - 1; };
    rows.insert(
        rows.end(),
        {
            {224, "vvv", control_barrier},
            {225, "vv", memory_barrier},
            {333, "Rv", elect},
            {334, "Rvv", all},
            {335, "Rvv", any},
            {336, "Rvv", all_equal},
            {337, "Rvvv", broadcast},
            {338, "Rvv", broadcast_first},
            {339, "Rvv", ballot_vector},
            {345, "Rvvv", shuffle},
            {346, "Rvvv", shuffle_xor},
            {347, "Rvvv", shuffle_up},
            {348, "Rvvv", shuffle_down},
            {349, "RvlV", combine<([](u64 a, u64 b, W) { return a + b; }), zero>},
            {353, "RvlV", combine<([](u64 a, u64 b, W w) { return extended(a, w) < extended(b, w) ? a : b; }), most>},
            {354, "RvlV", combine<([](u64 a, u64 b, W) { return a < b ? a : b; }), ones>},
            {356, "RvlV", combine<([](u64 a, u64 b, W w) { return extended(a, w) > extended(b, w) ? a : b; }), least>},
            {357, "RvlV", combine<([](u64 a, u64 b, W) { return a > b ? a : b; }), zero>},
            {359, "RvlV", combine<([](u64 a, u64 b, W) { return a & b; }), ones>},
            {360, "RvlV", combine<([](u64 a, u64 b, W) { return a | b; }), zero>},
            {361, "RvlV", combine<([](u64 a, u64 b, W) { return a ^ b; }), zero>},
            {op_function_call, "RlV", nullptr}, // by name: find_function
        });
}

} // namespace spirv_machine

// Atomic instructions: SPIR-V 1.4, 3.32.18, and those of SPV_EXT_shader_atomic_float_add and _min_max. Real ones:
// groups, lists and the host's code run side by side.
#include "elementwise.h"
#include "floats.h"

namespace spirv_machine {

namespace {

using u64 = uint64_t;
using W = unsigned;

template <class T> u64 exchange_if(void* place, u64 expected, u64 wanted) {
    T old = T(expected);
    __atomic_compare_exchange_n(static_cast<T*>(place), &old, T(wanted), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return old;
}

/// The value that was there.
u64 exchange_if(Warp& warp, unsigned bits, u64 address, u64 expected, u64 wanted) {
    auto* place = reinterpret_cast<void*>(address);
    if (bits == 64) return exchange_if<uint64_t>(place, expected, wanted);
    if (bits == 32) return exchange_if<uint32_t>(place, expected, wanted);
    warp.stop("an atomic of " + std::to_string(bits) + " bits, which Intel's GPUs lack");
}

u64 load(Warp& warp, unsigned bits, u64 address) {
    if (bits == 64) return __atomic_load_n(reinterpret_cast<uint64_t*>(address), __ATOMIC_SEQ_CST);
    if (bits == 32) return __atomic_load_n(reinterpret_cast<uint32_t*>(address), __ATOMIC_SEQ_CST);
    warp.stop("an atomic of " + std::to_string(bits) + " bits, which Intel's GPUs lack");
}

/// Operands: the place, scope, semantics, and the value if there is one. f(old, value, bits) is what comes there.
template <auto f> void update(Warp& warp, const Instruction& in) {
    const Lanes& address = warp.operand(in, 0);
    const Lanes* value = in.operands.size() > 3 ? &warp.operand(in, 3) : nullptr;
    Lanes& result = warp.to(in.result);
    warp.each_lane([&](unsigned lane) {
        warp.check(in, address[lane], in.bits / 8, in.bits / 8);
        u64 old = load(warp, in.bits, address[lane]);
        for (;;) {
            const u64 wanted = narrowed(f(old, value ? (*value)[lane] : 0, in.bits), in.bits);
            const u64 seen = exchange_if(warp, in.bits, address[lane], old, wanted);
            if (seen == old) break;
            old = seen;
        }
        result[lane] = old;
    });
}

void read(Warp& warp, const Instruction& in) {
    const Lanes& address = warp.operand(in, 0);
    Lanes& result = warp.to(in.result);
    warp.each_lane([&](unsigned lane) {
        warp.check(in, address[lane], in.bits / 8, in.bits / 8);
        result[lane] = load(warp, in.bits, address[lane]);
    });
}

void write(Warp& warp, const Instruction& in) {
    const Lanes &address = warp.operand(in, 0), &value = warp.operand(in, 3);
    warp.each_lane([&](unsigned lane) {
        warp.check(in, address[lane], in.bits / 8, in.bits / 8);
        u64 old = load(warp, in.bits, address[lane]);
        for (u64 seen; (seen = exchange_if(warp, in.bits, address[lane], old, value[lane])) != old;) old = seen;
    });
}

/// Operands: the place, scope, two semantics, the value, what is expected.
void compare(Warp& warp, const Instruction& in) {
    const Lanes &address = warp.operand(in, 0), &value = warp.operand(in, 4), &expected = warp.operand(in, 5);
    Lanes& result = warp.to(in.result);
    warp.each_lane([&](unsigned lane) {
        warp.check(in, address[lane], in.bits / 8, in.bits / 8);
        result[lane] = exchange_if(warp, in.bits, address[lane], expected[lane], value[lane]);
    });
}

template <auto f> u64 in_format(u64 a, u64 b, W bits) { return in_float(bits, f, a, b); }

} // namespace

void add_atomics(Operations& rows) {
    rows.insert(rows.end(),
                {
                    {227, "Rvvv", read},
                    {228, "vvvs", write},
                    {229, "Rvvvv", update<([](u64, u64 b, W) { return b; })>},
                    {230, "Rvvvvvv", compare},
                    {232, "Rvvv", update<([](u64 a, u64, W) { return a + 1; })>},
                    {233, "Rvvv", update<([](u64 a, u64, W) { return a - 1; })>},
                    {234, "Rvvvv", update<([](u64 a, u64 b, W) { return a + b; })>},
                    {235, "Rvvvv", update<([](u64 a, u64 b, W) { return a - b; })>},
                    {236, "Rvvvv",
                     update<([](u64 a, u64 b, W bits) { return extended(a, bits) < extended(b, bits) ? a : b; })>},
                    {237, "Rvvvv", update<([](u64 a, u64 b, W) { return a < b ? a : b; })>},
                    {238, "Rvvvv",
                     update<([](u64 a, u64 b, W bits) { return extended(a, bits) > extended(b, bits) ? a : b; })>},
                    {239, "Rvvvv", update<([](u64 a, u64 b, W) { return a > b ? a : b; })>},
                    {240, "Rvvvv", update<([](u64 a, u64 b, W) { return a & b; })>},
                    {241, "Rvvvv", update<([](u64 a, u64 b, W) { return a | b; })>},
                    {242, "Rvvvv", update<([](u64 a, u64 b, W) { return a ^ b; })>},
                    {5614, "Rvvvv", update<in_format<([](auto a, auto b) { return std::fmin(a, b); })>>},
                    {5615, "Rvvvv", update<in_format<([](auto a, auto b) { return std::fmax(a, b); })>>},
                    {6035, "Rvvvv", update<in_format<([](auto a, auto b) { return a + b; })>>},
                });
}

} // namespace spirv_machine

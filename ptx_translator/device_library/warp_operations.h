// Warp operations, atomics and approximations of the GPU targets' libraries, on what amdgpu_warp.h or spirv_warp.h
// have.
#pragma once

#include "approximate.h"
#include "atomic_bits.h"
#include "round_to_odd.h"

#include "ptx/host_abi.h"

#include <stdint.h>

using ptx::host::Reduce;
using ptx::host::Shuffle;
using ptx::host::Vote;

namespace {

uint64_t with_predicate(uint32_t value, bool predicate) { return value | uint64_t{predicate} << 32; }

} // namespace

/// Lanes of `mask` that are not there have left, or take another path: they have no part.
LIBRARY uint32_t cuttle_gpu_active_mask() { return ballot(true); }

LIBRARY void cuttle_gpu_warp_sync(uint32_t) { warp_barrier(); }

/// PTX ISA 9.7.9.6.
LIBRARY uint64_t cuttle_gpu_shuffle(uint32_t mode, uint32_t value, uint32_t by, uint32_t limits, uint32_t) {
    const uint32_t segment = limits >> 8 & 31, clamp = limits & 31, self = lane();
    by &= 31;
    const uint32_t lowest = self & segment, highest = lowest | (clamp & ~segment);
    int32_t from = 0;
    switch (Shuffle(mode)) {
    case Shuffle::up:
        from = int32_t(self) - int32_t(by);
        break;
    case Shuffle::down:
        from = int32_t(self + by);
        break;
    case Shuffle::bfly:
        from = int32_t(self ^ by);
        break;
    case Shuffle::idx:
        from = int32_t(lowest | (by & ~segment));
        break;
    }
    const bool in_range = Shuffle(mode) == Shuffle::up ? from >= int32_t(highest) : from <= int32_t(highest);
    // What a lane that takes no part gives is undefined; NVIDIA's hardware gives 0, and programs with too small blocks
    // live by it.
    return with_predicate(value_or_zero(value, in_range ? uint32_t(from) : self), in_range);
}

/// PTX ISA 9.7.13.9.
LIBRARY uint32_t cuttle_gpu_vote(uint32_t mode, uint32_t predicate, uint32_t mask) {
    const uint32_t members = ballot(true) & mask, yes = ballot(predicate != 0) & mask;
    switch (Vote(mode)) {
    case Vote::all:
        return yes == members;
    case Vote::any:
        return yes != 0;
    case Vote::uni:
        return yes == members || yes == 0;
    case Vote::ballot:
        break;
    }
    return yes;
}

/// PTX ISA 9.7.13.10. Lane after lane shows its value.
LIBRARY uint32_t cuttle_gpu_match_any(uint64_t value, uint32_t mask) {
    const uint32_t members = ballot(true) & mask, low = uint32_t(value), high = uint32_t(value >> 32);
    uint32_t result = 0;
#pragma clang loop unroll(disable)
    for (uint32_t shown = 0; shown < 32; shown++) {
        const uint32_t other_low = value_of_lane(low, shown), other_high = value_of_lane(high, shown);
        const bool same = other_low == low && other_high == high;
        result |= uint32_t(same) << shown;
    }
    return result & members;
}

LIBRARY uint64_t cuttle_gpu_match_all(uint64_t value, uint32_t mask) {
    const uint32_t members = ballot(true) & mask, first = uint32_t(__builtin_ctz(members | 0x80000000));
    const uint32_t low = value_of_lane(uint32_t(value), first), high = value_of_lane(uint32_t(value >> 32), first);
    const bool same = (low | uint64_t{high} << 32) == value;
    const bool all_same = (ballot(same) & mask) == members;
    return with_predicate(all_same ? members : 0, all_same);
}

namespace {

/// f32, with -0 below +0. A NaN loses against a number, or wins where NaNs are kept; what is left is the canonical one.
uint32_t extreme_float(uint32_t a, uint32_t b, bool greatest, bool keeps_nan) {
    constexpr uint32_t nan = 0x7fffffff, infinity = 0x7f800000;
    const bool a_nan = (a & nan) > infinity, b_nan = (b & nan) > infinity;
    const auto order = [](uint32_t bits) { return bits >> 31 ? ~bits : bits | 1u << 31; };
    const uint32_t number = (order(a) < order(b)) != greatest ? a : b;
    if (a_nan || b_nan) return keeps_nan || (a_nan && b_nan) ? nan : a_nan ? b : a;
    return number;
}

uint32_t combine(Reduce operation, uint32_t a, uint32_t b) {
    switch (operation) {
    case Reduce::add:
        return a + b;
    case Reduce::min_s:
        return int32_t(a) < int32_t(b) ? a : b;
    case Reduce::max_s:
        return int32_t(a) > int32_t(b) ? a : b;
    case Reduce::min_u:
        return a < b ? a : b;
    case Reduce::max_u:
        return a > b ? a : b;
    case Reduce::and_:
        return a & b;
    case Reduce::or_:
        return a | b;
    case Reduce::xor_:
        return a ^ b;
    case Reduce::min_f:
        return extreme_float(a, b, false, false);
    case Reduce::max_f:
        return extreme_float(a, b, true, false);
    case Reduce::min_nan:
        return extreme_float(a, b, false, true);
    case Reduce::max_nan:
        return extreme_float(a, b, true, true);
    }
    return 0;
}

} // namespace

/// PTX ISA 9.7.13.11.
LIBRARY uint32_t cuttle_gpu_reduce(uint32_t operation, uint32_t value, uint32_t mask) {
    const uint32_t members = ballot(true) & mask;
    const uint32_t first = uint32_t(__builtin_ctz(members | 0x80000000));
    // A single NaN too becomes the canonical one.
    uint32_t result = value_of_lane(value, first);
    if (Reduce(operation) >= Reduce::min_f) result = combine(Reduce(operation), result, result);
#pragma clang loop unroll(disable)
    for (uint32_t number = 0; number < 32; number++) {
        const uint32_t other = value_of_lane(value, number);
        if (number != first && members >> number & 1) result = combine(Reduce(operation), result, other);
    }
    return result;
}

// Generic addresses.
LIBRARY float cuttle_gpu_atomic_add_ftz_f32(uint64_t address, float value, uint32_t flush) {
    auto* place = reinterpret_cast<uint32_t*>(address);
    const uint32_t addend = __builtin_bit_cast(uint32_t, value);
    uint32_t old = __scoped_atomic_load_n(place, __ATOMIC_RELAXED, __MEMORY_SCOPE_DEVICE), sum = 0;
    do {
        sum = flush ? cuttle::sum_without_subnormals(old, addend)
                    : __builtin_bit_cast(uint32_t, __builtin_bit_cast(float, old) + value);
    } while (!__scoped_atomic_compare_exchange_n(place, &old, sum, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE,
                                                 __MEMORY_SCOPE_DEVICE));
    return __builtin_bit_cast(float, old);
}

/// In the word that the half is part of.
LIBRARY uint16_t cuttle_gpu_atomic_extreme_16(uint64_t address, uint16_t value, uint16_t infinity,
                                                 uint32_t greatest) {
    auto* place = reinterpret_cast<uint32_t*>(address & ~uint64_t{3});
    const uint32_t shift = (address & 2) * 8;
    uint32_t old = __scoped_atomic_load_n(place, __ATOMIC_RELAXED, __MEMORY_SCOPE_DEVICE);
    for (;;) {
        const uint32_t chosen = cuttle::extreme(uint16_t(old >> shift), value, infinity, greatest != 0);
        const uint32_t wanted = (old & ~(0xffffu << shift)) | chosen << shift;
        if (__scoped_atomic_compare_exchange_n(place, &old, wanted, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE,
                                               __MEMORY_SCOPE_DEVICE))
            return uint16_t(old >> shift);
    }
}

#define APPROXIMATE(name, function)                                                                                    \
    LIBRARY float cuttle_approximate_##name(float x) { return cuttle::approximate::function(x); }

APPROXIMATE(exp2, ex2)
APPROXIMATE(log2, lg2)
APPROXIMATE(sin, sin)
APPROXIMATE(cos, cos)
APPROXIMATE(tanh, tanh)

/// fma of bfloat16 values given and returned as double, to be rounded once more (to bfloat16). The product is exact.
LIBRARY double cuttle_fma_to_odd(double a, double b, double c) { return cuttle::add_to_odd(a * b, c); }

/// double to bfloat16 with one rounding, which llvm_to_code/small_floats.h calls.
LIBRARY __bf16 __truncdfbf2(double value) { return __builtin_bit_cast(__bf16, cuttle::bfloat_bits(value)); }

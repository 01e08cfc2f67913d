// mbarrier objects and bulk copies on AMD GPUs; linked as bitcode and inlined. Copies are done when they return. All
// addresses are generic.
#include "gpu_warp.h"

#include "atomic_bits.h"

#include "ptx/mbarrier_state.h"

#include <stdint.h>

using ptx::MbarrierState;
using ptx::host::BulkOperation;
using ptx::host::BulkType;
using ptx::host::Mbarrier;

#define LIBRARY extern "C" __attribute__((always_inline, convergent))

namespace {

/// `change` of what is at the address, atomically; the value before.
template <class T, class F> T replace(uint64_t address, F change) {
    auto* place = reinterpret_cast<T*>(address);
    T old = __scoped_atomic_load_n(place, __ATOMIC_RELAXED, __MEMORY_SCOPE_DEVICE);
    while (!__scoped_atomic_compare_exchange_n(place, &old, change(old), true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE,
                                               __MEMORY_SCOPE_DEVICE)) {
    }
    return old;
}

uint64_t change_barrier(Mbarrier operation, uint64_t address, uint64_t argument) {
    return replace<uint64_t>(address, [=](uint64_t bits) {
        MbarrierState state(bits);
        state.change(operation, argument);
        return state.bits();
    });
}

/// Of PTX's wrong operands some stop a kernel.
void demand_aligned(uint64_t to, uint64_t from, uint32_t bytes) {
    if ((to | from | bytes) % 16 != 0) stop_kernel();
}

void complete(uint64_t barrier, uint32_t bytes) {
    if (barrier) change_barrier(Mbarrier::complete_tx, barrier, bytes);
}

using Chunk = uint32_t __attribute__((ext_vector_type(4)));

template <class T> T of_bits(uint64_t bits) {
    if constexpr (sizeof(T) == 8)
        return __builtin_bit_cast(T, bits);
    else
        return __builtin_bit_cast(T, uint32_t(bits));
}
template <class T> uint64_t bits_of(T value) {
    if constexpr (sizeof(T) == 8)
        return __builtin_bit_cast(uint64_t, value);
    else
        return __builtin_bit_cast(uint32_t, value);
}

template <class T> T combined(BulkOperation operation, T a, T b) {
    if constexpr (__is_floating_point(T)) {
        return a + b;
    } else {
        switch (operation) {
        case BulkOperation::add:
            return T(uint64_t(a) + uint64_t(b));
        case BulkOperation::min:
            return b < a ? b : a;
        case BulkOperation::max:
            return a < b ? b : a;
        case BulkOperation::inc:
            return uint64_t(a) >= uint64_t(b) ? T(0) : T(a + 1);
        case BulkOperation::dec:
            return a == 0 || uint64_t(a) > uint64_t(b) ? b : T(a - 1);
        case BulkOperation::and_:
            return a & b;
        case BulkOperation::or_:
            return a | b;
        case BulkOperation::xor_:
            return a ^ b;
        }
        return a;
    }
}

double widen(uint32_t bits, bool is_half) {
    if (is_half) return double(__builtin_bit_cast(_Float16, uint16_t(bits)));
    return double(__builtin_bit_cast(float, bits << 16));
}

uint32_t combined_small(BulkOperation operation, uint32_t a, uint32_t b, bool is_half) {
    if (operation != BulkOperation::add)
        return cuttle::extreme(uint16_t(a), uint16_t(b), is_half ? 0x7c00 : 0x7f80, operation == BulkOperation::max);
    // One rounding: a double holds the sum of two halves, and of other numbers all that decides.
    const double sum = widen(a, is_half) + widen(b, is_half);
    return is_half ? __builtin_bit_cast(uint16_t, _Float16(sum)) : __builtin_bit_cast(uint16_t, __bf16(sum));
}

/// The word or two at the address, as elements of the type.
uint64_t combined_words(BulkOperation operation, BulkType type, uint64_t a, uint64_t b) {
    switch (type) {
    case BulkType::u32:
        return combined(operation, uint32_t(a), uint32_t(b));
    case BulkType::s32:
        return uint32_t(combined(operation, int32_t(a), int32_t(b)));
    case BulkType::u64:
        return combined(operation, a, b);
    case BulkType::s64:
        return uint64_t(combined(operation, int64_t(a), int64_t(b)));
    case BulkType::f32:
        return bits_of(combined(operation, of_bits<float>(a), of_bits<float>(b)));
    case BulkType::f64:
        return bits_of(combined(operation, of_bits<double>(a), of_bits<double>(b)));
    case BulkType::f16:
    case BulkType::bf16: {
        const bool is_half = type == BulkType::f16;
        return combined_small(operation, a & 0xffff, b & 0xffff, is_half) |
               combined_small(operation, uint32_t(a) >> 16, uint32_t(b) >> 16, is_half) << 16;
    }
    }
    return a;
}

template <class T> void reduce(BulkOperation operation, BulkType type, uint64_t to, uint64_t from, uint32_t bytes) {
#pragma clang loop unroll(disable)
    for (uint32_t at = 0; at < bytes; at += sizeof(T)) {
        const T value = *reinterpret_cast<const T*>(from + at);
        replace<T>(to + at, [=](T old) { return T(combined_words(operation, type, old, value)); });
    }
}

} // namespace

/// PTX ISA 9.7.13.15. A wait that finds the phase going on lets other waves run before it says so.
LIBRARY uint64_t cuttle_amdgpu_mbarrier(uint32_t number, uint64_t address, uint64_t argument) {
    const auto operation = Mbarrier(number);
    switch (operation) {
    case Mbarrier::pending_count:
        return MbarrierState(argument).pending;
    case Mbarrier::test_wait:
    case Mbarrier::test_parity:
    case Mbarrier::try_wait:
    case Mbarrier::try_parity: {
        const uint64_t bits =
            __scoped_atomic_load_n(reinterpret_cast<uint64_t*>(address), __ATOMIC_ACQUIRE, __MEMORY_SCOPE_WRKGRP);
        const bool is_over = MbarrierState(bits).is_over(operation, argument);
        if (!is_over) pause();
        return is_over;
    }
    case Mbarrier::init:
    case Mbarrier::inval: {
        MbarrierState state(0);
        state.change(operation, argument);
        __scoped_atomic_store_n(reinterpret_cast<uint64_t*>(address), state.bits(), __ATOMIC_RELAXED,
                                __MEMORY_SCOPE_WRKGRP);
        return 0;
    }
    default:
        return change_barrier(operation, address, argument);
    }
}

/// PTX ISA 9.7.9.25.4.1. No clusters: `multicast` is 0, which the translator has seen to.
LIBRARY void cuttle_amdgpu_bulk_copy(uint64_t to, uint64_t from, uint32_t bytes, uint64_t barrier, uint32_t,
                                     uint32_t byte_mask) {
    demand_aligned(to, from, bytes);
    if (byte_mask == 0xffff) {
#pragma clang loop unroll(disable)
        for (uint32_t at = 0; at < bytes; at += sizeof(Chunk))
            *reinterpret_cast<Chunk*>(to + at) = *reinterpret_cast<const Chunk*>(from + at);
    } else {
#pragma clang loop unroll(disable)
        for (uint32_t at = 0; at < bytes; ++at)
            if (byte_mask >> at % 16 & 1)
                *reinterpret_cast<uint8_t*>(to + at) = *reinterpret_cast<const uint8_t*>(from + at);
    }
    complete(barrier, bytes);
}

/// PTX ISA 9.7.9.25.4.2.
LIBRARY void cuttle_amdgpu_bulk_reduce(uint32_t operation, uint32_t type, uint64_t to, uint64_t from, uint32_t bytes,
                                       uint64_t barrier) {
    demand_aligned(to, from, bytes);
    const auto kind = BulkType(type);
    if (kind == BulkType::u64 || kind == BulkType::s64 || kind == BulkType::f64)
        reduce<uint64_t>(BulkOperation(operation), kind, to, from, bytes);
    else
        reduce<uint32_t>(BulkOperation(operation), kind, to, from, bytes);
    complete(barrier, bytes);
}

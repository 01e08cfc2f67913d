// mbarrier objects, bulk and tensor copies on AMD GPUs; linked as bitcode and inlined. Copies are done when they
// return. All addresses are generic.
#include "gpu_warp.h"

#include "bulk_elements.h"

#include "ptx/mbarrier_state.h"

#include <stdint.h>

using ptx::MbarrierState;
using ptx::host::Mbarrier;

#define LIBRARY extern "C" __attribute__((always_inline, convergent))

namespace {

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

template <class T> void reduce(BulkOperation operation, BulkType type, uint64_t to, uint64_t from, uint32_t bytes) {
#pragma clang loop unroll(disable)
    for (uint32_t at = 0; at < bytes; at += sizeof(T)) {
        const T value = *reinterpret_cast<const T*>(from + at);
        replace<T>(to + at, [=](T old) { return T(combined_words(operation, type, old, value)); });
    }
}

} // namespace

#include "amdgpu_tensor.h"

/// PTX ISA 9.7.13.15. A wait that finds the phase going on lets other waves run before it says so.
LIBRARY uint64_t cuttle_gpu_mbarrier(uint32_t number, uint64_t address, uint64_t argument) {
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
LIBRARY void cuttle_gpu_bulk_copy(uint64_t to, uint64_t from, uint32_t bytes, uint64_t barrier, uint32_t,
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

/// The same for blocks of the cluster: see cuttle_gpu_tensor_multicast.
LIBRARY void cuttle_gpu_bulk_multicast(uint64_t to, uint64_t from, uint32_t bytes, uint64_t barrier,
                                          uint32_t multicast, uint32_t byte_mask, uint32_t rank, uint32_t stride) {
    uint32_t targets = multicast ? multicast : 1u << rank;
#pragma clang loop unroll(disable)
    for (; targets; targets &= targets - 1) {
        const int64_t distance = int64_t(int32_t(__builtin_ctz(targets)) - int32_t(rank)) * stride;
        cuttle_gpu_bulk_copy(to + distance, from, bytes, barrier ? barrier + distance : 0, 0, byte_mask);
    }
}

/// PTX ISA 9.7.9.25.4.2.
LIBRARY void cuttle_gpu_bulk_reduce(uint32_t operation, uint32_t type, uint64_t to, uint64_t from, uint32_t bytes,
                                       uint64_t barrier) {
    demand_aligned(to, from, bytes);
    const auto kind = BulkType(type);
    if (kind == BulkType::u64 || kind == BulkType::s64 || kind == BulkType::f64)
        reduce<uint64_t>(BulkOperation(operation), kind, to, from, bytes);
    else
        reduce<uint32_t>(BulkOperation(operation), kind, to, from, bytes);
    complete(barrier, bytes);
}

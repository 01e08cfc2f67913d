// Barriers that the hardware has not: ptx/amdgpu_barriers.h. PTX ISA 9.7.13.1.
#pragma once

#include "ptx/amdgpu_barriers.h"
#include "ptx/host_abi.h"

#include <stdint.h>

namespace {

#define LDS __attribute__((address_space(3)))
using SharedArea = LDS ptx::amdgpu::BarrierArea*;

SharedArea area_at(uint32_t address) { return reinterpret_cast<SharedArea>(address); }

uint32_t add(LDS uint32_t* word, uint32_t value) {
    return __scoped_atomic_fetch_add(word, value, __ATOMIC_RELAXED, __MEMORY_SCOPE_WRKGRP);
}
uint32_t load(LDS uint32_t* word) { return __scoped_atomic_load_n(word, __ATOMIC_RELAXED, __MEMORY_SCOPE_WRKGRP); }
void store(LDS uint32_t* word, uint32_t value) {
    __scoped_atomic_store_n(word, value, __ATOMIC_RELAXED, __MEMORY_SCOPE_WRKGRP);
}

/// 1 for each active lane of the warp that says yes, 0x10000 for each that says no.
uint32_t votes_of_warp(bool yes) {
    const uint32_t lanes = ballot(true), agreed = ballot(yes);
    return uint32_t(__builtin_popcount(agreed)) | uint32_t(__builtin_popcount(lanes & ~agreed)) << 16;
}
bool is_first_of_warp() { return lane() == uint32_t(__builtin_ctz(ballot(true))); }

uint32_t result_of(ptx::host::BarrierReduce operation, uint32_t votes) {
    switch (operation) {
    case ptx::host::BarrierReduce::popc:
        return votes & 0xffff;
    case ptx::host::BarrierReduce::and_:
        return votes >> 16 == 0;
    case ptx::host::BarrierReduce::or_:
        return (votes & 0xffff) != 0;
    }
    return 0;
}

} // namespace

/// `thread`: the thread's number in its block.
LIBRARY void cuttle_gpu_barriers_init(uint32_t area, uint32_t thread, uint32_t threads) {
    auto* words = reinterpret_cast<LDS uint32_t*>(area);
#pragma clang loop unroll(disable)
    for (uint32_t i = thread; i < sizeof(ptx::amdgpu::BarrierArea) / 4; i += threads) words[i] = 0;
    block_barrier();
}

/// The barrier of all threads, with votes. Each warp takes its own back before it comes to the next barrier.
LIBRARY uint32_t cuttle_gpu_barrier_vote(uint32_t area, uint32_t operation, uint32_t yes) {
    LDS uint32_t* sum = &area_at(area)->votes;
    const uint32_t mine = votes_of_warp(yes != 0);
    const bool first = is_first_of_warp();
    if (first) add(sum, mine);
    block_barrier();
    const uint32_t votes = load(sum);
    block_barrier();
    if (first) add(sum, 0u - mine);
    return result_of(ptx::host::BarrierReduce(operation), votes);
}

/// Arrives at a barrier and gives the phase that is over once it is complete. `all`: the threads of the block. An
/// aligned barrier takes all lanes of a warp together, those that have left included.
LIBRARY uint32_t cuttle_gpu_barrier_arrive(uint32_t area, uint32_t number, uint32_t count, uint32_t all,
                                              uint32_t aligned, uint32_t yes) {
    LDS ptx::amdgpu::Barrier* barrier = &area_at(area)->barriers[number & 15];
    const uint32_t lanes = uint32_t(__builtin_popcount(ballot(true)));
    const bool whole = count == 0 || count >= all;
    const uint32_t expected = whole ? all : count, mine = whole || !aligned ? lanes : 32;
    const uint32_t votes = votes_of_warp(yes != 0);
    // Nobody completes the phase before this warp has come.
    const uint32_t phase = load(&barrier->phase);
    __scoped_atomic_thread_fence(__ATOMIC_RELEASE, __MEMORY_SCOPE_WRKGRP);
    if (is_first_of_warp()) {
        add(&barrier->votes, votes);
        __scoped_atomic_thread_fence(__ATOMIC_ACQ_REL, __MEMORY_SCOPE_WRKGRP);
        if (add(&barrier->arrived, mine) + mine >= expected) {
            __scoped_atomic_thread_fence(__ATOMIC_ACQ_REL, __MEMORY_SCOPE_WRKGRP);
            store(&barrier->last_votes, load(&barrier->votes));
            store(&barrier->votes, 0);
            store(&barrier->arrived, 0);
            __scoped_atomic_thread_fence(__ATOMIC_RELEASE, __MEMORY_SCOPE_WRKGRP);
            store(&barrier->phase, phase + 1);
        }
    }
    return phase;
}

LIBRARY uint32_t cuttle_gpu_barrier_result(uint32_t area, uint32_t number, uint32_t operation) {
    return result_of(ptx::host::BarrierReduce(operation), load(&area_at(area)->barriers[number & 15].last_votes));
}

// The barriers of blocks that are parts of a work group (ptx::amdgpu::ClusterArea). `all`: the threads of the block, or
// of the cluster.
namespace {

using ClusterBarrier = LDS ptx::amdgpu::CountingBarrier*;

/// Whether all who are left have arrived, and this wave is the one to end the phase.
bool ends_phase(LDS uint32_t* arrived, LDS uint32_t* gone, uint32_t all) {
    __scoped_atomic_thread_fence(__ATOMIC_ACQ_REL, __MEMORY_SCOPE_WRKGRP);
    uint32_t count = load(arrived);
    if (count == 0 || count + load(gone) < all) return false;
    return __scoped_atomic_compare_exchange_n(arrived, &count, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED,
                                              __MEMORY_SCOPE_WRKGRP);
}

void end_block_phase(SharedArea area, uint32_t all) {
    LDS ptx::amdgpu::Barrier* barrier = &area->barriers[0];
    if (!ends_phase(&barrier->arrived, &area->reserved[0], all)) return;
    store(&barrier->last_votes, load(&barrier->votes));
    store(&barrier->votes, 0);
    __scoped_atomic_thread_fence(__ATOMIC_RELEASE, __MEMORY_SCOPE_WRKGRP);
    add(&barrier->phase, 1);
}

void end_cluster_phase(ClusterBarrier barrier, uint32_t all) {
    if (ends_phase(&barrier->arrived, &barrier->gone, all)) add(&barrier->phase, 1);
}

uint32_t count_of_lanes() { return uint32_t(__builtin_popcount(ballot(true))); }

} // namespace

LIBRARY void cuttle_gpu_cluster_init(uint32_t area, uint32_t thread, uint32_t threads) {
    auto* words = reinterpret_cast<LDS uint32_t*>(area);
#pragma clang loop unroll(disable)
    for (uint32_t i = thread; i < sizeof(ptx::amdgpu::ClusterArea) / 4; i += threads) words[i] = 0;
    block_barrier();
}

/// Barrier 0 of all threads: the phase that is over once it is complete.
LIBRARY uint32_t cuttle_gpu_block_arrive(uint32_t area, uint32_t all, uint32_t yes) {
    LDS ptx::amdgpu::Barrier* barrier = &area_at(area)->barriers[0];
    const uint32_t lanes = count_of_lanes(), votes = votes_of_warp(yes != 0);
    // Nobody completes the phase before this warp has come.
    const uint32_t phase = load(&barrier->phase);
    __scoped_atomic_thread_fence(__ATOMIC_RELEASE, __MEMORY_SCOPE_WRKGRP);
    if (is_first_of_warp()) {
        add(&barrier->votes, votes);
        __scoped_atomic_thread_fence(__ATOMIC_ACQ_REL, __MEMORY_SCOPE_WRKGRP);
        add(&barrier->arrived, lanes);
        end_block_phase(area_at(area), all);
    }
    return phase;
}

/// Before threads return.
LIBRARY void cuttle_gpu_block_leave(uint32_t area, uint32_t all) {
    const uint32_t lanes = count_of_lanes();
    __scoped_atomic_thread_fence(__ATOMIC_RELEASE, __MEMORY_SCOPE_WRKGRP);
    if (!is_first_of_warp()) return;
    add(&area_at(area)->reserved[0], lanes);
    end_block_phase(area_at(area), all);
}

/// PTX ISA 9.7.13.3: the phase that is over once it is complete. `address`: of the cluster's barrier.
LIBRARY uint32_t cuttle_gpu_cluster_arrive(uint32_t address, uint32_t all) {
    auto* barrier = reinterpret_cast<ClusterBarrier>(address);
    const uint32_t lanes = count_of_lanes(), phase = load(&barrier->phase);
    __scoped_atomic_thread_fence(__ATOMIC_RELEASE, __MEMORY_SCOPE_WRKGRP);
    if (is_first_of_warp()) {
        add(&barrier->arrived, lanes);
        end_cluster_phase(barrier, all);
    }
    return phase;
}

/// Before threads return, none of which waits for the barrier.
LIBRARY void cuttle_gpu_cluster_leave(uint32_t address, uint32_t all) {
    auto* barrier = reinterpret_cast<ClusterBarrier>(address);
    const uint32_t lanes = count_of_lanes();
    __scoped_atomic_thread_fence(__ATOMIC_RELEASE, __MEMORY_SCOPE_WRKGRP);
    if (!is_first_of_warp()) return;
    add(&barrier->gone, lanes);
    end_cluster_phase(barrier, all);
}
#undef LDS

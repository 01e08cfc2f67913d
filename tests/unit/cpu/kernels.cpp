// What the translator would make of CUDA kernels, written by hand against host_abi.h. Parameters are packed uint64_t.
#include "ptx/host_abi.h"

#include <atomic>
#include <cstring>

using namespace ptx::host;

namespace {

uint64_t parameter(Lane* lane, unsigned index) { return static_cast<const uint64_t*>(lane->grid->parameters)[index]; }
template <class T> T* pointer(Lane* lane, unsigned index) { return reinterpret_cast<T*>(parameter(lane, index)); }

uint32_t thread_index(Lane* lane) {
    const uint32_t* size = lane->grid->block_dim;
    return (lane->thread[2] * size[1] + lane->thread[1]) * size[0] + lane->thread[0];
}
uint32_t threads(Lane* lane) { return lane->grid->block_dim[0] * lane->grid->block_dim[1] * lane->grid->block_dim[2]; }
uint64_t block_index(Lane* lane) {
    const uint32_t* size = lane->grid->grid_dim;
    return (uint64_t{lane->block[2]} * size[1] + lane->block[1]) * size[0] + lane->block[0];
}
uint64_t blocks(Lane* lane) {
    return uint64_t{lane->grid->grid_dim[0]} * lane->grid->grid_dim[1] * lane->grid->grid_dim[2];
}
uint64_t global_index(Lane* lane) { return block_index(lane) * threads(lane) + thread_index(lane); }
const Services& services(Lane* lane) { return *lane->grid->services; }

template <class T> std::atomic_ref<T> atomic(T& value) { return std::atomic_ref<T>(value); }

template <class F> void every_thread_of_block(Lane* lane, F&& f) {
    uint32_t index = 0;
    const uint32_t* size = lane->grid->block_dim;
    for (uint32_t z = 0; z < size[2]; z++)
        for (uint32_t y = 0; y < size[1]; y++)
            for (uint32_t x = 0; x < size[0]; x++, index++) {
                lane->thread[0] = x, lane->thread[1] = y, lane->thread[2] = z;
                lane->lane = index % 32;
                lane->warp = index / 32;
                f(lane);
            }
}

template <class F> void every_thread(Lane* lane, F&& f) {
    for (every_thread_of_block(lane, f); lane->more; every_thread_of_block(lane, f)) {
        lane->more--;
        const uint32_t* size = lane->grid->grid_dim;
        if (++lane->block[0] < size[0]) continue;
        lane->block[0] = 0;
        if (++lane->block[1] == size[1]) lane->block[1] = 0, lane->block[2]++;
    }
}

} // namespace

#define EXPORT extern "C" __attribute__((visibility("default"), used))
/// A kernel with a fiber for each thread.
#define FIBERS(name) EXPORT void name(Lane* lane)
/// One that does not synchronise: also exported as "name.block".
#define WHOLE(name)                                                                                                    \
    EXPORT void name(Lane* lane);                                                                                      \
    EXPORT void name##_block(Lane* lane) asm(#name ".block");                                                          \
    void name##_block(Lane* lane) { every_thread(lane, name); }                                                        \
    void name(Lane* lane)

EXPORT int device_function(int x);
int device_function(int x) { return x + 1; }

WHOLE(empty) { (void)lane; }

WHOLE(write_index) { // out, n
    if (global_index(lane) < parameter(lane, 1))
        pointer<uint32_t>(lane, 0)[global_index(lane)] = uint32_t(global_index(lane));
}

extern "C" __attribute__((visibility("default"))) const uint32_t in_groups_together asm("in_groups.together");
const uint32_t in_groups_together = 256; // threads
EXPORT void in_groups(Lane*);
EXPORT void in_groups_block(Lane* lane) asm("in_groups.block");
void in_groups_block(Lane* lane) { // how often each block was run, how many chunks are no groups, chunks
    const uint64_t first = block_index(lane), end = first + lane->more + 1, group = 256 / threads(lane);
    if (first % group || (end % group && end != blocks(lane))) atomic(*pointer<uint32_t>(lane, 1)).fetch_add(1);
    atomic(*pointer<uint32_t>(lane, 2)).fetch_add(1);
    every_thread(lane, in_groups);
}
void in_groups(Lane* lane) {
    if (thread_index(lane) == 0) atomic(pointer<uint32_t>(lane, 0)[block_index(lane)]).fetch_add(1);
}

WHOLE(count_slowly) { // counter of each block, pauses
    for (uint64_t i = 0; i < parameter(lane, 1); i++) __builtin_ia32_pause();
    atomic(pointer<uint32_t>(lane, 0)[block_index(lane)]).fetch_add(1, std::memory_order_relaxed);
}

WHOLE(append) { // value, digit
    uint64_t& value = *pointer<uint64_t>(lane, 0);
    value = value * 31 + parameter(lane, 1);
}

WHOLE(count_threads) { atomic(*pointer<uint64_t>(lane, 0)).fetch_add(1, std::memory_order_relaxed); }

FIBERS(count_fibers) { // counter
    services(lane).barrier_sync(lane, 0, 0);
    atomic(*pointer<uint64_t>(lane, 0)).fetch_add(1, std::memory_order_relaxed);
}

FIBERS(special_registers) { // out: 16 words for each thread
    uint32_t* out = pointer<uint32_t>(lane, 0) + 16 * global_index(lane);
    services(lane).barrier_sync(lane, 0, 0);
    for (int i = 0; i < 3; i++) {
        out[i] = lane->thread[i];
        out[3 + i] = lane->block[i];
        out[6 + i] = lane->grid->block_dim[i];
        out[9 + i] = lane->grid->grid_dim[i];
    }
    out[12] = lane->lane;
    out[13] = lane->warp;
    out[14] = uint32_t(reinterpret_cast<uintptr_t>(lane->shared) % 1024);
    out[15] = lane->multiprocessor < lane->grid->multiprocessor_count;
}

FIBERS(sum_shared) { // in, out
    auto* shared = reinterpret_cast<uint64_t*>(lane->shared);
    const uint32_t me = thread_index(lane);
    shared[me] = pointer<uint32_t>(lane, 0)[global_index(lane)];
    for (uint32_t half = threads(lane) / 2; half; half /= 2) {
        services(lane).barrier_sync(lane, 0, 0);
        if (me < half) shared[me] += shared[me + half];
    }
    if (me == 0) pointer<uint64_t>(lane, 1)[block_index(lane)] = shared[0];
}

FIBERS(static_and_dynamic) { // out; 20 bytes static, so dynamic begins at 32
    auto* fixed = reinterpret_cast<uint32_t*>(lane->shared);
    auto* dynamic = reinterpret_cast<uint32_t*>(lane->shared + 32);
    const uint32_t me = thread_index(lane);
    if (me < 5) fixed[me] = 100 + me;
    dynamic[me] = me;
    services(lane).barrier_sync(lane, 0, 0);
    const uint32_t n = threads(lane);
    pointer<uint32_t>(lane, 0)[global_index(lane)] =
        fixed[me % 5] + dynamic[n - 1 - me] + lane->grid->dynamic_shared_bytes;
}

FIBERS(barrier_reductions) { // out: 3 words for each thread
    uint32_t* out = pointer<uint32_t>(lane, 0) + 3 * global_index(lane);
    const uint32_t me = thread_index(lane);
    for (int round = 0; round < 3; round++) {
        out[0] = services(lane).barrier_reduce(lane, 3, 0, uint32_t(BarrierReduce::popc), me % 3 == 0);
        out[1] = services(lane).barrier_reduce(lane, 3, 0, uint32_t(BarrierReduce::and_), me != 7 || round != 2);
        out[2] = services(lane).barrier_reduce(lane, 3, 0, uint32_t(BarrierReduce::or_), me == 9 && round == 2);
    }
}

FIBERS(exit_before_barrier) { // out: how many wrote before the barrier
    auto* counter = reinterpret_cast<uint32_t*>(lane->shared);
    const uint32_t me = thread_index(lane);
    if (me == 0) *counter = 0;
    services(lane).barrier_sync(lane, 0, 0);
    if (me % 4 == 3) return;
    ++*counter;
    services(lane).barrier_sync(lane, 0, 0);
    if (me % 4 == 2) services(lane).exit(lane);
    const uint32_t seen = *counter;
    services(lane).barrier_sync(lane, 0, (threads(lane) + 31) / 32 * 32);
    pointer<uint32_t>(lane, 0)[global_index(lane)] = seen;
}

FIBERS(produce_consume) { // out; warp 0 produces, warp 1 consumes: named barriers 1 (full) and 2 (empty) of 64 threads
    auto* slot = reinterpret_cast<volatile uint32_t*>(lane->shared);
    uint64_t sum = 0;
    for (uint32_t step = 0; step < 50; step++) {
        if (lane->warp == 0) {
            if (step) services(lane).barrier_sync(lane, 2, 64);
            slot[lane->lane] = step * 1000 + lane->lane;
            services(lane).barrier_arrive(lane, 1, 64);
        } else {
            services(lane).barrier_sync(lane, 1, 64);
            sum += slot[lane->lane ^ 1];
            if (step < 49) services(lane).barrier_arrive(lane, 2, 64);
        }
    }
    pointer<uint64_t>(lane, 0)[thread_index(lane)] = sum;
}

FIBERS(
    partial_barrier) { // out; 80 threads: warps 0 and 2 (16 lanes) meet at barrier 5 of 64 threads, warp 1 never comes
    auto* shared = reinterpret_cast<volatile uint32_t*>(lane->shared);
    if (lane->warp == 1) return;
    if (lane->warp == 2) shared[lane->lane] = 7 * lane->lane;
    services(lane).barrier_sync(lane, 5, 64);
    pointer<uint32_t>(lane, 0)[thread_index(lane)] = shared[lane->lane % 16];
}

FIBERS(many_barriers) { // out, rounds
    auto* shared = reinterpret_cast<volatile uint32_t*>(lane->shared);
    const uint32_t me = thread_index(lane), n = threads(lane);
    shared[me] = me;
    for (uint64_t i = 0; i < parameter(lane, 1); i++) {
        services(lane).barrier_sync(lane, 0, 0);
        const uint32_t next = shared[(me + 1) % n];
        services(lane).barrier_sync(lane, 1, 0);
        shared[me] = next;
    }
    pointer<uint32_t>(lane, 0)[global_index(lane)] = shared[me];
}

__attribute__((noinline)) static void leave_if_odd(Lane* lane, int depth) {
    volatile char frame[64];
    frame[0] = char(depth);
    if (depth) return leave_if_odd(lane, depth - 1);
    if (lane->lane & 1) services(lane).exit(lane);
    frame[1] = frame[0];
}

FIBERS(exit_in_function) { // out
    leave_if_odd(lane, 10);
    services(lane).barrier_sync(lane, 0, 0);
    pointer<uint32_t>(lane, 0)[global_index(lane)] = 1;
}

FIBERS(shuffles) { // out values, out predicates, mode, lane operands[32], clamp
    const uint32_t by = pointer<uint32_t>(lane, 3)[lane->lane];
    const uint64_t r = services(lane).shuffle(lane, uint32_t(parameter(lane, 2)), 1000 + lane->lane, by,
                                              uint32_t(parameter(lane, 4)), ~0u);
    pointer<uint32_t>(lane, 0)[lane->lane] = uint32_t(r);
    pointer<uint32_t>(lane, 1)[lane->lane] = uint32_t(r >> 32);
}

FIBERS(votes) { // out: 4 words for each lane, predicate bits, mask
    const uint32_t mask = uint32_t(parameter(lane, 2)), predicate = uint32_t(parameter(lane, 1)) >> lane->lane & 1;
    if (!(mask >> lane->lane & 1)) return;
    for (uint32_t mode = 0; mode < 4; mode++)
        pointer<uint32_t>(lane, 0)[4 * lane->lane + mode] = services(lane).vote(lane, mode, predicate, mask);
}

FIBERS(matches) { // out any, out all (u64), values[32] (u64), mask
    const uint32_t mask = uint32_t(parameter(lane, 3));
    if (!(mask >> lane->lane & 1)) return;
    const uint64_t value = pointer<uint64_t>(lane, 2)[lane->lane];
    pointer<uint32_t>(lane, 0)[lane->lane] = services(lane).match_any(lane, value, mask);
    pointer<uint64_t>(lane, 1)[lane->lane] = services(lane).match_all(lane, value, mask);
}

FIBERS(reductions) { // out: 8 words for each lane, values[32], mask
    const uint32_t mask = uint32_t(parameter(lane, 2));
    if (!(mask >> lane->lane & 1)) return;
    for (uint32_t op = 0; op < 8; op++)
        pointer<uint32_t>(lane, 0)[8 * lane->lane + op] =
            services(lane).reduce(lane, op, pointer<uint32_t>(lane, 1)[lane->lane], mask);
}

FIBERS(exchanges) { // out: 32 * 12 bytes for each lane, mask
    const uint32_t mask = uint32_t(parameter(lane, 1));
    if (!(mask >> lane->lane & 1)) return;
    struct Item {
        uint32_t a, b, c;
    } mine{lane->lane, lane->lane * lane->lane, ~lane->lane}, all[32];
    services(lane).exchange(lane, mask, &mine, sizeof mine, all);
    std::memcpy(pointer<uint8_t>(lane, 0) + lane->lane * sizeof all, all, sizeof all);
}

FIBERS(two_masks) { // out: the sides of a branch shuffle different numbers of times, by different masks, then join
    uint32_t value = lane->lane;
    if (lane->lane % 3 == 0) {
        uint32_t mask = 0;
        for (uint32_t i = 0; i < 32; i += 3) mask |= 1u << i;
        for (int i = 0; i < 5; i++)
            value =
                uint32_t(services(lane).shuffle(lane, uint32_t(Shuffle::idx), value, (lane->lane + 3) % 33, 31, mask));
    } else {
        uint32_t mask = 0;
        for (uint32_t i = 0; i < 32; i++)
            if (i % 3) mask |= 1u << i;
        for (int i = 0; i < 2; i++) value += services(lane).reduce(lane, uint32_t(Reduce::add), value, mask);
    }
    services(lane).warp_sync(lane, ~0u);
    pointer<uint32_t>(lane, 0)[lane->lane] =
        value + services(lane).vote(lane, uint32_t(Vote::ballot), lane->lane < 5, ~0u) * 1000;
}

FIBERS(gone_lanes) { // out: lanes from 20 up exit, the others name them in their masks
    if (lane->lane >= 20) return;
    services(lane).warp_sync(lane, ~0u);
    const uint32_t ballot = services(lane).vote(lane, uint32_t(Vote::ballot), 1, ~0u);
    const uint64_t from_gone = services(lane).shuffle(lane, uint32_t(Shuffle::idx), lane->lane, 25, 31, ~0u);
    pointer<uint32_t>(lane, 0)[lane->lane] = ballot;
    pointer<uint32_t>(lane, 0)[32 + lane->lane] = uint32_t(from_gone);
}

FIBERS(exit_completes) { // out: the last missing lane of a vote exits instead
    if (lane->lane == 31) {
        for (int i = 0; i < 10; i++) services(lane).nanosleep(lane, 100);
        return;
    }
    pointer<uint32_t>(lane, 0)[lane->lane] = services(lane).vote(lane, uint32_t(Vote::ballot), 1, ~0u);
}

FIBERS(active_masks) { // out
    uint32_t mask = 0;
    if (lane->lane < 10) {
        mask = services(lane).active_mask(lane);
        asm volatile("nop"); // keeps the two call sites apart
    } else if (lane->lane < 30) {
        mask = services(lane).active_mask(lane);
    }
    pointer<uint32_t>(lane, 0)[global_index(lane)] = mask;
    services(lane).barrier_sync(lane, 0, 0);
}

FIBERS(active_mask_loop) { // out: lane i goes round i + 1 times
    uint32_t mask = 0;
    for (uint32_t i = 0; i <= lane->lane; i++) mask = services(lane).active_mask(lane);
    pointer<uint32_t>(lane, 0)[lane->lane] = mask;
}

static void locked_increment(Lane* lane, uint32_t& lock, uint64_t& counter) {
    uint32_t expected = 0;
    while (!atomic(lock).compare_exchange_strong(expected, 1, std::memory_order_acquire)) {
        expected = 0;
        services(lane).spin(lane);
    }
    const uint64_t before = *const_cast<volatile uint64_t*>(&counter);
    services(lane).nanosleep(lane, 10); // invites the others in
    *const_cast<volatile uint64_t*>(&counter) = before + 1;
    atomic(lock).store(0, std::memory_order_release);
}

FIBERS(lock_counter) { // counters, one for each block; the lock lies in shared memory
    auto& lock = *reinterpret_cast<uint32_t*>(lane->shared);
    if (thread_index(lane) == 0) lock = 0;
    services(lane).barrier_sync(lane, 0, 0);
    for (int i = 0; i < 3; i++) locked_increment(lane, lock, pointer<uint64_t>(lane, 0)[block_index(lane)]);
}

FIBERS(lock_counter_global) { // lock, counter
    locked_increment(lane, *pointer<uint32_t>(lane, 0), *pointer<uint64_t>(lane, 1));
}

FIBERS(wait_for_lane) { // out: every lane waits for the next one, the last is free
    auto& flag = *reinterpret_cast<uint32_t*>(lane->shared);
    const uint32_t me = thread_index(lane), n = threads(lane);
    if (me == 0) flag = n;
    services(lane).barrier_sync(lane, 0, 0);
    while (atomic(flag).load() != me + 1) services(lane).spin(lane);
    atomic(flag).store(me);
    pointer<uint32_t>(lane, 0)[global_index(lane)] = me + 1;
}

static void wait_for_previous(Lane* lane) { // sums
    uint64_t* sums = pointer<uint64_t>(lane, 0);
    const uint64_t me = block_index(lane);
    uint64_t before = 0;
    if (me)
        while (!(before = atomic(sums[me - 1]).load(std::memory_order_acquire))) services(lane).spin(lane);
    atomic(sums[me]).store(before + me + 1, std::memory_order_release);
}

FIBERS(look_back) {
    if (thread_index(lane) == 0) wait_for_previous(lane);
    services(lane).barrier_sync(lane, 0, 0);
}

WHOLE(look_back_whole) {
    if (thread_index(lane) == 0) wait_for_previous(lane);
}

FIBERS(own_grid_barrier) { // arrived, out, rounds
    uint64_t& arrived = *pointer<uint64_t>(lane, 0);
    for (uint64_t round = 1; round <= parameter(lane, 2); round++) {
        services(lane).barrier_sync(lane, 0, 0);
        if (thread_index(lane) == 0) {
            atomic(arrived).fetch_add(1);
            while (atomic(arrived).load() < round * blocks(lane)) services(lane).spin(lane);
        }
        services(lane).barrier_sync(lane, 0, 0);
    }
    pointer<uint64_t>(lane, 1)[global_index(lane)] = atomic(arrived).load();
}

FIBERS(grid_barrier) { // values, out, rounds
    uint32_t* values = pointer<uint32_t>(lane, 0);
    const uint64_t me = global_index(lane), n = blocks(lane) * threads(lane);
    values[me] = uint32_t(me);
    for (uint64_t round = 0; round < parameter(lane, 2); round++) {
        services(lane).grid_sync(lane);
        const uint32_t next = values[(me + threads(lane)) % n];
        services(lane).grid_sync(lane);
        values[me] = next;
    }
    pointer<uint32_t>(lane, 1)[me] = values[me];
}

/// counter, out: odd blocks leave at once, and so does every third thread
static void leave_or_meet(Lane* lane) {
    if (lane->block[0] & 1) return;
    if (thread_index(lane) % 3 == 0) return;
    atomic(*pointer<uint64_t>(lane, 0)).fetch_add(1);
    services(lane).grid_sync(lane);
    pointer<uint64_t>(lane, 1)[global_index(lane)] = atomic(*pointer<uint64_t>(lane, 0)).load();
}

FIBERS(grid_barrier_exits) { leave_or_meet(lane); }
FIBERS(cluster_grid_barrier_exits) { leave_or_meet(lane); }

FIBERS(workspace_barrier) { // values, out: what nvcc makes of cooperative_groups::grid_group::sync
    uint32_t* values = pointer<uint32_t>(lane, 0);
    const uint64_t me = global_index(lane), n = blocks(lane) * threads(lane);
    values[me] = uint32_t(me) + 1;
    if (!lane->grid->workspace) services(lane).trap(lane, 0);
    services(lane).barrier_sync(lane, 0, 0);
    if (thread_index(lane) == 0) {
        auto& word = *reinterpret_cast<uint32_t*>(lane->grid->workspace + 4);
        const uint32_t add = block_index(lane) == 0 ? 0x80000000u - uint32_t(blocks(lane) - 1) : 1;
        const uint32_t old = atomic(word).fetch_add(add);
        while (((atomic(word).load() ^ old) & 0x80000000u) == 0) services(lane).spin(lane);
    }
    services(lane).barrier_sync(lane, 0, 0);
    pointer<uint32_t>(lane, 1)[me] = values[n - 1 - me];
}

WHOLE(wait_for_flag) { // flag, out
    while (!atomic(*pointer<uint32_t>(lane, 0)).load(std::memory_order_acquire)) services(lane).spin(lane);
    *pointer<uint32_t>(lane, 1) = 1;
}

WHOLE(set_flag) { atomic(*pointer<uint32_t>(lane, 0)).store(1, std::memory_order_release); }

WHOLE(read_address) { // address, out, which thread does it
    if (global_index(lane) == parameter(lane, 2)) *pointer<uint32_t>(lane, 1) = *pointer<volatile uint32_t>(lane, 0);
}

FIBERS(read_address_fibers) { // address, out, which thread does it
    services(lane).barrier_sync(lane, 0, 0);
    if (global_index(lane) == parameter(lane, 2)) *pointer<uint32_t>(lane, 1) = *pointer<volatile uint32_t>(lane, 0);
    services(lane).barrier_sync(lane, 0, 0);
}

__attribute__((noinline)) static uint64_t recurse(uint64_t depth) {
    volatile uint64_t frame[32];
    frame[depth % 32] = depth;
    return depth ? recurse(depth - 1) + frame[depth % 32] : 0;
}

FIBERS(overflow_stack) {
    services(lane).barrier_sync(lane, 0, 0);
    *pointer<uint64_t>(lane, 0) = recurse(1 << 30);
}
WHOLE(overflow_stack_whole) { *pointer<uint64_t>(lane, 0) = recurse(1 << 30); }
FIBERS(deep_stack) { // out, depth
    services(lane).barrier_sync(lane, 0, 0);
    pointer<uint64_t>(lane, 0)[thread_index(lane)] = recurse(parameter(lane, 1));
}

WHOLE(traps) {
    if (global_index(lane) == parameter(lane, 0)) services(lane).trap(lane, uint32_t(Trap::trap));
}
FIBERS(trap_fibers) {
    if (global_index(lane) == parameter(lane, 0)) services(lane).trap(lane, uint32_t(Trap::trap));
    services(lane).barrier_sync(lane, 0, 0);
}
WHOLE(illegal_instruction) {
    (void)lane;
    asm volatile("ud2");
}
WHOLE(divides_by_zero) { // out, divisor
    *pointer<uint64_t>(lane, 0) =
        17 / *const_cast<volatile const uint64_t*>(static_cast<const uint64_t*>(lane->grid->parameters) + 1);
}

FIBERS(stuck_at_barrier) { // half a warp waits for the other at a barrier, the other for it in a shuffle
    if (lane->lane < 16)
        services(lane).barrier_sync(lane, 0, 0);
    else
        services(lane).shuffle(lane, uint32_t(Shuffle::idx), 0, 0, 31, ~0u);
}
FIBERS(wrong_barrier) { services(lane).barrier_sync(lane, 16, 0); }

WHOLE(asserts) {
    if (thread_index(lane) == 1) services(lane).assertfail(lane, "x > 0", "file.cu", 12, "void k(int)", 1);
}

WHOLE(prints) {
    *pointer<int32_t>(lane, 0) =
        services(lane).vprintf(lane, pointer<const char>(lane, 1), pointer<const void>(lane, 2));
}

WHOLE(prints_index) { // prints "line <index>\n", padded so that a record has 100 characters
    uint64_t arguments[1] = {global_index(lane)};
    services(lane).vprintf(lane, "line %-94lld\n", arguments);
}

WHOLE(allocates) { // out addresses, bytes
    auto* memory = static_cast<uint32_t*>(services(lane).malloc(lane, parameter(lane, 1)));
    pointer<uint64_t>(lane, 0)[global_index(lane)] = reinterpret_cast<uint64_t>(memory);
    if (memory) *memory = uint32_t(global_index(lane));
}

WHOLE(frees) { // addresses, out
    auto* memory = reinterpret_cast<uint32_t*>(pointer<uint64_t>(lane, 0)[global_index(lane)]);
    if (memory) pointer<uint32_t>(lane, 1)[global_index(lane)] = *memory;
    services(lane).free(lane, memory);
}

WHOLE(frees_twice) {
    void* memory = services(lane).malloc(lane, 32);
    services(lane).free(lane, memory);
    services(lane).free(lane, memory);
}

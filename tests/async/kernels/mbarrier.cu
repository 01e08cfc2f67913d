#include "kernel.h"

// Everything that one thread can see of a barrier of three arrivals going through its phases.
CASE(counts) {
    __shared__ uint64_t bar;
    uint32_t* out = WORDS(a);
    mbar_init(&bar, 3);
    int n = 0;
    for (int round = 0; round < 7; round++) {
        const uint64_t state = mbar_arrive(&bar);
        out[n++] = mbar_pending(state);
        out[n++] = mbar_test(&bar, state);
        out[n++] = mbar_test_parity(&bar, 0) | mbar_test_parity(&bar, 1) << 1;
    }
}

CASE(parities) {
    __shared__ uint64_t bar;
    uint32_t* out = WORDS(a);
    mbar_init(&bar, 1);
    for (int i = 0; i < 5; i++) {
        out[i] = mbar_test_parity(&bar, 0) | mbar_test_parity(&bar, 1) << 1 | mbar_try_parity(&bar, i & 1 ^ 1) << 2;
        mbar_arrive(&bar);
    }
}

CASE(arrive_count) {
    __shared__ uint64_t bar;
    uint32_t* out = WORDS(a);
    mbar_init(&bar, 10);
    uint64_t s;
    asm volatile("mbarrier.arrive.shared.b64 %0, [%1], 4;" : "=l"(s) : "r"(smem(&bar)) : "memory");
    out[0] = mbar_pending(s);
    asm volatile("mbarrier.arrive.noComplete.shared.b64 %0, [%1], 3;" : "=l"(s) : "r"(smem(&bar)) : "memory");
    out[1] = mbar_pending(s);
    out[2] = mbar_test(&bar, s);
    asm volatile("mbarrier.arrive.release.cta.shared::cta.b64 %0, [%1], 3;" : "=l"(s) : "r"(smem(&bar)) : "memory");
    out[3] = mbar_pending(s);
    out[4] = mbar_test(&bar, s);
    s = mbar_arrive(&bar);
    out[5] = mbar_pending(s);
    out[6] = mbar_test(&bar, s);
}

CASE(drop) {
    __shared__ uint64_t bar;
    uint32_t* out = WORDS(a);
    mbar_init(&bar, 4);
    uint64_t s;
    int n = 0;
    asm volatile("mbarrier.arrive_drop.shared.b64 %0, [%1];" : "=l"(s) : "r"(smem(&bar)) : "memory");
    out[n++] = mbar_pending(s);
    asm volatile("mbarrier.arrive_drop.noComplete.shared.b64 %0, [%1], 2;" : "=l"(s) : "r"(smem(&bar)) : "memory");
    out[n++] = mbar_pending(s);
    for (int i = 0; i < 3; i++) {
        s = mbar_arrive(&bar);
        out[n++] = mbar_pending(s);
        out[n++] = mbar_test(&bar, s);
    }
    asm volatile("mbarrier.arrive_drop.expect_tx.shared.b64 %0, [%1], 0;" : "=l"(s) : "r"(smem(&bar)) : "memory");
    out[n++] = mbar_pending(s);
    out[n++] = mbar_test(&bar, s);
}

CASE(transactions) {
    __shared__ uint64_t bar;
    uint32_t* out = WORDS(a);
    mbar_init(&bar, 1);
    int n = 0;
    uint64_t s = mbar_arrive_tx(&bar, 256);
    out[n++] = mbar_pending(s);
    out[n++] = mbar_test(&bar, s);
    for (int i = 0; i < 4; i++) {
        asm volatile("mbarrier.complete_tx.relaxed.cta.shared::cta.b64 [%0], %1;" ::"r"(smem(&bar)), "r"(64) : "memory");
        out[n++] = mbar_test(&bar, s);
    }
    mbar_expect(&bar, 48);
    s = mbar_arrive(&bar);
    out[n++] = mbar_test(&bar, s);
    asm volatile("mbarrier.complete_tx.shared::cta.b64 [%0], %1;" ::"r"(smem(&bar)), "r"(48) : "memory");
    out[n++] = mbar_test(&bar, s);
    // Completed before it is expected: the count goes below zero for a while.
    asm volatile("mbarrier.complete_tx.shared::cta.b64 [%0], %1;" ::"r"(smem(&bar)), "r"(32) : "memory");
    s = mbar_arrive(&bar);
    out[n++] = mbar_test(&bar, s);
    mbar_expect(&bar, 32);
    out[n++] = mbar_test(&bar, s);
}

CASE(generic_address) {
    __shared__ uint64_t bar;
    uint32_t* out = WORDS(a);
    uint64_t s;
    uint32_t r;
    asm volatile("mbarrier.init.b64 [%0], %1;" ::"l"(&bar), "r"(2) : "memory");
    asm volatile("mbarrier.arrive.b64 %0, [%1];" : "=l"(s) : "l"(&bar) : "memory");
    out[0] = mbar_pending(s);
    asm volatile("mbarrier.arrive.b64 _, [%0];" ::"l"(&bar) : "memory");
    asm volatile("{ .reg .pred p; mbarrier.try_wait.b64 p, [%1], %2, 100; selp.u32 %0, 1, 0, p; }" : "=r"(r) : "l"(&bar), "l"(s) : "memory");
    out[1] = r;
    asm volatile("mbarrier.inval.b64 [%0];" ::"l"(&bar) : "memory");
    asm volatile("mbarrier.init.b64 [%0], %1;" ::"l"(&bar), "r"(1) : "memory");
    out[2] = mbar_test_parity(&bar, 1);
}

CASE(limits) {
    __shared__ uint64_t bar;
    uint32_t* out = WORDS(a);
    mbar_init(&bar, (1 << 20) - 1);
    uint64_t s = mbar_arrive(&bar);
    out[0] = mbar_pending(s);
    mbar_init(&bar, 1);
    s = mbar_arrive_tx(&bar, (1 << 20) - 1);
    out[1] = mbar_test(&bar, s);
    asm volatile("mbarrier.complete_tx.shared::cta.b64 [%0], %1;" ::"r"(smem(&bar)), "r"((1 << 20) - 1) : "memory");
    out[2] = mbar_test(&bar, s);
    out[3] = mbar_pending(s);
}

// A barrier of all threads, many phases: everyone's partial sums cross over through shared memory.
CASE(phases) {
    __shared__ uint64_t bar;
    __shared__ uint32_t value[256];
    const uint32_t t = threadIdx.x;
    if (t == 0) mbar_init(&bar, blockDim.x);
    __syncthreads();
    uint32_t v = t * 2654435761u;
    for (int i = 0; i < 20; i++) {
        value[t] = v;
        mbar_arrive(&bar);
        mbar_wait(&bar, 0);
        v = v * 31 + value[(t + i + 1) % blockDim.x];
        mbar_arrive(&bar);
        mbar_wait(&bar, 1);
    }
    WORDS(a)[t] = v;
}

// One warp produces into a ring of four slots, the others consume.
CASE(producer_consumer) {
    __shared__ uint64_t full[4], empty[4];
    __shared__ uint32_t ring[4][32];
    const uint32_t t = threadIdx.x, lane = t % 32, warp = t / 32, consumers = blockDim.x - 32;
    if (t == 0)
        for (int i = 0; i < 4; i++) mbar_init(&full[i], 32), mbar_init(&empty[i], consumers);
    __syncthreads();
    const uint32_t* in = reinterpret_cast<const uint32_t*>(a.in);
    uint32_t sum = 0;
    for (int i = 0; i < 37; i++) {
        const int slot = i % 4;
        const uint32_t parity = i / 4 & 1;
        if (warp == 0) {
            mbar_wait(&empty[slot], parity ^ 1);
            ring[slot][lane] = in[i * 32 + lane];
            mbar_arrive(&full[slot]);
        } else {
            mbar_wait(&full[slot], parity);
            sum = sum * 33 + ring[slot][(lane * warp + i) % 32];
            mbar_arrive(&empty[slot]);
        }
    }
    WORDS(a)[t] = sum;
}

// cp.async and the barrier: an arrival that the copies make, counted (noinc) or not.
CASE(cp_async_arrive) {
    __shared__ uint64_t bar;
    __shared__ alignas(16) uint32_t buffer[256];
    const uint32_t t = threadIdx.x;
    const bool noinc = a.c[0];
    if (t == 0) mbar_init(&bar, blockDim.x);
    __syncthreads();
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(smem(&buffer[t])), "l"(a.in + 4 * t) : "memory");
    if (noinc) {
        asm volatile("cp.async.mbarrier.arrive.noinc.shared.b64 [%0];" ::"r"(smem(&bar)) : "memory");
    } else {
        asm volatile("cp.async.mbarrier.arrive.shared.b64 [%0];" ::"r"(smem(&bar)) : "memory");
        mbar_arrive(&bar);
    }
    mbar_wait(&bar, 0);
    WORDS(a)[t] = buffer[(t + 77) % blockDim.x];
}

CASE(cp_async_generic) {
    __shared__ uint64_t bar;
    __shared__ alignas(16) uint32_t buffer[128 * 4];
    const uint32_t t = threadIdx.x;
    if (t == 0) mbar_init(&bar, blockDim.x);
    __syncthreads();
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(smem(&buffer[4 * t])), "l"(a.in + 16 * t) : "memory");
    asm volatile("cp.async.mbarrier.arrive.noinc.b64 [%0];" ::"l"(&bar) : "memory");
    uint32_t r;
    do {
        asm volatile("{ .reg .pred p; mbarrier.try_wait.parity.b64 p, [%1], 0; selp.u32 %0, 1, 0, p; }" : "=r"(r) : "l"(&bar) : "memory");
    } while (!r);
    for (int i = 0; i < 4; i++) WORDS(a)[4 * t + i] = buffer[(4 * t + i + 130) % 512];
}

// A thread that leaves takes its arrival with it.
CASE(dropping_out) {
    __shared__ uint64_t bar;
    __shared__ uint32_t count;
    const uint32_t t = threadIdx.x;
    if (t == 0) mbar_init(&bar, blockDim.x), count = 0;
    __syncthreads();
    for (uint32_t round = 0; round < 7; round++) {
        atomicAdd(&count, 1u);
        if (t % 8 == round) {
            uint64_t s;
            asm volatile("mbarrier.arrive_drop.shared.b64 %0, [%1];" : "=l"(s) : "r"(smem(&bar)) : "memory");
            return;
        }
        mbar_arrive(&bar);
        mbar_wait(&bar, 0);
        if (t == blockDim.x - 1) WORDS(a)[round] = *(volatile uint32_t*)&count;
        mbar_arrive(&bar);
        mbar_wait(&bar, 1);
    }
}

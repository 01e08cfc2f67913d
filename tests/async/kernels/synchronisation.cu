// Barriers of a CTA in their corners, elected lanes, fences, and what orders nothing here but must be accepted.
#include "kernel.h"

CASE(elect) {
    const uint32_t t = threadIdx.x;
    uint32_t leader = 99, elected = 99, mask = a.c[0];
    if (mask >> (t % 32) & 1)
        asm volatile("{ .reg .pred p; elect.sync %0|p, %2; selp.u32 %1, 1, 0, p; }" : "=r"(leader), "=r"(elected) : "r"(mask));
    WORDS(a)[2 * t] = leader, WORDS(a)[2 * t + 1] = elected;
}

// Producers arrive, consumers sync: barrier 3 of 96 threads, 64 of which do not wait.
CASE(arrive_and_sync) {
    __shared__ uint32_t box[64];
    const uint32_t t = threadIdx.x;
    uint32_t sum = 0;
    for (int i = 0; i < 5; i++) {
        if (t < 64) {
            asm volatile("barrier.cta.sync 4, 96;" ::: "memory");
            box[t] = t * 10 + i;
            asm volatile("barrier.cta.arrive 3, 96;" ::: "memory");
        } else {
            asm volatile("barrier.cta.arrive 4, 96;\n barrier.cta.sync 3, 96;" ::: "memory");
            for (int k = 0; k < 64; k++) sum = sum * 3 + box[k];
        }
    }
    WORDS(a)[t] = sum;
}

CASE(reductions) {
    const uint32_t t = threadIdx.x;
    uint32_t popc, all, any, most;
    asm volatile("{ .reg .pred p; setp.lt.u32 p, %1, 77; barrier.red.popc.u32 %0, 1, p; }" : "=r"(popc) : "r"(t));
    asm volatile("{ .reg .pred p, q; setp.lt.u32 p, %1, 77; bar.red.and.pred q, 1, p; selp.u32 %0, 1, 0, q; }" : "=r"(all) : "r"(t));
    asm volatile("{ .reg .pred p, q; setp.eq.u32 p, %1, 77; barrier.cta.red.or.pred q, 15, p; selp.u32 %0, 1, 0, q; }" : "=r"(any) : "r"(t));
    asm volatile("{ .reg .pred p, q; setp.lt.u32 p, %1, 5; barrier.cta.red.and.aligned.pred q, 0, %2, !p; selp.u32 %0, 1, 0, q; }" : "=r"(most) : "r"(t + 5), "r"(blockDim.x));
    WORDS(a)[t] = popc | all << 16 | any << 17 | most << 18;
}

// Half of the warps leave early; those that stay still meet.
CASE(some_exit) {
    __shared__ uint32_t count;
    const uint32_t t = threadIdx.x;
    if (t == 0) count = 0;
    __syncthreads();
    if (t / 32 & 1) return;
    atomicAdd(&count, 1u);
    __syncthreads();
    WORDS(a)[t] = count;
}

CASE(two_halves) {
    __shared__ uint32_t box[128];
    const uint32_t t = threadIdx.x, half = t / 64;
    uint32_t v = t;
    for (int i = 0; i < 6 + int(half) * 5; i++) {
        box[t] = v;
        asm volatile("barrier.sync.aligned %0, 64;" ::"r"(half + 1) : "memory");
        v = v * 7 + box[half * 64 + (t + i) % 64];
        asm volatile("barrier.sync.aligned %0, 64;" ::"r"(half + 1) : "memory");
    }
    WORDS(a)[t] = v;
}

#define FENCE(text) asm volatile(text ";" ::: "memory");
CASE(fences) {
    FENCE("fence.sc.cta") FENCE("fence.sc.cluster") FENCE("fence.sc.gpu") FENCE("fence.sc.sys")
    FENCE("fence.acq_rel.cta") FENCE("fence.acq_rel.cluster") FENCE("fence.acq_rel.gpu") FENCE("fence.acq_rel.sys")
    FENCE("fence.acquire.cta") FENCE("fence.release.gpu") FENCE("fence.cta") FENCE("fence.sys")
    FENCE("membar.cta") FENCE("membar.gl") FENCE("membar.sys") FENCE("membar.proxy.alias")
    FENCE("fence.proxy.alias") FENCE("fence.proxy.async") FENCE("fence.proxy.async.global")
    FENCE("fence.proxy.async.shared::cta") FENCE("fence.proxy.async.shared::cluster")
    FENCE("fence.mbarrier_init.release.cluster")
    FENCE("fence.acquire.sync_restrict::shared::cluster.cluster") FENCE("fence.release.sync_restrict::shared::cta.cluster")
    FENCE("fence.proxy.async::generic.acquire.sync_restrict::shared::cluster.cluster")
    FENCE("fence.proxy.async::generic.release.sync_restrict::shared::cta.cluster")
    FENCE("fence.proxy.tensormap::generic.release.cta") FENCE("fence.proxy.tensormap::generic.release.sys")
    asm volatile("fence.proxy.tensormap::generic.acquire.gpu [%0], 128;" ::"l"(a.in) : "memory");
    WORDS(a)[threadIdx.x] = threadIdx.x;
}

CASE(waiting) {
    FENCE("griddepcontrol.wait") FENCE("griddepcontrol.launch_dependents") FENCE("nanosleep.u32 20")
    asm volatile("nanosleep.u32 %0;" ::"r"(threadIdx.x));
    FENCE("pmevent 1")
    WORDS(a)[threadIdx.x] = threadIdx.x;
}

// redux over half warps, whose masks the two halves give.
#define REDUX(name, op)                                                                                               \
    CASE(redux_##name) {                                                                                              \
        const uint32_t t = threadIdx.x, mask = t % 32 < 16 ? 0xffff : 0xffff0000;                                     \
        uint32_t v, w = reinterpret_cast<const uint32_t*>(a.in)[t];                                                   \
        if (t % 32 < 16)                                                                                              \
            asm volatile("redux.sync." op " %0, %1, %2;" : "=r"(v) : "r"(w), "r"(mask));                              \
        else                                                                                                          \
            asm volatile("redux.sync." op " %0, %1, %2;" : "=r"(v) : "r"(w * 5), "r"(mask));                          \
        WORDS(a)[t] = v;                                                                                              \
    }
REDUX(add_u32, "add.u32")
REDUX(add_s32, "add.s32")
REDUX(min_u32, "min.u32")
REDUX(max_u32, "max.u32")
REDUX(min_s32, "min.s32")
REDUX(max_s32, "max.s32")
REDUX(and_b32, "and.b32")
REDUX(or_b32, "or.b32")
REDUX(xor_b32, "xor.b32")

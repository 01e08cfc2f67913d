#include "kernel.h"
#include <cuda_bf16.h>
#include <cuda_fp16.h>

__device__ inline void load_bulk(void* to, const void* from, uint32_t bytes, uint64_t* bar) {
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(smem(to)),
                 "l"(from), "r"(bytes), "r"(smem(bar)) : "memory");
}
__device__ inline void store_bulk(void* to, const void* from, uint32_t bytes) {
    asm volatile("cp.async.bulk.global.shared::cta.bulk_group [%0], [%1], %2;" ::"l"(to), "r"(smem(from)), "r"(bytes) : "memory");
}

// c[0] bytes from in + c[1] to out by way of shared memory.
CASE(round_trip) {
    extern __shared__ __align__(128) uint8_t buffer[];
    __shared__ uint64_t bar;
    if (threadIdx.x == 0) {
        mbar_init(&bar, 1);
        asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
        mbar_arrive_tx(&bar, a.c[0]);
        load_bulk(buffer, a.in + a.c[1], a.c[0], &bar);
    }
    __syncthreads();
    mbar_wait(&bar, 0);
    if (threadIdx.x == 0) {
        store_bulk(a.out, buffer, a.c[0]);
        commit();
        asm volatile("cp.async.bulk.wait_group.read 0;" ::: "memory");
        wait_all();
    }
}

// Four stages of a ring, copies ahead of use.
CASE(pipeline) {
    __shared__ alignas(128) uint32_t ring[4][256];
    __shared__ uint64_t bar[4];
    const uint32_t t = threadIdx.x;
    if (t == 0) {
        for (int i = 0; i < 4; i++) mbar_init(&bar[i], 1);
        fence_init();
    }
    __syncthreads();
    uint32_t sum = 0;
    if (t == 0)
        for (int i = 0; i < 4; i++) mbar_arrive_tx(&bar[i], 1024), load_bulk(ring[i], a.in + 1024 * i, 1024, &bar[i]);
    for (int i = 0; i < 19; i++) {
        mbar_wait(&bar[i % 4], i / 4 & 1);
        sum = sum * 17 + ring[i % 4][(t * 7 + i) % 256];
        __syncthreads();
        if (t == 0 && i + 4 < 19) mbar_arrive_tx(&bar[i % 4], 1024), load_bulk(ring[i % 4], a.in + 1024 * (i + 4), 1024, &bar[i % 4]);
    }
    WORDS(a)[t] = sum;
}

CASE(groups) {
    __shared__ alignas(128) uint32_t buffer[4][32];
    const uint32_t t = threadIdx.x;
    for (int i = 0; i < 4; i++) buffer[i][t] = t * 100 + i;
    fence_async();
    __syncthreads();
    if (t == 0) {
        for (int i = 0; i < 4; i++) {
            store_bulk(a.out + 128 * i, buffer[i], 128);
            commit();
        }
        asm volatile("cp.async.bulk.wait_group 2;" ::: "memory");
        asm volatile("cp.async.bulk.wait_group.read 1;" ::: "memory");
        wait_all();
    }
}

CASE(prefetch) {
    asm volatile("cp.async.bulk.prefetch.L2.global [%0], %1;" ::"l"(a.in), "r"(4096) : "memory");
    WORDS(a)[threadIdx.x] = reinterpret_cast<const uint32_t*>(a.in)[threadIdx.x];
}

// To the shared memory of the next CTA of the cluster, whose barrier learns of it.
CASE(to_neighbour) {
    __shared__ alignas(128) uint32_t from[64], to[64];
    __shared__ uint64_t bar;
    const uint32_t t = threadIdx.x, rank = ctarank();
    from[t] = rank * 1000 + t, to[t] = 0;
    if (t == 0) {
        mbar_init(&bar, 1);
        fence_init();
        mbar_arrive_tx(&bar, 256);
    }
    fence_async();
    __syncthreads();
    cluster_sync();
    if (t == 0) {
        const uint32_t peer = (rank + 1) % 4;
        asm volatile("cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(
                         mapa(smem(to), peer)), "r"(smem(from)), "r"(256), "r"(mapa(smem(&bar), peer)) : "memory");
    }
    mbar_wait_cluster(&bar, 0);
    WORDS(a)[blockIdx.x * 64 + t] = to[t];
    cluster_sync();
}

// Rank 0 sends to the CTAs of the mask c[0].
CASE(multicast) {
    __shared__ alignas(128) uint32_t to[64];
    __shared__ uint64_t bar;
    const uint32_t t = threadIdx.x, rank = ctarank();
    const bool member = a.c[0] >> rank & 1;
    to[t] = 7;
    if (t == 0) {
        mbar_init(&bar, 1);
        fence_init();
        if (member) mbar_arrive_tx(&bar, 256);
    }
    fence_async();
    __syncthreads();
    cluster_sync();
    if (t == 0 && rank == 0)
        asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%0], [%1], %2, [%3], %4;" ::"r"(
                         smem(to)), "l"(a.in), "r"(256), "r"(smem(&bar)), "h"(uint16_t(a.c[0])) : "memory");
    if (member) mbar_wait_cluster(&bar, 0);
    WORDS(a)[blockIdx.x * 64 + t] = to[t];
    cluster_sync();
}

CASE(cache_hint) {
    __shared__ alignas(128) uint32_t buffer[64];
    __shared__ uint64_t bar;
    uint64_t policy;
    asm volatile("createpolicy.fractional.L2::evict_first.b64 %0, 1.0;" : "=l"(policy));
    if (threadIdx.x == 0) {
        mbar_init(&bar, 1);
        mbar_arrive_tx(&bar, 256);
        fence_async();
        asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint [%0], [%1], %2, [%3], %4;" ::"r"(
                         smem(buffer)), "l"(a.in), "r"(256), "r"(smem(&bar)), "l"(policy) : "memory");
    }
    __syncthreads();
    mbar_wait(&bar, 0);
    if (threadIdx.x == 0) {
        asm volatile("cp.async.bulk.global.shared::cta.bulk_group.L2::cache_hint [%0], [%1], %2, %3;" ::"l"(a.out),
                     "r"(smem(buffer)), "r"(256), "l"(policy) : "memory");
        commit();
        wait_all();
    }
}

// Values that suit each type: small, no NaN.
template <class T> __device__ T value_of(uint32_t i) { return T(i * 2654435761u); }
template <> __device__ float value_of(uint32_t i) { return float(int(i * 2654435761u >> 20) - 2048) * 0.37f; }
template <> __device__ double value_of(uint32_t i) { return double(int(i * 2654435761u >> 12)) * -0.1; }
template <> __device__ __half value_of(uint32_t i) { return __half(float(int(i * 2654435761u >> 24) - 128) * 0.3f); }
template <> __device__ __nv_bfloat16 value_of(uint32_t i) { return __nv_bfloat16(float(int(i * 2654435761u >> 24) - 128) * 0.3f); }

#define REDUCE_GLOBAL(name, T, op)                                                                                    \
    CASE(reduce_##name) {                                                                                             \
        __shared__ alignas(128) T buffer[64];                                                                         \
        const uint32_t t = threadIdx.x;                                                                               \
        buffer[t] = value_of<T>(t + 5);                                                                               \
        reinterpret_cast<T*>(a.out)[t] = value_of<T>(3 * t + 1);                                                      \
        __threadfence();                                                                                              \
        fence_async();                                                                                                \
        __syncthreads();                                                                                              \
        if (t == 0) {                                                                                                 \
            asm volatile("cp.reduce.async.bulk.global.shared::cta.bulk_group." op " [%0], [%1], %2;" ::"l"(a.out),    \
                         "r"(smem(buffer)), "r"(uint32_t(sizeof buffer)) : "memory");                                 \
            commit();                                                                                                 \
            wait_all();                                                                                               \
        }                                                                                                             \
    }
REDUCE_GLOBAL(and_b32, uint32_t, "and.b32")
REDUCE_GLOBAL(or_b32, uint32_t, "or.b32")
REDUCE_GLOBAL(xor_b32, uint32_t, "xor.b32")
REDUCE_GLOBAL(and_b64, uint64_t, "and.b64")
REDUCE_GLOBAL(or_b64, uint64_t, "or.b64")
REDUCE_GLOBAL(xor_b64, uint64_t, "xor.b64")
REDUCE_GLOBAL(add_u32, uint32_t, "add.u32")
REDUCE_GLOBAL(add_s32, int32_t, "add.s32")
REDUCE_GLOBAL(add_u64, uint64_t, "add.u64")
REDUCE_GLOBAL(inc_u32, uint32_t, "inc.u32")
REDUCE_GLOBAL(dec_u32, uint32_t, "dec.u32")
REDUCE_GLOBAL(min_u32, uint32_t, "min.u32")
REDUCE_GLOBAL(max_u32, uint32_t, "max.u32")
REDUCE_GLOBAL(min_s32, int32_t, "min.s32")
REDUCE_GLOBAL(max_s32, int32_t, "max.s32")
REDUCE_GLOBAL(min_u64, uint64_t, "min.u64")
REDUCE_GLOBAL(max_u64, uint64_t, "max.u64")
REDUCE_GLOBAL(min_s64, int64_t, "min.s64")
REDUCE_GLOBAL(max_s64, int64_t, "max.s64")
REDUCE_GLOBAL(add_f32, float, "add.f32")
REDUCE_GLOBAL(add_f64, double, "add.f64")
REDUCE_GLOBAL(add_f16, __half, "add.noftz.f16")
REDUCE_GLOBAL(min_f16, __half, "min.f16")
REDUCE_GLOBAL(max_f16, __half, "max.f16")
REDUCE_GLOBAL(add_bf16, __nv_bfloat16, "add.noftz.bf16")
REDUCE_GLOBAL(min_bf16, __nv_bfloat16, "min.bf16")
REDUCE_GLOBAL(max_bf16, __nv_bfloat16, "max.bf16")

// Denormal sums: what add.f32 makes of them.
CASE(reduce_denormals) {
    __shared__ alignas(128) uint32_t buffer[4];
    if (threadIdx.x == 0) {
        const uint32_t x[4] = {0x00000001, 0x00400000, 0x80000003, 0x00800000}, y[4] = {0x00000001, 0x00300000, 0x00000000, 0x80400000};
        for (int i = 0; i < 4; i++) buffer[i] = x[i], WORDS(a)[i] = y[i];
        __threadfence();
        fence_async();
        asm volatile("cp.reduce.async.bulk.global.shared::cta.bulk_group.add.f32 [%0], [%1], 16;" ::"l"(a.out), "r"(smem(buffer)) : "memory");
        commit();
        wait_all();
    }
}

#define REDUCE_SHARED(name, T, op)                                                                                    \
    CASE(reduce_shared_##name) {                                                                                      \
        __shared__ alignas(128) T from[32], to[32];                                                                   \
        __shared__ uint64_t bar;                                                                                      \
        const uint32_t t = threadIdx.x, rank = ctarank();                                                             \
        from[t] = value_of<T>(t + 5 + rank), to[t] = value_of<T>(3 * t + 1);                                          \
        if (t == 0) {                                                                                                 \
            mbar_init(&bar, 1);                                                                                       \
            fence_init();                                                                                             \
            mbar_arrive_tx(&bar, sizeof to);                                                                          \
        }                                                                                                             \
        fence_async();                                                                                                \
        __syncthreads();                                                                                              \
        cluster_sync();                                                                                               \
        if (t == 0)                                                                                                   \
            asm volatile("cp.reduce.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes." op          \
                         " [%0], [%1], %2, [%3];" ::"r"(mapa(smem(to), rank ^ 1)), "r"(smem(from)),                   \
                         "r"(uint32_t(sizeof from)), "r"(mapa(smem(&bar), rank ^ 1)) : "memory");                     \
        mbar_wait_cluster(&bar, 0);                                                                                   \
        reinterpret_cast<T*>(a.out)[blockIdx.x * 32 + t] = to[t];                                                     \
        cluster_sync();                                                                                               \
    }
REDUCE_SHARED(and_b32, uint32_t, "and.b32")
REDUCE_SHARED(or_b32, uint32_t, "or.b32")
REDUCE_SHARED(xor_b32, uint32_t, "xor.b32")
REDUCE_SHARED(add_u32, uint32_t, "add.u32")
REDUCE_SHARED(add_s32, int32_t, "add.s32")
REDUCE_SHARED(add_u64, uint64_t, "add.u64")
REDUCE_SHARED(inc_u32, uint32_t, "inc.u32")
REDUCE_SHARED(dec_u32, uint32_t, "dec.u32")
REDUCE_SHARED(min_u32, uint32_t, "min.u32")
REDUCE_SHARED(max_u32, uint32_t, "max.u32")
REDUCE_SHARED(min_s32, int32_t, "min.s32")
REDUCE_SHARED(max_s32, int32_t, "max.s32")

#include "kernel.h"

#define SREG(name) ([] { uint32_t r; asm volatile("mov.u32 %0, %%" name ";" : "=r"(r)); return r; }())

CASE(registers) {
    uint32_t explicit_;
    asm volatile("{ .reg .pred p; mov.pred p, %%is_explicit_cluster; selp.u32 %0, 1, 0, p; }" : "=r"(explicit_));
    const uint32_t block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
    uint32_t* out = WORDS(a) + 16 * block;
    out[0] = SREG("cluster_ctaid.x"), out[1] = SREG("cluster_ctaid.y"), out[2] = SREG("cluster_ctaid.z");
    out[3] = SREG("cluster_nctaid.x"), out[4] = SREG("cluster_nctaid.y"), out[5] = SREG("cluster_nctaid.z");
    out[6] = SREG("cluster_ctarank"), out[7] = SREG("cluster_nctarank");
    out[8] = SREG("clusterid.x"), out[9] = SREG("clusterid.y"), out[10] = SREG("clusterid.z");
    out[11] = SREG("nclusterid.x"), out[12] = SREG("nclusterid.y"), out[13] = SREG("nclusterid.z");
    out[14] = explicit_, out[15] = block;
}

// Shared addresses: own, mapped, and the ranks that they name. The lower bits only, the variable's place is free.
CASE(addresses) {
    __shared__ uint32_t value[4];
    const uint32_t own = smem(value);
    uint32_t* out = WORDS(a) + 8 * blockIdx.x;
    uint32_t r, is_cta, is_cluster;
    uint64_t generic = uint64_t(value), other;
    cluster_sync();
    if (threadIdx.x) return;
    out[0] = (own >> 24);
    out[1] = mapa(own, 0) >> 24, out[2] = mapa(own, 1) >> 24;
    asm volatile("getctarank.shared::cluster.u32 %0, %1;" : "=r"(r) : "r"(mapa(own, 1)));
    out[3] = r;
    asm volatile("mapa.u64 %0, %1, %2;" : "=l"(other) : "l"(generic), "r"(1));
    asm volatile("getctarank.u64 %0, %1;" : "=r"(r) : "l"(other));
    out[4] = r;
    asm volatile("{ .reg .pred p; isspacep.shared::cta p, %1; selp.u32 %0, 1, 0, p; }" : "=r"(is_cta) : "l"(other));
    asm volatile("{ .reg .pred p; isspacep.shared::cluster p, %1; selp.u32 %0, 1, 0, p; }" : "=r"(is_cluster) : "l"(other));
    out[5] = is_cta | is_cluster << 1;
    asm volatile("{ .reg .pred p; isspacep.shared::cta p, %1; selp.u32 %0, 1, 0, p; }" : "=r"(is_cta) : "l"(generic));
    asm volatile("{ .reg .pred p; isspacep.shared::cluster p, %1; selp.u32 %0, 1, 0, p; }" : "=r"(is_cluster) : "l"(generic));
    out[6] = is_cta | is_cluster << 1;
    asm volatile("{ .reg .pred p; isspacep.shared p, %1; selp.u32 %0, 1, 0, p; }" : "=r"(is_cta) : "l"(other));
    out[7] = is_cta | uint32_t(other - generic == (uint64_t(1) << 24) || other == generic) << 1;
}

// Reads and writes of a neighbour's shared memory, by shared and by generic addresses.
CASE(neighbours) {
    __shared__ uint32_t mine[64];
    const uint32_t t = threadIdx.x, rank = ctarank(), size = SREG("cluster_nctarank");
    mine[t] = blockIdx.x * 1000 + t;
    cluster_sync();
    uint32_t v, w;
    asm volatile("ld.shared::cluster.u32 %0, [%1];" : "=r"(v) : "r"(mapa(smem(&mine[63 - t]), (rank + 1) % size)) : "memory");
    uint64_t p;
    asm volatile("mapa.u64 %0, %1, %2;" : "=l"(p) : "l"(&mine[t]), "r"((rank + size - 1) % size));
    w = *reinterpret_cast<volatile uint32_t*>(p);
    cluster_sync();
    asm volatile("st.shared::cluster.u32 [%0], %1;" ::"r"(mapa(smem(&mine[t ^ 1]), (rank + 1) % size)), "r"(v ^ w << 16) : "memory");
    cluster_sync();
    WORDS(a)[blockIdx.x * 64 + t] = mine[t];
}

// A shared::cluster address means the same in every CTA of the cluster.
CASE(passed_address) {
    __shared__ uint32_t value, address;
    const uint32_t rank = ctarank(), size = SREG("cluster_nctarank");
    if (threadIdx.x == 0) value = 100 + rank;
    cluster_sync();
    if (threadIdx.x == 0)
        asm volatile("st.shared::cluster.u32 [%0], %1;" ::"r"(mapa(smem(&address), (rank + 1) % size)), "r"(mapa(smem(&value), rank)) : "memory");
    cluster_sync();
    uint32_t v;
    asm volatile("ld.shared::cluster.u32 %0, [%1];" : "=r"(v) : "r"(address) : "memory");
    if (threadIdx.x == 0) WORDS(a)[blockIdx.x] = v;
    cluster_sync();
}

// A histogram whose bins lie spread over the CTAs of a cluster.
CASE(histogram) {
    __shared__ uint32_t bins[64];
    const uint32_t t = threadIdx.x, rank = ctarank(), size = SREG("cluster_nctarank");
    if (t < 64) bins[t] = 0;
    cluster_sync();
    for (uint32_t i = blockIdx.x * blockDim.x + t; i < 16384; i += gridDim.x * blockDim.x) {
        const uint32_t bin = a.in[i] % (64 * size);
        uint32_t old;
        if (i & 1)
            asm volatile("atom.relaxed.cluster.shared::cluster.add.u32 %0, [%1], 1;" : "=r"(old) : "r"(mapa(smem(&bins[bin % 64]), bin / 64)) : "memory");
        else
            asm volatile("red.relaxed.cluster.shared::cluster.add.u32 [%0], 1;" ::"r"(mapa(smem(&bins[bin % 64]), bin / 64)) : "memory");
    }
    cluster_sync();
    if (t < 64) WORDS(a)[blockIdx.x * 64 + t] = bins[t];
}

// Generic atomics on a neighbour's memory, of cluster and of gpu scope.
CASE(generic_atomics) {
    __shared__ uint32_t sum, biggest;
    __shared__ unsigned long long wide;
    const uint32_t t = threadIdx.x, rank = ctarank(), size = SREG("cluster_nctarank");
    if (t == 0) sum = 0, biggest = 0, wide = 0;
    cluster_sync();
    for (uint32_t r = 0; r < size; r++) {
        uint64_t p, q, w;
        asm volatile("mapa.u64 %0, %1, %2;" : "=l"(p) : "l"(&sum), "r"(r));
        asm volatile("mapa.u64 %0, %1, %2;" : "=l"(q) : "l"(&biggest), "r"(r));
        asm volatile("mapa.u64 %0, %1, %2;" : "=l"(w) : "l"(&wide), "r"(r));
        asm volatile("red.relaxed.cluster.add.u32 [%0], %1;" ::"l"(p), "r"(t + rank) : "memory");
        atomicMax(reinterpret_cast<uint32_t*>(q), t * 3 + rank * 7);
        atomicAdd(reinterpret_cast<unsigned long long*>(w), 1ull << 32 | t);
    }
    cluster_sync();
    uint32_t* out = WORDS(a) + 4 * blockIdx.x;
    if (t == 0) out[0] = sum, out[1] = biggest, out[2] = uint32_t(wide), out[3] = uint32_t(wide >> 32);
}

// The barrier's variants, many times.
CASE(barriers) {
    __shared__ uint32_t token;
    const uint32_t t = threadIdx.x, rank = ctarank(), size = SREG("cluster_nctarank");
    if (t == 0) token = rank;
    uint32_t v = 0;
    for (int i = 0; i < 12; i++) {
        switch (i % 4) {
        case 0:
            asm volatile("barrier.cluster.arrive;\n barrier.cluster.wait;" ::: "memory");
            break;
        case 1:
            asm volatile("barrier.cluster.arrive.release;\n barrier.cluster.wait.acquire;" ::: "memory");
            break;
        case 2:
            asm volatile("fence.acq_rel.cluster;\n barrier.cluster.arrive.relaxed;\n barrier.cluster.wait;" ::: "memory");
            break;
        case 3:
            cluster_sync();
            break;
        }
        if (t == 0) asm volatile("ld.shared::cluster.u32 %0, [%1];" : "=r"(v) : "r"(mapa(smem(&token), (rank + 1) % size)) : "memory");
        cluster_sync();
        if (t == 0) token = v * 5 + rank;
    }
    if (t == 0) WORDS(a)[blockIdx.x] = token;
    cluster_sync();
}

// Threads that have exited are not waited for.
CASE(exited) {
    __shared__ uint32_t count;
    const uint32_t t = threadIdx.x, rank = ctarank();
    if (t == 0) count = 0;
    cluster_sync();
    if (t >= 32 && rank == 1) return;
    asm volatile("red.relaxed.cluster.shared::cluster.add.u32 [%0], 1;" ::"r"(mapa(smem(&count), 0)) : "memory");
    asm volatile("barrier.cluster.arrive;\n barrier.cluster.wait;" ::: "memory");
    if (t == 0) WORDS(a)[blockIdx.x] = rank == 0 ? count : 1;
}

// Arrivals at another CTA's barrier.
CASE(remote_arrive) {
    __shared__ uint64_t bar;
    __shared__ uint32_t value[128];
    const uint32_t t = threadIdx.x, rank = ctarank(), size = SREG("cluster_nctarank");
    if (t == 0) mbar_init(&bar, 32 * size), fence_init();
    cluster_sync();
    const uint32_t target = rank == 0 ? size - 1 : rank - 1;
    for (uint32_t r = 0; r < size; r++) {
        asm volatile("st.shared::cluster.u32 [%0], %1;" ::"r"(mapa(smem(&value[rank * 32 + t]), r)), "r"(rank * 100 + t) : "memory");
        if ((t + target) & 1)
            asm volatile("mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%0];" ::"r"(mapa(smem(&bar), r)) : "memory");
        else
            asm volatile("mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%0], 1;" ::"r"(mapa(smem(&bar), r)) : "memory");
    }
    mbar_wait_cluster(&bar, 0);
    uint32_t sum = 0;
    for (uint32_t i = 0; i < 32 * size; i++) sum = sum * 3 + value[i];
    WORDS(a)[blockIdx.x * 32 + t] = sum + t;
    cluster_sync();
}

// Operations on a peer's barrier one by one: c[0] says which.
CASE(remote_operation) {
    __shared__ uint64_t bar;
    const uint32_t t = threadIdx.x, rank = ctarank(), size = SREG("cluster_nctarank");
    const uint32_t peer = mapa(smem(&bar), (rank + 1) % size);
    if (t == 0) mbar_init(&bar, 2), fence_init();
    cluster_sync();
    if (t == 0) {
        switch (a.c[0]) {
        case 0:
            asm volatile("mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%0], 2;" ::"r"(peer) : "memory");
            break;
        case 1:
            asm volatile("mbarrier.arrive.expect_tx.release.cluster.shared::cluster.b64 _, [%0], 0;" ::"r"(peer) : "memory");
            asm volatile("mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%0];" ::"r"(peer) : "memory");
            break;
        case 2:
            asm volatile("mbarrier.arrive_drop.release.cluster.shared::cluster.b64 _, [%0];" ::"r"(peer) : "memory");
            asm volatile("mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%0];" ::"r"(peer) : "memory");
            break;
        case 3:
            asm volatile("mbarrier.expect_tx.relaxed.cluster.shared::cluster.b64 [%0], 64;" ::"r"(peer) : "memory");
            asm volatile("mbarrier.complete_tx.relaxed.cluster.shared::cluster.b64 [%0], 64;" ::"r"(peer) : "memory");
            asm volatile("mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%0], 2;" ::"r"(peer) : "memory");
            break;
        case 4:
            asm volatile("mbarrier.arrive.expect_tx.release.cluster.shared::cluster.b64 _, [%0], 64;" ::"r"(peer) : "memory");
            asm volatile("mbarrier.complete_tx.relaxed.cluster.shared::cluster.b64 [%0], 64;" ::"r"(peer) : "memory");
            asm volatile("mbarrier.arrive_drop.expect_tx.release.cluster.shared::cluster.b64 _, [%0], 0;" ::"r"(peer) : "memory");
            break;
        case 5:
            mbar_arrive(&bar), mbar_arrive(&bar);
            break;
        }
    }
    mbar_wait_cluster(&bar, 0);
    WORDS(a)[blockIdx.x * 32 + t] = mbar_test_parity(&bar, 1) | mbar_test_parity(&bar, 0) << 1;
    cluster_sync();
}

// st.async in its widths.
CASE(st_async) {
    __shared__ uint64_t bar;
    __shared__ alignas(16) uint32_t value[64];
    const uint32_t t = threadIdx.x, rank = ctarank(), peer = rank ^ 1;
    if (t == 0) mbar_init(&bar, 1), fence_init(), mbar_arrive_tx(&bar, 4 + 8 + 8 + 16 + 16 + 4);
    value[t] = value[t + 32] = 0xbad;
    cluster_sync();
    const uint32_t b = mapa(smem(&bar), peer), to = mapa(smem(value), peer);
    if (t == 0) {
        asm volatile("st.async.shared::cluster.mbarrier::complete_tx::bytes.b32 [%0], %1, [%2];" ::"r"(to), "r"(rank + 1), "r"(b) : "memory");
        asm volatile("st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.s64 [%0], %1, [%2];" ::"r"(to + 8), "l"(0x123456789abcdefll + rank), "r"(b) : "memory");
        asm volatile("st.async.shared::cluster.mbarrier::complete_tx::bytes.v2.f32 [%0], {%1, %2}, [%3];" ::"r"(to + 16), "f"(1.5f), "f"(2.5f + rank), "r"(b) : "memory");
        asm volatile("st.async.shared::cluster.mbarrier::complete_tx::bytes.v4.b32 [%0], {%1, %2, %3, %4}, [%5];" ::"r"(to + 32), "r"(9), "r"(8), "r"(7), "r"(6 + rank), "r"(b) : "memory");
        asm volatile("st.async.shared::cluster.mbarrier::complete_tx::bytes.v2.u64 [%0], {%1, %2}, [%3];" ::"r"(to + 48), "l"(5ll), "l"(4ll + rank), "r"(b) : "memory");
        asm volatile("st.async.shared::cluster.mbarrier::complete_tx::bytes.f32 [%0], %1, [%2];" ::"r"(to + 4), "f"(0.5f), "r"(b) : "memory");
    }
    mbar_wait_cluster(&bar, 0);
    WORDS(a)[blockIdx.x * 64 + t] = value[t];
    WORDS(a)[blockIdx.x * 64 + t + 32] = value[t + 32];
    cluster_sync();
}

#define RED_ASYNC(name, T, C, op, bytes)                                                                              \
    CASE(red_async_##name) {                                                                                          \
        __shared__ uint64_t bar;                                                                                      \
        __shared__ T value[4];                                                                                        \
        const uint32_t t = threadIdx.x, rank = ctarank(), peer = rank ^ 1;                                            \
        if (t == 0) mbar_init(&bar, 1), fence_init(), mbar_arrive_tx(&bar, 32 * bytes);                               \
        if (t < 4) value[t] = T(0x5555 + 77 * rank + t);                                                              \
        cluster_sync();                                                                                               \
        asm volatile("red.async.relaxed.cluster.shared::cluster.mbarrier::complete_tx::bytes." op " [%0], %1, [%2];" ::"r"( \
                         mapa(smem(&value[t % 4]), peer)), C(T(t * 0x1357 + rank)), "r"(mapa(smem(&bar), peer)) : "memory"); \
        mbar_wait_cluster(&bar, 0);                                                                                   \
        if (t < 4) reinterpret_cast<uint64_t*>(a.out)[blockIdx.x * 4 + t] = uint64_t(value[t]);                       \
        cluster_sync();                                                                                               \
    }
RED_ASYNC(inc, uint32_t, "r", "inc.u32", 4)
RED_ASYNC(dec, uint32_t, "r", "dec.u32", 4)
RED_ASYNC(min_u32, uint32_t, "r", "min.u32", 4)
RED_ASYNC(max_u32, uint32_t, "r", "max.u32", 4)
RED_ASYNC(min_s32, int32_t, "r", "min.s32", 4)
RED_ASYNC(max_s32, int32_t, "r", "max.s32", 4)
RED_ASYNC(add_u32, uint32_t, "r", "add.u32", 4)
RED_ASYNC(add_s32, int32_t, "r", "add.s32", 4)
RED_ASYNC(add_u64, uint64_t, "l", "add.u64", 8)
RED_ASYNC(and_b32, uint32_t, "r", "and.b32", 4)
RED_ASYNC(or_b32, uint32_t, "r", "or.b32", 4)
RED_ASYNC(xor_b32, uint32_t, "r", "xor.b32", 4)

// The kernel itself asks for clusters of two.
extern "C" __global__ void __cluster_dims__(2, 1, 1) required(const __grid_constant__ CUtensorMap map, Arguments a) {
    cluster_sync();
    if (threadIdx.x == 0) WORDS(a)[blockIdx.x] = SREG("cluster_nctarank") * 100 + ctarank();
}

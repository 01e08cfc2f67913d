#pragma once
// What the kernels of this folder share: their arguments (run_cases.cpp) and the instructions they are about.
#include <cstdint>
#include <cuda.h>

struct Arguments {
    const uint8_t* in;
    uint8_t* out;
    int32_t c[12];
};

#define CASE(name)                                                                                                     \
    extern "C" __global__ void name([[maybe_unused]] const __grid_constant__ CUtensorMap map, Arguments a)
#define WORDS(a) reinterpret_cast<uint32_t*>(a.out)

__device__ inline uint32_t smem(const void* p) { return uint32_t(__cvta_generic_to_shared(p)); }
__device__ inline uint32_t ctarank() {
    uint32_t r;
    asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(r));
    return r;
}
__device__ inline uint32_t mapa(uint32_t address, uint32_t rank) {
    uint32_t r;
    asm volatile("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(r) : "r"(address), "r"(rank));
    return r;
}
__device__ inline void cluster_sync() {
    asm volatile("barrier.cluster.arrive.release.aligned;\n barrier.cluster.wait.acquire.aligned;" ::: "memory");
}
__device__ inline void mbar_init(uint64_t* bar, uint32_t count) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(smem(bar)), "r"(count) : "memory");
}
__device__ inline uint64_t mbar_arrive(uint64_t* bar) {
    uint64_t s;
    asm volatile("mbarrier.arrive.shared::cta.b64 %0, [%1];" : "=l"(s) : "r"(smem(bar)) : "memory");
    return s;
}
__device__ inline uint64_t mbar_arrive_tx(uint64_t* bar, uint32_t bytes) {
    uint64_t s;
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 %0, [%1], %2;"
                 : "=l"(s)
                 : "r"(smem(bar)), "r"(bytes)
                 : "memory");
    return s;
}
__device__ inline void mbar_expect(uint64_t* bar, uint32_t bytes) {
    asm volatile("mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [%0], %1;" ::"r"(smem(bar)), "r"(bytes) : "memory");
}
__device__ inline uint32_t mbar_test(uint64_t* bar, uint64_t state) {
    uint32_t r;
    asm volatile("{ .reg .pred p; mbarrier.test_wait.shared::cta.b64 p, [%1], %2; selp.u32 %0, 1, 0, p; }"
                 : "=r"(r)
                 : "r"(smem(bar)), "l"(state)
                 : "memory");
    return r;
}
__device__ inline uint32_t mbar_test_parity(uint64_t* bar, uint32_t parity) {
    uint32_t r;
    asm volatile("{ .reg .pred p; mbarrier.test_wait.parity.shared::cta.b64 p, [%1], %2; selp.u32 %0, 1, 0, p; }"
                 : "=r"(r)
                 : "r"(smem(bar)), "r"(parity)
                 : "memory");
    return r;
}
__device__ inline uint32_t mbar_try_parity(uint64_t* bar, uint32_t parity) {
    uint32_t r;
    asm volatile("{ .reg .pred p; mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2; selp.u32 %0, 1, 0, p; }"
                 : "=r"(r)
                 : "r"(smem(bar)), "r"(parity)
                 : "memory");
    return r;
}
__device__ inline void mbar_wait(uint64_t* bar, uint32_t parity) {
    while (!mbar_try_parity(bar, parity)) {
    }
}
/// Gives up in time: a wrong number of bytes must not hang the device.
__device__ inline bool mbar_wait_a_while(uint64_t* bar, uint32_t parity) {
    for (int i = 0; i < 200000; i++)
        if (mbar_test_parity(bar, parity)) return true;
    return false;
}
__device__ inline void mbar_wait_cluster(uint64_t* bar, uint32_t parity) {
    uint32_t r;
    do {
        asm volatile("{ .reg .pred p; mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 p, [%1], %2; selp.u32 "
                     "%0, 1, 0, p; }"
                     : "=r"(r)
                     : "r"(smem(bar)), "r"(parity)
                     : "memory");
    } while (!r);
}
__device__ inline uint32_t mbar_pending(uint64_t state) {
    uint32_t r;
    asm volatile("mbarrier.pending_count.b64 %0, %1;" : "=r"(r) : "l"(state));
    return r;
}
__device__ inline void fence_init() { asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory"); }
__device__ inline void fence_async() { asm volatile("fence.proxy.async;" ::: "memory"); }
__device__ inline void commit() { asm volatile("cp.async.bulk.commit_group;" ::: "memory"); }
__device__ inline void wait_all() { asm volatile("cp.async.bulk.wait_group 0;" ::: "memory"); }

#include "kernel.h"

// Loads of tiles whose size is not given: what arrives is counted. c[0..4]: coordinates, c[5]: bytes of shared memory that
// are stored, behind them how many bytes the barrier heard of, c[6..8]: offsets of im2col.
__device__ inline uint8_t* tile_memory() {
    extern __shared__ __align__(1024) uint8_t tile[];
    return tile;
}

__device__ inline uint64_t nanoseconds() {
    uint64_t t;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(t)::"memory");
    return t;
}

__device__ inline void prepare(uint8_t* tile, uint64_t* bar, uint32_t bytes) {
    for (uint32_t i = threadIdx.x; i < bytes; i += blockDim.x) tile[i] = 0x5a;
    if (threadIdx.x == 0) {
        mbar_init(bar, 1);
        fence_init();
    }
    fence_async();
    __syncthreads();
    if (threadIdx.x == 0) mbar_arrive_tx(bar, bytes + 16); // more than arrives
}

__device__ inline void finish(const Arguments& a, const uint8_t* tile, uint64_t* bar, uint32_t bytes) {
    if (threadIdx.x == 0) {
        uint32_t missing = 0;
        for (const uint64_t begin = nanoseconds(); nanoseconds() < begin + 200000;) {
        }
        for (; !mbar_test_parity(bar, 0) && missing < bytes + 16; missing += 16)
            asm volatile("mbarrier.complete_tx.shared::cta.b64 [%0], 16;" ::"r"(smem(bar)) : "memory");
        WORDS(a)[bytes / 4] = bytes + 16 - missing;
    }
    __syncthreads();
    for (uint32_t i = threadIdx.x; i < bytes; i += blockDim.x) a.out[i] = tile[i];
}

#define LOAD(name, dim, mode, coordinates, tail, ...)                                                                 \
    CASE(name) {                                                                                                      \
        __shared__ uint64_t bar;                                                                                      \
        uint8_t* tile = tile_memory();                                                                                \
        prepare(tile, &bar, a.c[5]);                                                                                  \
        if (threadIdx.x == 0)                                                                                         \
            asm volatile("cp.async.bulk.tensor." dim ".shared::cluster.global" mode                                   \
                         ".mbarrier::complete_tx::bytes [%0], [%1, " coordinates "], [%2]" tail ";" ::"r"(smem(tile)), \
                         "l"(&map), "r"(smem(&bar)), __VA_ARGS__ : "memory");                                         \
        finish(a, tile, &bar, a.c[5]);                                                                                \
    }
LOAD(counted_2d, "2d", "", "{%3, %4}", "", "r"(a.c[0]), "r"(a.c[1]))
LOAD(counted_3d, "3d", "", "{%3, %4, %5}", "", "r"(a.c[0]), "r"(a.c[1]), "r"(a.c[2]))
LOAD(counted_4d, "4d", "", "{%3, %4, %5, %6}", "", "r"(a.c[0]), "r"(a.c[1]), "r"(a.c[2]), "r"(a.c[3]))
LOAD(counted_5d, "5d", "", "{%3, %4, %5, %6, %7}", "", "r"(a.c[0]), "r"(a.c[1]), "r"(a.c[2]), "r"(a.c[3]), "r"(a.c[4]))
LOAD(counted_im2col_3d, "3d", ".im2col", "{%3, %4, %5}", ", {%6}", "r"(a.c[0]), "r"(a.c[1]), "r"(a.c[2]),
     "h"(uint16_t(a.c[6])))
LOAD(counted_im2col_4d, "4d", ".im2col", "{%3, %4, %5, %6}", ", {%7, %8}", "r"(a.c[0]), "r"(a.c[1]), "r"(a.c[2]),
     "r"(a.c[3]), "h"(uint16_t(a.c[6])), "h"(uint16_t(a.c[7])))
LOAD(counted_im2col_5d, "5d", ".im2col", "{%3, %4, %5, %6, %7}", ", {%8, %9, %10}", "r"(a.c[0]), "r"(a.c[1]),
     "r"(a.c[2]), "r"(a.c[3]), "r"(a.c[4]), "h"(uint16_t(a.c[6])), "h"(uint16_t(a.c[7])), "h"(uint16_t(a.c[8])))

// Stores: the tile is as long as shared memory is.
#define STORE(name, dim, mode, coordinates, ...)                                                                      \
    CASE(name) {                                                                                                      \
        uint8_t* tile = tile_memory();                                                                                \
        for (uint32_t i = threadIdx.x; i < a.c[5] / 4; i += blockDim.x)                                               \
            reinterpret_cast<uint32_t*>(tile)[i] = i * 0x01030107u + 0x10;                                            \
        fence_async();                                                                                                \
        __syncthreads();                                                                                              \
        if (threadIdx.x == 0) {                                                                                       \
            asm volatile("cp.async.bulk.tensor." dim ".global.shared::cta" mode ".bulk_group [%1, " coordinates       \
                         "], [%0];" ::"r"(smem(tile)), "l"(&map), __VA_ARGS__ : "memory");                            \
            commit();                                                                                                 \
            wait_all();                                                                                               \
        }                                                                                                             \
    }
STORE(store_3d, "3d", "", "{%2, %3, %4}", "r"(a.c[0]), "r"(a.c[1]), "r"(a.c[2]))
STORE(store_4d, "4d", "", "{%2, %3, %4, %5}", "r"(a.c[0]), "r"(a.c[1]), "r"(a.c[2]), "r"(a.c[3]))
STORE(store_5d, "5d", "", "{%2, %3, %4, %5, %6}", "r"(a.c[0]), "r"(a.c[1]), "r"(a.c[2]), "r"(a.c[3]), "r"(a.c[4]))
STORE(store_im2col_4d, "4d", ".im2col_no_offs", "{%2, %3, %4, %5}", "r"(a.c[0]), "r"(a.c[1]), "r"(a.c[2]), "r"(a.c[3]))

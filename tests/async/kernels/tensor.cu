#include "kernel.h"

// c[0..4]: coordinates, c[5]: bytes of the box, c[6..8]: offsets of im2col.
__device__ inline uint8_t* tile_memory() {
    extern __shared__ __align__(1024) uint8_t tile[];
    return tile;
}

__device__ inline void prepare(uint8_t* tile, uint64_t* bar, uint32_t bytes) {
    for (uint32_t i = threadIdx.x; i < bytes; i += blockDim.x) tile[i] = 0x5a;
    if (threadIdx.x == 0) {
        mbar_init(bar, 1);
        fence_init();
    }
    fence_async();
    __syncthreads();
    if (threadIdx.x == 0) mbar_arrive_tx(bar, bytes);
}

__device__ inline void finish(const Arguments& a, const uint8_t* tile, uint64_t* bar, uint32_t bytes) {
    __syncthreads();
    if (!mbar_wait_a_while(bar, 0)) return;
    for (uint32_t i = threadIdx.x; i < bytes; i += blockDim.x) a.out[i] = tile[i];
}

#define LOAD(name, dim, mode, coordinates, tail, ...)                                                                 \
    CASE(name) {                                                                                                      \
        __shared__ uint64_t bar;                                                                                      \
        uint8_t* tile = tile_memory();                                                                                \
        prepare(tile, &bar, a.c[5]);                                                                                  \
        if (threadIdx.x == 0) {                                                                                       \
            asm volatile("prefetch.tensormap [%0];" ::"l"(&map) : "memory");                                          \
            asm volatile("cp.async.bulk.tensor." dim ".shared::cluster.global" mode                                   \
                         ".mbarrier::complete_tx::bytes [%0], [%1, " coordinates "], [%2]" tail ";" ::"r"(smem(tile)), \
                         "l"(&map), "r"(smem(&bar)), __VA_ARGS__ : "memory");                                         \
        }                                                                                                             \
        finish(a, tile, &bar, a.c[5]);                                                                                \
    }
LOAD(load_1d, "1d", "", "{%3}", "", "r"(a.c[0]))
LOAD(load_2d, "2d", ".tile", "{%3, %4}", "", "r"(a.c[0]), "r"(a.c[1]))
LOAD(load_3d, "3d", "", "{%3, %4, %5}", "", "r"(a.c[0]), "r"(a.c[1]), "r"(a.c[2]))
LOAD(load_4d, "4d", "", "{%3, %4, %5, %6}", "", "r"(a.c[0]), "r"(a.c[1]), "r"(a.c[2]), "r"(a.c[3]))
LOAD(load_5d, "5d", "", "{%3, %4, %5, %6, %7}", "", "r"(a.c[0]), "r"(a.c[1]), "r"(a.c[2]), "r"(a.c[3]), "r"(a.c[4]))
LOAD(im2col_3d, "3d", ".im2col", "{%3, %4, %5}", ", {%6}", "r"(a.c[0]), "r"(a.c[1]), "r"(a.c[2]), "h"(uint16_t(a.c[6])))
LOAD(im2col_4d, "4d", ".im2col", "{%3, %4, %5, %6}", ", {%7, %8}", "r"(a.c[0]), "r"(a.c[1]), "r"(a.c[2]), "r"(a.c[3]),
     "h"(uint16_t(a.c[6])), "h"(uint16_t(a.c[7])))
LOAD(im2col_5d, "5d", ".im2col", "{%3, %4, %5, %6, %7}", ", {%8, %9, %10}", "r"(a.c[0]), "r"(a.c[1]), "r"(a.c[2]),
     "r"(a.c[3]), "r"(a.c[4]), "h"(uint16_t(a.c[6])), "h"(uint16_t(a.c[7])), "h"(uint16_t(a.c[8])))

// The tensor is c[6..9], written by the kernel before it is loaded.
CASE(load_1d_words) {
    __shared__ uint64_t bar;
    uint8_t* tile = tile_memory();
    if (threadIdx.x < 4) WORDS(a)[1024 + threadIdx.x] = a.c[6 + threadIdx.x];
    __threadfence();
    prepare(tile, &bar, 16);
    if (threadIdx.x == 0)
        asm volatile("cp.async.bulk.tensor.1d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3}], [%2];" ::"r"(smem(tile)),
                     "l"(&map), "r"(smem(&bar)), "r"(0) : "memory");
    finish(a, tile, &bar, 16);
}

// c[9] bytes into the tile: what swizzling makes of a tile that is not aligned to its pattern.
CASE(load_2d_shifted) {
    __shared__ uint64_t bar;
    uint8_t* tile = tile_memory();
    prepare(tile, &bar, a.c[5] + a.c[9]);
    if (threadIdx.x == 0) {
        asm volatile("mbarrier.complete_tx.shared::cta.b64 [%0], %1;" ::"r"(smem(&bar)), "r"(a.c[9]) : "memory");
        asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4}], [%2];" ::"r"(
                         smem(tile + a.c[9])), "l"(&map), "r"(smem(&bar)), "r"(a.c[0]), "r"(a.c[1]) : "memory");
    }
    finish(a, tile, &bar, a.c[5] + a.c[9]);
}

CASE(load_2d_multicast) {
    __shared__ uint64_t bar;
    uint8_t* tile = tile_memory();
    prepare(tile, &bar, a.c[5]);
    cluster_sync();
    if (threadIdx.x == 0 && ctarank() == 1)
        asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.multicast::cluster [%0], [%1, {%3, %4}], [%2], %5;" ::"r"(
                         smem(tile)), "l"(&map), "r"(smem(&bar)), "r"(a.c[0]), "r"(a.c[1]), "h"(uint16_t(3)) : "memory");
    a.out += blockIdx.x * a.c[5];
    finish(a, tile, &bar, a.c[5]);
    cluster_sync();
}

__device__ inline void fill(uint8_t* tile, uint32_t bytes) {
    for (uint32_t i = threadIdx.x; i < bytes / 4; i += blockDim.x) reinterpret_cast<uint32_t*>(tile)[i] = i * 0x01030107u + 0x10;
    fence_async();
    __syncthreads();
}

#define STORE(name, dim, instruction, mode, coordinates, ...)                                                         \
    CASE(name) {                                                                                                      \
        uint8_t* tile = tile_memory();                                                                                \
        fill(tile, a.c[5]);                                                                                           \
        if (threadIdx.x == 0) {                                                                                       \
            asm volatile(instruction "." dim ".global.shared::cta" mode ".bulk_group [%1, " coordinates "], [%0];" ::"r"(smem(tile)), \
                         "l"(&map), __VA_ARGS__ : "memory");                                                          \
            commit();                                                                                                 \
            wait_all();                                                                                               \
        }                                                                                                             \
    }
STORE(store_1d, "1d", "cp.async.bulk.tensor", "", "{%2}", "r"(a.c[0]))
STORE(store_2d, "2d", "cp.async.bulk.tensor", ".tile", "{%2, %3}", "r"(a.c[0]), "r"(a.c[1]))
STORE(store_3d, "3d", "cp.async.bulk.tensor", "", "{%2, %3, %4}", "r"(a.c[0]), "r"(a.c[1]), "r"(a.c[2]))
STORE(store_4d, "4d", "cp.async.bulk.tensor", "", "{%2, %3, %4, %5}", "r"(a.c[0]), "r"(a.c[1]), "r"(a.c[2]), "r"(a.c[3]))
STORE(store_5d, "5d", "cp.async.bulk.tensor", "", "{%2, %3, %4, %5, %6}", "r"(a.c[0]), "r"(a.c[1]), "r"(a.c[2]), "r"(a.c[3]), "r"(a.c[4]))
STORE(store_im2col_4d, "4d", "cp.async.bulk.tensor", ".im2col_no_offs", "{%2, %3, %4, %5}", "r"(a.c[0]), "r"(a.c[1]), "r"(a.c[2]), "r"(a.c[3]))
STORE(reduce_2d_add, "2d", "cp.reduce.async.bulk.tensor", ".add.tile", "{%2, %3}", "r"(a.c[0]), "r"(a.c[1]))
STORE(reduce_2d_min, "2d", "cp.reduce.async.bulk.tensor", ".min.tile", "{%2, %3}", "r"(a.c[0]), "r"(a.c[1]))
STORE(reduce_2d_max, "2d", "cp.reduce.async.bulk.tensor", ".max", "{%2, %3}", "r"(a.c[0]), "r"(a.c[1]))
STORE(reduce_2d_inc, "2d", "cp.reduce.async.bulk.tensor", ".inc", "{%2, %3}", "r"(a.c[0]), "r"(a.c[1]))
STORE(reduce_2d_dec, "2d", "cp.reduce.async.bulk.tensor", ".dec", "{%2, %3}", "r"(a.c[0]), "r"(a.c[1]))
STORE(reduce_2d_and, "2d", "cp.reduce.async.bulk.tensor", ".and", "{%2, %3}", "r"(a.c[0]), "r"(a.c[1]))
STORE(reduce_2d_or, "2d", "cp.reduce.async.bulk.tensor", ".or", "{%2, %3}", "r"(a.c[0]), "r"(a.c[1]))
STORE(reduce_2d_xor, "2d", "cp.reduce.async.bulk.tensor", ".xor", "{%2, %3}", "r"(a.c[0]), "r"(a.c[1]))

CASE(prefetch_2d) {
    asm volatile("cp.async.bulk.prefetch.tensor.2d.L2.global.tile [%0, {%1, %2}];" ::"l"(&map), "r"(a.c[0]), "r"(a.c[1]) : "memory");
    if (threadIdx.x < 4) WORDS(a)[threadIdx.x] = threadIdx.x;
}

// The map lies in global memory, behind the first 64 KiB of out, where the kernel copies it.
CASE(load_2d_global_map) {
    __shared__ uint64_t bar;
    uint8_t* tile = tile_memory();
    uint64_t* copy = reinterpret_cast<uint64_t*>(a.out + 65536);
    if (threadIdx.x < 16) copy[threadIdx.x] = reinterpret_cast<const uint64_t*>(&map)[threadIdx.x];
    __threadfence_system();
    __syncthreads();
    prepare(tile, &bar, a.c[5]);
    if (threadIdx.x == 0) {
        asm volatile("fence.proxy.tensormap::generic.release.gpu;" ::: "memory");
        asm volatile("fence.proxy.tensormap::generic.acquire.gpu [%0], 128;" ::"l"(copy) : "memory");
        asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4}], [%2];" ::"r"(
                         smem(tile)), "l"(copy), "r"(smem(&bar)), "r"(a.c[0]), "r"(a.c[1]) : "memory");
    }
    finish(a, tile, &bar, a.c[5]);
}

// tensormap.replace, for sm_90a: a map made over in shared memory field by field, sent to global memory and used.
#include "kernel.h"

__device__ inline void send(uint64_t* copy, uint64_t* shared) {
    asm volatile("tensormap.cp_fenceproxy.global.shared::cta.tensormap::generic.release.gpu.sync.aligned [%0], [%1], 128;" ::"l"(copy), "r"(smem(shared)) : "memory");
}

#define REPLACE(field, type, constraint, value)                                                                       \
    asm volatile("tensormap.replace.tile." field ".shared::cta.b1024." type " [%0], %1;" ::"r"(smem(work)), constraint(value) : "memory")
#define REPLACE_AT(field, at, type, constraint, value)                                                                \
    asm volatile("tensormap.replace.tile." field ".shared::cta.b1024." type " [%0], " at ", %1;" ::"r"(smem(work)), constraint(value) : "memory")
#define REPLACE_ENUM(field, value)                                                                                    \
    asm volatile("tensormap.replace.tile." field ".shared::cta.b1024.b32 [%0], " value ";" ::"r"(smem(work)) : "memory")

#define REPLACED(name, ...)                                                                                           \
    CASE(name) {                                                                                                      \
        extern __shared__ __align__(1024) uint8_t tile[];                                                             \
        __shared__ alignas(128) uint64_t work[16];                                                                    \
        __shared__ uint64_t bar;                                                                                      \
        uint64_t* copy = reinterpret_cast<uint64_t*>(a.out + 65536);                                                  \
        if (threadIdx.x < 16) work[threadIdx.x] = reinterpret_cast<const uint64_t*>(&map)[threadIdx.x];               \
        for (int i = threadIdx.x; i < a.c[5]; i += blockDim.x) tile[i] = 0x5a;                                        \
        if (threadIdx.x == 0) mbar_init(&bar, 1), fence_init();                                                       \
        fence_async();                                                                                                \
        __syncthreads();                                                                                              \
        if (threadIdx.x == 0) {                                                                                       \
            mbar_arrive_tx(&bar, a.c[5]);                                                                             \
            __VA_ARGS__                                                                                               \
        }                                                                                                             \
        __syncwarp();                                                                                                 \
        send(copy, work);                                                                                             \
        if (threadIdx.x == 0) {                                                                                       \
            asm volatile("fence.proxy.tensormap::generic.acquire.gpu [%0], 128;" ::"l"(copy) : "memory");             \
            asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4}], [%2];" ::"r"( \
                             smem(tile)), "l"(copy), "r"(smem(&bar)), "r"(a.c[0]), "r"(a.c[1]) : "memory");           \
        }                                                                                                             \
        __syncwarp();                                                                                                 \
        if (!mbar_wait_a_while(&bar, 0)) return; \
        for (int i = threadIdx.x; i < a.c[5]; i += blockDim.x) a.out[i] = tile[i];                                    \
    }
REPLACED(address, REPLACE("global_address", "b64", "l", a.in + 4096);)
REPLACED(box, REPLACE_AT("box_dim", "0", "b32", "r", 16); REPLACE_AT("box_dim", "1", "b32", "r", 4);)
REPLACED(extent, REPLACE_AT("global_dim", "1", "b32", "r", 5);)
REPLACED(stride, REPLACE_AT("global_stride", "0", "b64", "l", 512ll);)
REPLACED(elements, REPLACE_ENUM("elemtype", "0"); REPLACE_AT("box_dim", "0", "b32", "r", 64); REPLACE_AT("global_dim", "0", "b32", "r", 256);)
REPLACED(steps, REPLACE_AT("element_stride", "1", "b32", "r", 2);)
REPLACED(swizzle, REPLACE_ENUM("swizzle_mode", "3");)
REPLACED(fill, REPLACE_ENUM("fill_mode", "1");)
// Nothing replaced: the fields' places in the map itself.
CASE(bytes) {
    if (threadIdx.x < 16) reinterpret_cast<uint64_t*>(a.out)[threadIdx.x] = reinterpret_cast<const uint64_t*>(&map)[threadIdx.x];
}

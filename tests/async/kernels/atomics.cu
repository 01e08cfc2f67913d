// atom and red, every operation and type: thread t works on a word of its own, which begins as value t % 8 and is met
// by value t / 8 twice. Gives the two old values and what is left, for global and for shared memory.
#include "kernel.h"

__constant__ uint32_t f32_values[8] = {0x00000000, 0x80000000, 0x00000001, 0x80400000, 0x3f800000, 0xc0490fdb, 0x7f7fffff, 0x007fffff};
__constant__ uint64_t f64_values[8] = {0, 0x8000000000000000, 1, 0x8008000000000000, 0x3ff0000000000000, 0xc00921fb54442d18, 0x7fefffffffffffff, 0x000fffffffffffff};
__constant__ uint16_t f16_values[8] = {0x0000, 0x8000, 0x0001, 0x8200, 0x3c00, 0xc248, 0x7bff, 0x03ff};
__constant__ uint16_t bf16_values[8] = {0x0000, 0x8000, 0x0001, 0x8040, 0x3f80, 0xc049, 0x7f7f, 0x007f};
__constant__ uint32_t int_values[8] = {0, 1, 5, 0x7fffffff, 0x80000000, 0xffffffff, 0x12345678, 0xfffffff0};

struct B32 { static __device__ uint32_t at(uint32_t i) { return int_values[i]; } };
struct B64 { static __device__ uint64_t at(uint32_t i) { return uint64_t(int_values[i]) << 32 | int_values[(i * 3 + 1) % 8]; } };
struct F32 { static __device__ uint32_t at(uint32_t i) { return f32_values[i]; } };
struct F64 { static __device__ uint64_t at(uint32_t i) { return f64_values[i]; } };
struct F16 { static __device__ uint16_t at(uint32_t i) { return f16_values[i]; } };
struct BF16 { static __device__ uint16_t at(uint32_t i) { return bf16_values[i]; } };
struct B16 { static __device__ uint16_t at(uint32_t i) { return uint16_t(int_values[i] >> 3); } };
struct F16X2 { static __device__ uint32_t at(uint32_t i) { return f16_values[i] | uint32_t(f16_values[(i * 5 + 2) % 8]) << 16; } };
struct BF16X2 { static __device__ uint32_t at(uint32_t i) { return bf16_values[i] | uint32_t(bf16_values[(i * 5 + 2) % 8]) << 16; } };

#define ATOM_IN(V, T, C, instruction, red, pointer, PC, place)                                                        \
    {                                                                                                                 \
        T* p = place;                                                                                                 \
        const uint32_t t = threadIdx.x;                                                                               \
        const T value = V::at(t / 8);                                                                                 \
        *p = V::at(t % 8);                                                                                            \
        T first, second;                                                                                              \
        asm volatile(instruction " %0, [%1], %2;" : "=" C(first) : PC(pointer(p)), C(value) : "memory");              \
        asm volatile(instruction " %0, [%1], %2;" : "=" C(second) : PC(pointer(p)), C(value) : "memory");             \
        out[0] = first, out[1] = second, out[2] = *(volatile T*)p, out += 3;                                          \
        *p = V::at(t % 8);                                                                                            \
        red                                                                                                           \
        *out++ = *(volatile T*)p;                                                                                     \
    }
#define GENERIC(p) (p)

#define ATOM(name, V, T, C, op, noftz)                                                                                \
    CASE(name) {                                                                                                      \
        __shared__ T mine[64];                                                                                        \
        T* out = reinterpret_cast<T*>(a.out) + 12 * threadIdx.x;                                                      \
        T* global = reinterpret_cast<T*>(a.out + 65536) + threadIdx.x;                                                \
        ATOM_IN(V, T, C, "atom.global." op, asm volatile("red.global." op " [%0], %1;" ::"l"(p), C(value) : "memory");, GENERIC, "l", global) \
        ATOM_IN(V, T, C, "atom.shared." op, asm volatile("red.relaxed.cta.shared::cta." op " [%0], %1;" ::"r"(smem(p)), C(value) : "memory");, smem, "r", &mine[threadIdx.x]) \
        ATOM_IN(V, T, C, "atom.acq_rel.gpu." op, asm volatile("red.release.gpu." op " [%0], %1;" ::"l"(p), C(value) : "memory");, GENERIC, "l", global) \
    }
#define EXCHANGE(name, V, T, C, op)                                                                                   \
    CASE(name) {                                                                                                      \
        __shared__ T mine[64];                                                                                        \
        T* out = reinterpret_cast<T*>(a.out) + 12 * threadIdx.x;                                                      \
        T* global = reinterpret_cast<T*>(a.out + 65536) + threadIdx.x;                                                \
        ATOM_IN(V, T, C, "atom.global." op, , GENERIC, "l", global)                                                   \
        ATOM_IN(V, T, C, "atom.shared." op, , smem, "r", &mine[threadIdx.x])                                          \
        ATOM_IN(V, T, C, "atom.relaxed.sys." op, , GENERIC, "l", &mine[threadIdx.x])                                  \
    }
ATOM(and_b32, B32, uint32_t, "r", "and.b32", )
ATOM(or_b32, B32, uint32_t, "r", "or.b32", )
ATOM(xor_b32, B32, uint32_t, "r", "xor.b32", )
ATOM(and_b64, B64, uint64_t, "l", "and.b64", )
ATOM(or_b64, B64, uint64_t, "l", "or.b64", )
ATOM(xor_b64, B64, uint64_t, "l", "xor.b64", )
ATOM(add_u32, B32, uint32_t, "r", "add.u32", )
ATOM(add_s32, B32, uint32_t, "r", "add.s32", )
ATOM(add_u64, B64, uint64_t, "l", "add.u64", )
ATOM(inc_u32, B32, uint32_t, "r", "inc.u32", )
ATOM(dec_u32, B32, uint32_t, "r", "dec.u32", )
ATOM(min_u32, B32, uint32_t, "r", "min.u32", )
ATOM(max_u32, B32, uint32_t, "r", "max.u32", )
ATOM(min_s32, B32, uint32_t, "r", "min.s32", )
ATOM(max_s32, B32, uint32_t, "r", "max.s32", )
ATOM(min_u64, B64, uint64_t, "l", "min.u64", )
ATOM(max_u64, B64, uint64_t, "l", "max.u64", )
ATOM(min_s64, B64, uint64_t, "l", "min.s64", )
ATOM(max_s64, B64, uint64_t, "l", "max.s64", )
ATOM(add_f64, F64, uint64_t, "l", "add.f64", )
ATOM(add_f16, F16, uint16_t, "h", "add.noftz.f16", )
ATOM(add_bf16, BF16, uint16_t, "h", "add.noftz.bf16", )
ATOM(add_f16x2, F16X2, uint32_t, "r", "add.noftz.f16x2", )
ATOM(add_bf16x2, BF16X2, uint32_t, "r", "add.noftz.bf16x2", )
ATOM(add_f32, F32, uint32_t, "r", "add.f32", )
EXCHANGE(exch_b32, B32, uint32_t, "r", "exch.b32")
EXCHANGE(exch_b64, B64, uint64_t, "l", "exch.b64")

// Only where the value that is there equals the one compared with: thread t compares with value (t % 8) ^ (t / 8 % 2).
#define CAS(name, V, T, C, type)                                                                                      \
    CASE(name) {                                                                                                      \
        __shared__ T mine[64];                                                                                        \
        T* out = reinterpret_cast<T*>(a.out) + 6 * threadIdx.x;                                                       \
        T* global = reinterpret_cast<T*>(a.out + 65536) + threadIdx.x;                                                \
        const uint32_t t = threadIdx.x;                                                                               \
        const T compare = V::at((t % 8) ^ (t / 8 % 2)), value = V::at(t / 8);                                         \
        *global = mine[t] = V::at(t % 8);                                                                             \
        T old;                                                                                                        \
        asm volatile("atom.global.cas." type " %0, [%1], %2, %3;" : "=" C(old) : "l"(global), C(compare), C(value) : "memory"); \
        out[0] = old, out[1] = *(volatile T*)global;                                                                  \
        asm volatile("atom.shared.cas." type " %0, [%1], %2, %3;" : "=" C(old) : "r"(smem(&mine[t])), C(compare), C(value) : "memory"); \
        out[2] = old, out[3] = *(volatile T*)&mine[t];                                                                \
        asm volatile("atom.acquire.cta.cas." type " %0, [%1], %2, %3;" : "=" C(old) : "l"(&mine[t]), C(value), C(compare) : "memory"); \
        out[4] = old, out[5] = *(volatile T*)&mine[t];                                                                \
    }
CAS(cas_b16, B16, uint16_t, "h", "b16")
CAS(cas_b32, B32, uint32_t, "r", "b32")
CAS(cas_b64, B64, uint64_t, "l", "b64")

CASE(b128) {
    __shared__ alignas(16) uint64_t mine[64][2];
    const uint32_t t = threadIdx.x;
    uint64_t* out = reinterpret_cast<uint64_t*>(a.out) + 12 * t;
    uint64_t* global = reinterpret_cast<uint64_t*>(a.out + 65536) + 2 * t;
    global[0] = mine[t][0] = B64::at(t % 8), global[1] = mine[t][1] = B64::at(t / 8);
    const uint64_t c0 = B64::at((t % 8) ^ (t / 8 % 2)), c1 = B64::at(t / 8);
    asm volatile("{ .reg .b128 d, c, v; mov.b128 c, {%3, %4}; mov.b128 v, {%5, %6}; atom.global.cas.b128 d, [%2], c, v; mov.b128 {%0, %1}, d; }"
                 : "=l"(out[0]), "=l"(out[1]) : "l"(global), "l"(c0), "l"(c1), "l"(11ull), "l"(22ull + t) : "memory");
    out[2] = global[0], out[3] = global[1];
    asm volatile("{ .reg .b128 d, c, v; mov.b128 c, {%3, %4}; mov.b128 v, {%5, %6}; atom.shared.cas.b128 d, [%2], c, v; mov.b128 {%0, %1}, d; }"
                 : "=l"(out[4]), "=l"(out[5]) : "r"(smem(mine[t])), "l"(c0), "l"(c1), "l"(33ull), "l"(44ull + t) : "memory");
    out[6] = mine[t][0], out[7] = mine[t][1];
    asm volatile("{ .reg .b128 d, v; mov.b128 v, {%3, %4}; atom.exch.b128 d, [%2], v; mov.b128 {%0, %1}, d; }"
                 : "=l"(out[8]), "=l"(out[9]) : "l"(global), "l"(c1), "l"(c0) : "memory");
    out[10] = global[0], out[11] = global[1];
}

// Vectors, on global memory only.
CASE(add_v2_f32) {
    const uint32_t t = threadIdx.x;
    uint32_t *global = WORDS(a) + 16384 + 2 * t, *out = WORDS(a) + 6 * t;
    for (int i = 0; i < 2; i++) global[i] = F32::at((t + i) % 8);
    asm volatile("atom.global.add.v2.f32 {%0, %1}, [%2], {%3, %4};" : "=r"(out[0]), "=r"(out[1]) : "l"(global), "r"(F32::at(t / 8)), "r"(F32::at((t / 8 + 1) % 8)) : "memory");
    for (int i = 0; i < 2; i++) out[2 + i] = *(volatile uint32_t*)&global[i];
    asm volatile("red.global.add.v2.f32 [%0], {%1, %2};" ::"l"(global), "r"(F32::at(t / 8)), "r"(F32::at((t / 8 + 1) % 8)) : "memory");
    for (int i = 0; i < 2; i++) out[4 + i] = *(volatile uint32_t*)&global[i];
}
CASE(add_v4_f32) {
    const uint32_t t = threadIdx.x;
    uint32_t *global = WORDS(a) + 16384 + 4 * t, *out = WORDS(a) + 8 * t;
    for (int i = 0; i < 4; i++) global[i] = F32::at((t + i) % 8);
    asm volatile("atom.relaxed.gpu.global.add.v4.f32 {%0, %1, %2, %3}, [%4], {%5, %6, %7, %8};" : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "l"(global), "r"(F32::at(t / 8)), "r"(F32::at((t / 8 + 1) % 8)), "r"(F32::at((t / 8 + 2) % 8)), "r"(F32::at((t / 8 + 3) % 8)) : "memory");
    for (int i = 0; i < 4; i++) out[4 + i] = *(volatile uint32_t*)&global[i];
}
#define HALVES(name, V, T, C, op)                                                                                     \
    CASE(name) {                                                                                                      \
        const uint32_t t = threadIdx.x;                                                                               \
        T *global = reinterpret_cast<T*>(a.out + 65536) + 4 * t, *out = reinterpret_cast<T*>(a.out) + 8 * t;          \
        for (int i = 0; i < 4; i++) global[i] = V::at((t + i) % 8);                                                   \
        asm volatile("atom.global." op " {%0, %1, %2, %3}, [%4], {%5, %6, %7, %8};"                                \
                     : "=" C(out[0]), "=" C(out[1]), "=" C(out[2]), "=" C(out[3])                                     \
                     : "l"(global), C(V::at(t / 8)), C(V::at((t / 8 + 1) % 8)), C(V::at((t / 8 + 2) % 8)), C(V::at((t / 8 + 3) % 8)) : "memory"); \
        for (int i = 0; i < 4; i++) out[4 + i] = *(volatile T*)&global[i];                                            \
    }
HALVES(add_v4_f16, F16, uint16_t, "h", "add.noftz.v4.f16")
HALVES(min_v4_f16, F16, uint16_t, "h", "min.noftz.v4.f16")
HALVES(max_v4_f16, F16, uint16_t, "h", "max.noftz.v4.f16")
HALVES(add_v4_bf16, BF16, uint16_t, "h", "add.noftz.v4.bf16")
HALVES(min_v4_bf16, BF16, uint16_t, "h", "min.noftz.v4.bf16")
HALVES(max_v4_bf16, BF16, uint16_t, "h", "max.noftz.v4.bf16")
HALVES(add_v4_f16x2, F16X2, uint32_t, "r", "add.noftz.v4.f16x2")
HALVES(min_v4_f16x2, F16X2, uint32_t, "r", "min.noftz.v4.f16x2")
HALVES(max_v4_bf16x2, BF16X2, uint32_t, "r", "max.noftz.v4.bf16x2")

CASE(add_v8_f16) {
    const uint32_t t = threadIdx.x;
    uint16_t *global = reinterpret_cast<uint16_t*>(a.out + 65536) + 8 * t, *out = reinterpret_cast<uint16_t*>(a.out) + 8 * t;
    for (int i = 0; i < 8; i++) global[i] = F16::at((t + i) % 8);
    asm volatile("red.global.add.noftz.v8.f16 [%0], {%1, %2, %3, %4, %5, %6, %7, %8};" ::"l"(global), "h"(F16::at(t / 8)), "h"(F16::at((t / 8 + 1) % 8)),
                 "h"(F16::at((t / 8 + 2) % 8)), "h"(F16::at((t / 8 + 3) % 8)), "h"(F16::at((t / 8 + 4) % 8)), "h"(F16::at((t / 8 + 5) % 8)),
                 "h"(F16::at((t / 8 + 6) % 8)), "h"(F16::at((t / 8 + 7) % 8)) : "memory");
    for (int i = 0; i < 8; i++) out[i] = *(volatile uint16_t*)&global[i];
}

// Generic addresses of shared memory.
CASE(generic_shared_f32) {
    __shared__ uint32_t mine[64];
    const uint32_t t = threadIdx.x;
    mine[t] = F32::at(t % 8);
    uint32_t old;
    asm volatile("atom.add.f32 %0, [%1], %2;" : "=r"(old) : "l"(mine + t), "r"(F32::at(t / 8)) : "memory");
    WORDS(a)[2 * t] = old, WORDS(a)[2 * t + 1] = *(volatile uint32_t*)&mine[t];
}

// All threads of many blocks on few words.
CASE(contended) {
    uint32_t* out = WORDS(a);
    const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < 16) out[i] = 0;
    asm volatile("red.relaxed.gpu.global.add.u32 [%0], %1;" ::"l"(out + 32 + i % 3), "r"(i) : "memory");
    asm volatile("red.gpu.global.max.u32 [%0], %1;" ::"l"(out + 36 + i % 3), "r"(i) : "memory");
    asm volatile("red.sys.global.xor.b32 [%0], %1;" ::"l"(out + 40 + i % 3), "r"(i * 77) : "memory");
    asm volatile("red.gpu.global.inc.u32 [%0], %1;" ::"l"(out + 44), "r"(0xfffffff0) : "memory");
}

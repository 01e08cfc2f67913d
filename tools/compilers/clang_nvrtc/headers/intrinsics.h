#pragma once
#pragma clang system_header

// Device functions that clang's headers leave to the toolkit's.

__device__ inline __cuda_builtin_threadIdx_t::operator dim3() const { return {x, y, z}; }
__device__ inline __cuda_builtin_threadIdx_t::operator uint3() const { return {x, y, z}; }
__device__ inline __cuda_builtin_blockIdx_t::operator dim3() const { return {x, y, z}; }
__device__ inline __cuda_builtin_blockIdx_t::operator uint3() const { return {x, y, z}; }
__device__ inline __cuda_builtin_blockDim_t::operator dim3() const { return {x, y, z}; }
__device__ inline __cuda_builtin_blockDim_t::operator uint3() const { return {x, y, z}; }
__device__ inline __cuda_builtin_gridDim_t::operator dim3() const { return {x, y, z}; }
__device__ inline __cuda_builtin_gridDim_t::operator uint3() const { return {x, y, z}; }

template <class T> CUTTLE_DEVICE unsigned __match_any_sync(unsigned mask, T value) {
    static_assert(sizeof(T) == 4 || sizeof(T) == 8);
    if constexpr (sizeof(T) == 4)
        return __match32_any_sync(mask, __builtin_bit_cast(unsigned, value));
    else
        return __match64_any_sync(mask, __builtin_bit_cast(unsigned long long, value));
}
template <class T> CUTTLE_DEVICE unsigned __match_all_sync(unsigned mask, T value, int* all) {
    static_assert(sizeof(T) == 4 || sizeof(T) == 8);
    if constexpr (sizeof(T) == 4)
        return __match32_all_sync(mask, __builtin_bit_cast(unsigned, value), all);
    else
        return __match64_all_sync(mask, __builtin_bit_cast(unsigned long long, value), all);
}

CUTTLE_DEVICE void __nanosleep(unsigned ns) { __nvvm_nanosleep(ns); }
#define __assume(condition) __builtin_assume(condition)

// How long the caches keep what is read or written is no part of what a program computes; clang has the other such
// functions.
template <class T> CUTTLE_DEVICE T __ldca(const T* place) { return *place; }
template <class T> CUTTLE_DEVICE T __ldlu(const T* place) { return *place; }
template <class T> CUTTLE_DEVICE void __stwb(T* place, T value) { *place = value; }
template <class T> CUTTLE_DEVICE void __stcg(T* place, T value) { *place = value; }
template <class T> CUTTLE_DEVICE void __stcs(T* place, T value) { *place = value; }

// Products of packed bytes and halves, summed.
#define CUTTLE_DOT(type, vector, vector2, sign)                                                                        \
    CUTTLE_DEVICE type __dp4a(type a, type b, type c) {                                                                \
        asm("dp4a." sign "32." sign "32 %0, %1, %2, %0;" : "+r"(c) : "r"(a), "r"(b));                                  \
        return c;                                                                                                      \
    }                                                                                                                  \
    CUTTLE_DEVICE type __dp4a(vector a, vector b, type c) {                                                            \
        return __dp4a(__builtin_bit_cast(type, a), __builtin_bit_cast(type, b), c);                                    \
    }                                                                                                                  \
    CUTTLE_DEVICE type __dp2a_lo(type a, type b, type c) {                                                             \
        asm("dp2a.lo." sign "32." sign "32 %0, %1, %2, %0;" : "+r"(c) : "r"(a), "r"(b));                               \
        return c;                                                                                                      \
    }                                                                                                                  \
    CUTTLE_DEVICE type __dp2a_hi(type a, type b, type c) {                                                             \
        asm("dp2a.hi." sign "32." sign "32 %0, %1, %2, %0;" : "+r"(c) : "r"(a), "r"(b));                               \
        return c;                                                                                                      \
    }                                                                                                                  \
    CUTTLE_DEVICE type __dp2a_lo(vector2 a, vector b, type c) {                                                        \
        return __dp2a_lo(__builtin_bit_cast(type, a), __builtin_bit_cast(type, b), c);                                 \
    }                                                                                                                  \
    CUTTLE_DEVICE type __dp2a_hi(vector2 a, vector b, type c) {                                                        \
        return __dp2a_hi(__builtin_bit_cast(type, a), __builtin_bit_cast(type, b), c);                                 \
    }
CUTTLE_DOT(int, char4, short2, "s")
CUTTLE_DOT(unsigned, uchar4, ushort2, "u")
#undef CUTTLE_DOT

#pragma once
#pragma clang system_header

// CUDA's vector types with their alignments, what makes them, and dim3.

#define CUTTLE_VECTOR(name, type, make, a2, a4)                                                                        \
    struct name##1 {                                                                                                   \
        type x;                                                                                                        \
    };                                                                                                                 \
    struct __attribute__((aligned(a2))) name##2 {                                                                      \
        type x, y;                                                                                                     \
    };                                                                                                                 \
    struct name##3 {                                                                                                   \
        type x, y, z;                                                                                                  \
    };                                                                                                                 \
    struct __attribute__((aligned(a4))) name##4 {                                                                      \
        type x, y, z, w;                                                                                               \
    };                                                                                                                 \
    static inline __host__ __device__ name##1 make##1(type x) { return {x}; }                                          \
    static inline __host__ __device__ name##2 make##2(type x, type y) { return {x, y}; }                               \
    static inline __host__ __device__ name##3 make##3(type x, type y, type z) { return {x, y, z}; }                    \
    static inline __host__ __device__ name##4 make##4(type x, type y, type z, type w) { return {x, y, z, w}; }

CUTTLE_VECTOR(char, signed char, make_char, 2, 4)
CUTTLE_VECTOR(uchar, unsigned char, make_uchar, 2, 4)
CUTTLE_VECTOR(short, short, make_short, 4, 8)
CUTTLE_VECTOR(ushort, unsigned short, make_ushort, 4, 8)
CUTTLE_VECTOR(int, int, make_int, 8, 16)
CUTTLE_VECTOR(uint, unsigned int, make_uint, 8, 16)
CUTTLE_VECTOR(long, long, make_long, 16, 16)
CUTTLE_VECTOR(ulong, unsigned long, make_ulong, 16, 16)
CUTTLE_VECTOR(longlong, long long, make_longlong, 16, 16)
CUTTLE_VECTOR(ulonglong, unsigned long long, make_ulonglong, 16, 16)
CUTTLE_VECTOR(float, float, make_float, 8, 16)
CUTTLE_VECTOR(double, double, make_double, 16, 16)
#undef CUTTLE_VECTOR

// Since CUDA 13: the same four with an alignment in their names.
#define CUTTLE_ALIGNED(name, type, make, bytes)                                                                        \
    struct __attribute__((aligned(bytes))) name##4_##bytes##a {                                                        \
        type x, y, z, w;                                                                                               \
    };                                                                                                                 \
    static inline __host__ __device__ name##4_##bytes##a make##4_##bytes##a(type x, type y, type z, type w) {          \
        return {x, y, z, w};                                                                                           \
    }

CUTTLE_ALIGNED(long, long, make_long, 16)
CUTTLE_ALIGNED(long, long, make_long, 32)
CUTTLE_ALIGNED(ulong, unsigned long, make_ulong, 16)
CUTTLE_ALIGNED(ulong, unsigned long, make_ulong, 32)
CUTTLE_ALIGNED(longlong, long long, make_longlong, 16)
CUTTLE_ALIGNED(longlong, long long, make_longlong, 32)
CUTTLE_ALIGNED(ulonglong, unsigned long long, make_ulonglong, 16)
CUTTLE_ALIGNED(ulonglong, unsigned long long, make_ulonglong, 32)
CUTTLE_ALIGNED(double, double, make_double, 16)
CUTTLE_ALIGNED(double, double, make_double, 32)
#undef CUTTLE_ALIGNED

struct dim3 {
    unsigned int x, y, z;
    __host__ __device__ constexpr dim3(unsigned int x = 1, unsigned int y = 1, unsigned int z = 1) : x(x), y(y), z(z) {}
    __host__ __device__ constexpr dim3(uint3 from) : x(from.x), y(from.y), z(from.z) {}
    __host__ __device__ constexpr operator uint3() const { return {x, y, z}; }
};

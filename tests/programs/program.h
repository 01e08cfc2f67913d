#pragma once

// What every conformance program includes. Compiled by nvcc, a program is an ordinary cudart program; compiled by any
// other C++ compiler, only its host half is seen, and driver_runtime.h gives the few cudart functions that it uses on
// top of the driver API, with kernels from NAME.ptx. A program prints the same text either way, ends with "PASSED" and
// exits with 0, or says what was wrong and exits with 1.

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#ifdef __CUDACC__
#include <cuda_runtime.h>
#define LAUNCH(kernel, grid, block, shared, stream) kernel<<<grid, block, shared, stream>>>
#define SYMBOL(name) name
#else
#include "driver_runtime.h"
#endif

#define CHECK(call)                                                                                                   \
    do {                                                                                                              \
        cudaError_t status_ = (call);                                                                                 \
        if (status_ != cudaSuccess) {                                                                                 \
            std::printf("%s:%d: %s: %s\n", __FILE__, __LINE__, #call, cudaGetErrorString(status_));                   \
            std::exit(1);                                                                                             \
        }                                                                                                             \
    } while (0)

#define EXPECT(condition)                                                                                             \
    do {                                                                                                              \
        if (!(condition)) {                                                                                           \
            std::printf("%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);                                     \
            std::exit(1);                                                                                             \
        }                                                                                                             \
    } while (0)

/// Memory on the device that frees itself.
template <class T> struct DeviceArray {
    T* data = nullptr;
    size_t count;

    explicit DeviceArray(size_t n) : count(n) { CHECK(cudaMalloc((void**)&data, n * sizeof(T))); }
    explicit DeviceArray(const std::vector<T>& host) : DeviceArray(host.size()) { upload(host); }
    DeviceArray(const DeviceArray&) = delete;
    ~DeviceArray() { cudaFree(data); }

    void upload(const std::vector<T>& host) {
        CHECK(cudaMemcpy(data, host.data(), host.size() * sizeof(T), cudaMemcpyHostToDevice));
    }
    std::vector<T> download() const {
        std::vector<T> host(count);
        CHECK(cudaMemcpy(host.data(), data, count * sizeof(T), cudaMemcpyDeviceToHost));
        return host;
    }
};

/// Deterministic inputs, the same on every machine.
inline uint32_t hash32(uint32_t x) {
    x ^= x >> 16;
    x *= 0x7feb352dU;
    x ^= x >> 15;
    x *= 0x846ca68bU;
    return x ^ (x >> 16);
}
inline float unit_float(uint32_t i) { return float(hash32(i) >> 8) * (1.0f / 16777216.0f); }

/// Digest of raw bytes (FNV-1a): shows that results agree to the bit without printing them all.
inline uint64_t digest(const void* data, size_t bytes) {
    uint64_t h = 14695981039346656037ULL;
    for (size_t i = 0; i < bytes; i++) h = (h ^ ((const unsigned char*)data)[i]) * 1099511628211ULL;
    return h;
}
template <class T> uint64_t digest(const std::vector<T>& v) { return digest(v.data(), v.size() * sizeof(T)); }

inline int passed() {
    std::printf("PASSED\n");
    return 0;
}

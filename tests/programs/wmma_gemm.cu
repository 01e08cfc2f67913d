#include "program.h"

#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <mma.h>

// C = A * B + C of 32 x 32 matrices, one warp for each tile. A is row-major, B column-major.
template <int M, int N, int K, class In, class Raw, class Out>
__device__ void multiply(const Raw* a, const Raw* b, Out* c) {
    using namespace nvcuda::wmma;
    const int row = blockIdx.y * M, column = blockIdx.x * N;
    fragment<matrix_a, M, N, K, In, row_major> fa;
    fragment<matrix_b, M, N, K, In, col_major> fb;
    fragment<accumulator, M, N, K, Out> fc;
    load_matrix_sync(fc, c + row * 32 + column, 32, mem_row_major);
    for (int k = 0; k < 32; k += K) {
        load_matrix_sync(fa, a + row * 32 + k, 32);
        load_matrix_sync(fb, b + column * 32 + k, 32);
        mma_sync(fc, fa, fb, fc);
    }
    store_matrix_sync(c + row * 32 + column, fc, 32, mem_row_major);
}

extern "C" __global__ void gemm_half(const uint16_t* a, const uint16_t* b, float* c) {
    multiply<16, 16, 16, half>((const half*)a, (const half*)b, c);
}
extern "C" __global__ void gemm_bfloat(const uint16_t* a, const uint16_t* b, float* c) {
    multiply<32, 8, 16, __nv_bfloat16>((const __nv_bfloat16*)a, (const __nv_bfloat16*)b, c);
}
extern "C" __global__ void gemm_tf32(const float* a, const float* b, float* c) {
    multiply<16, 16, 8, nvcuda::wmma::precision::tf32>(a, b, c);
}
extern "C" __global__ void gemm_int8(const int8_t* a, const int8_t* b, int* c) {
    multiply<8, 32, 16, signed char>((const signed char*)a, (const signed char*)b, c);
}
extern "C" __global__ void gemm_double(const double* a, const double* b, double* c) {
    multiply<8, 8, 4, double>(a, b, c);
}
#endif

const int size = 32;

// Small integers, so that every sum is exact and its order does not matter.
int input(int matrix, int i) { return int(hash32(matrix * 5000 + i) % 17) - 8; }

template <class T> T as(int value) { return T(value); }
struct Half { uint16_t bits; };
struct Bfloat { uint16_t bits; };
template <> Bfloat as<Bfloat>(int value) {
    float f = float(value);
    uint32_t bits;
    std::memcpy(&bits, &f, 4);
    return {uint16_t(bits >> 16)};
}
template <> Half as<Half>(int value) {
    float f = float(value);
    uint32_t bits;
    std::memcpy(&bits, &f, 4);
    if (value == 0) return {0};
    return {uint16_t((bits >> 16 & 0x8000) | ((bits >> 23 & 255) - 112) << 10 | (bits >> 13 & 1023))};
}

template <class T> std::vector<T> matrix(int number) {
    std::vector<T> out(size * size);
    for (int i = 0; i < size * size; i++) out[i] = as<T>(input(number, i));
    return out;
}

template <class Out> void report(const char* name, const std::vector<Out>& got) {
    std::vector<Out> expected(size * size);
    for (int row = 0; row < size; row++)
        for (int column = 0; column < size; column++) {
            int sum = input(2, row * size + column);
            for (int k = 0; k < size; k++) sum += input(0, row * size + k) * input(1, column * size + k);
            expected[row * size + column] = Out(sum);
        }
    for (int i = 0; i < size * size; i++) EXPECT(got[i] == expected[i]);
    std::printf("%s %016llx\n", name, (unsigned long long)digest(expected));
}

int main() {
    {
        DeviceArray<Half> a(matrix<Half>(0)), b(matrix<Half>(1));
        DeviceArray<float> c(matrix<float>(2));
        LAUNCH(gemm_half, dim3(2, 2), 32, 0, 0)((const uint16_t*)a.data, (const uint16_t*)b.data, c.data);
        report("half", c.download());
    }
    {
        DeviceArray<Bfloat> a(matrix<Bfloat>(0)), b(matrix<Bfloat>(1));
        DeviceArray<float> c(matrix<float>(2));
        LAUNCH(gemm_bfloat, dim3(4, 1), 32, 0, 0)((const uint16_t*)a.data, (const uint16_t*)b.data, c.data);
        report("bfloat", c.download());
    }
    {
        DeviceArray<float> a(matrix<float>(0)), b(matrix<float>(1)), c(matrix<float>(2));
        LAUNCH(gemm_tf32, dim3(2, 2), 32, 0, 0)((const float*)a.data, (const float*)b.data, c.data);
        report("tf32", c.download());
    }
    {
        DeviceArray<int8_t> a(matrix<int8_t>(0)), b(matrix<int8_t>(1));
        DeviceArray<int> c(matrix<int>(2));
        LAUNCH(gemm_int8, dim3(1, 4), 32, 0, 0)((const int8_t*)a.data, (const int8_t*)b.data, c.data);
        report("int8", c.download());
    }
    {
        DeviceArray<double> a(matrix<double>(0)), b(matrix<double>(1)), c(matrix<double>(2));
        LAUNCH(gemm_double, dim3(4, 4), 32, 0, 0)((const double*)a.data, (const double*)b.data, c.data);
        report("double", c.download());
    }
    CHECK(cudaDeviceSynchronize());
    return passed();
}

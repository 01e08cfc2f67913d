// One kernel for each way in which nvcc writes something down.
#include <cooperative_groups.h>
#include <cstdint>
#include <cstdio>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <mma.h>

namespace cg = cooperative_groups;

struct Shape {
    __device__ virtual float area() const = 0;
};
struct Square : Shape {
    float side;
    __device__ explicit Square(float s) : side(s) {}
    __device__ float area() const override { return side * side; }
};
struct Circle : Shape {
    float radius;
    __device__ explicit Circle(float r) : radius(r) {}
    __device__ float area() const override { return 3.14159f * radius * radius; }
};

__constant__ float coefficients[4] = {1.0f, -2.5f, 1e-30f, 0.f};
__device__ double table[3][2] = {{1, 2}, {3}};
__device__ int counter = 5;
__device__ int* counter_address = &counter;
__managed__ int managed = 7;
static __device__ uint64_t hidden[100];
typedef float (*Function)(float);
__device__ float twice(float x) { return 2 * x; }
__device__ float half_of(float x) { return x / 2; }
__device__ Function functions[2] = {twice, half_of};
struct Packed {
    char c;
    float f;
    const char* text;
};
__device__ Packed packed = {'x', 1.5f, "text"};

__global__ void call_virtual(float* out, int which) {
    Square square(2);
    Circle circle(1);
    const Shape* shape = which ? static_cast<const Shape*>(&square) : &circle;
    out[threadIdx.x] = shape->area() + functions[which & 1](3.f) + coefficients[which & 3];
}
__global__ void print_and_assert(int n) { printf("%d %s %f\n", n, packed.text, packed.f + table[1][0]); }
__device__ __noinline__ int fibonacci(int n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
__global__ void recurse(int* out, int n) { out[0] = fibonacci(n) + *counter_address + managed; }

__global__ void __launch_bounds__(256, 2) shared_sum(const float4* in, float* out, int n) {
    extern __shared__ float dynamic[];
    __shared__ float fixed[32];
    float sum = 0;
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
        const float4 v = __ldg(in + i);
        sum += v.x + v.y + v.z + v.w;
    }
    for (int k = 16; k > 0; k /= 2) sum += __shfl_xor_sync(~0u, sum, k);
    fixed[threadIdx.x / 32] = sum;
    dynamic[threadIdx.x] = __ballot_sync(~0u, sum > 0);
    __syncthreads();
    if (__syncthreads_or(sum > 3)) atomicAdd(out, fixed[0] + dynamic[1]);
    hidden[threadIdx.x] = clock64() + __popc(__activemask());
}
__global__ void half_types(__half2* a, __nv_bfloat162* b, const __half2 c) {
    a[threadIdx.x] = __hfma2(a[threadIdx.x], c, __float2half2_rn(1.f));
    b[threadIdx.x] = __hmul2(b[threadIdx.x], b[0]);
}
__global__ void matrix(const __half* a, const __half* b, float* c) {
    using namespace nvcuda::wmma;
    fragment<matrix_a, 16, 16, 16, __half, row_major> fa;
    fragment<matrix_b, 16, 16, 16, __half, col_major> fb;
    fragment<accumulator, 16, 16, 16, float> fc;
    fill_fragment(fc, 0.f);
    load_matrix_sync(fa, a, 16);
    load_matrix_sync(fb, b, 16);
    mma_sync(fc, fa, fb, fc);
    store_matrix_sync(c, fc, 16, mem_row_major);
}
__global__ void texture(cudaTextureObject_t t, cudaSurfaceObject_t s, float* out) {
    out[0] = tex2D<float>(t, 0.5f, 0.5f) + tex2DLod<float4>(t, 0, 0, 1).y;
    surf2Dwrite(out[0], s, 4, 2);
}
__global__ void jump(int* p, int n) {
    switch (n) {
    case 0: p[0] = p[3] * 7; break;
    case 1: p[1] /= p[2]; break;
    case 2: p[5] = p[1] % 9; break;
    case 3: p[4] = __brev(p[1]); break;
    case 4: p[7] = min(p[1], p[2]); break;
    case 5: p[2] = atomicCAS(p, 1, 2); break;
    default: asm volatile("{ .reg .pred p; L: setp.eq.s32 p, %0, 3; @p bra L; }" ::"r"(n)); __trap();
    }
}
__global__ void cooperative(int* p) {
    auto tile = cg::tiled_partition<16>(cg::this_thread_block());
    p[0] = tile.shfl(p[1], 3);
    cg::this_grid().sync();
}
__global__ void many_types(double* d, float* f, unsigned char* b, short* s, long long* l, int n) {
    char local[100];
    for (int i = 0; i < n; ++i) local[i % 100] = b[i];
    d[0] = sqrt(d[1]) + sin(d[2]) + double(l[0]) + pow(d[4], 1.5);
    f[0] = __expf(f[1]) / f[2] + rsqrtf(f[3]) + __fdividef(f[1], f[5]) + float(s[0]) + local[n];
    l[1] = __mul64hi(l[2], l[3]) + l[4] / l[5] + llrint(d[3]) + __vadd4(n, 3) + __dp4a(n, n, n);
}

// CUDA without CUDA's headers, for compilers that come without a toolkit.
#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))
#define __constant__ __attribute__((constant))

struct Pair {
    char tag;
    int* address;
    double value;
};
__constant__ int table[8] = {1, 2, 3};
__device__ int counter, other;
__device__ Pair pair = {'a', &other, 2.5};
extern "C" __device__ int printf(const char*, ...);
__device__ __attribute__((noinline)) int scale(int a, float b) { return a * (int)b; }
typedef int (*Scale)(int, float);
__device__ Scale scale_pointer = scale;

__global__ void kernel(int* p, float* q, int n) {
    __shared__ float tile[256];
    const int i = __nvvm_read_ptx_sreg_tid_x();
    tile[i] = q[i];
    __syncthreads();
    switch (n) {
    case 0: p[i] = 1; break;
    case 1: p[i] = scale(p[i], tile[255 - i]); break;
    case 2: p[i] = scale_pointer(i, 2); break;
    case 3: p[i] = table[i & 7]; break;
    case 4: p[i] = __nvvm_atom_add_gen_i(&counter, 1); break;
    case 5: p[i] = *pair.address; break;
    default: printf("%d %f\n", i, q[i]);
    }
    char buffer[64];
    for (int j = 0; j < n; j++) buffer[j & 63] = j;
    p[i] += buffer[n & 63];
}

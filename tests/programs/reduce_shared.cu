#include "program.h"

#ifdef __CUDACC__
extern "C" __global__ void reduce_shared(const int* in, int* out, int n) {
    __shared__ int s[256];
    int sum = 0;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) sum += in[i];
    s[threadIdx.x] = sum;
    __syncthreads();
    for (int d = blockDim.x / 2; d > 0; d >>= 1) {
        if (threadIdx.x < d) s[threadIdx.x] += s[threadIdx.x + d];
        __syncthreads();
    }
    if (threadIdx.x == 0) out[blockIdx.x] = s[0];
}
#endif

int main() {
    const int n = 200001, blocks = 37;
    std::vector<int> in(n);
    int expected = 0;
    for (int i = 0; i < n; i++) expected += in[i] = int(hash32(i) % 2001) - 1000;
    DeviceArray<int> din(in), dout(blocks);
    LAUNCH(reduce_shared, blocks, 256, 0, 0)(din.data, dout.data, n);
    CHECK(cudaGetLastError());
    int sum = 0;
    for (int v : dout.download()) sum += v;
    std::printf("sum %d\n", sum);
    EXPECT(sum == expected);
    return passed();
}

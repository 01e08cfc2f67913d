#include "program.h"

#ifdef __CUDACC__
// Sum and maximum by shuffles; the last warp of the grid's last block is partly out of range.
extern "C" __global__ void reduce_shuffle(const float* in, float* sums, float* maxima, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    float sum = i < n ? in[i] : 0, maximum = i < n ? in[i] : -INFINITY;
    for (int d = 16; d > 0; d >>= 1) {
        sum += __shfl_down_sync(0xffffffffu, sum, d);
        maximum = fmaxf(maximum, __shfl_xor_sync(0xffffffffu, maximum, d));
    }
    __shared__ float s[32], m[32];
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    if (lane == 0) s[warp] = sum, m[warp] = maximum;
    __syncthreads();
    if (warp == 0) {
        int warps = blockDim.x / 32;
        sum = lane < warps ? s[lane] : 0;
        maximum = lane < warps ? m[lane] : -INFINITY;
        for (int d = 16; d > 0; d >>= 1) {
            sum += __shfl_down_sync(0xffffffffu, sum, d);
            maximum = fmaxf(maximum, __shfl_xor_sync(0xffffffffu, maximum, d));
        }
        if (lane == 0) sums[blockIdx.x] = sum, maxima[blockIdx.x] = maximum;
    }
}
// Segmented shuffles of width 8 and the index form.
extern "C" __global__ void segments(const int* in, int* up, int* index) {
    int v = in[threadIdx.x];
    up[threadIdx.x] = __shfl_up_sync(0xffffffffu, v, 3, 8);
    index[threadIdx.x] = __shfl_sync(0xffffffffu, v, threadIdx.x * 5 + 1, 8);
}
#endif

int main() {
    const int n = 50000, block = 512, blocks = (n + block - 1) / block;
    std::vector<float> in(n);
    double expected = 0;
    float biggest = -1;
    for (int i = 0; i < n; i++) {
        in[i] = float(hash32(i) % 4096);   // sums stay exact in float
        expected += in[i];
        if (in[i] > biggest) biggest = in[i];
    }
    DeviceArray<float> din(in), sums(blocks), maxima(blocks);
    LAUNCH(reduce_shuffle, blocks, block, 0, 0)(din.data, sums.data, maxima.data, n);
    CHECK(cudaGetLastError());
    double sum = 0;
    float maximum = -1;
    for (float v : sums.download()) sum += v;
    for (float v : maxima.download()) maximum = std::fmax(maximum, v);
    std::printf("sum %.0f maximum %.0f\n", sum, maximum);
    EXPECT(sum == expected && maximum == biggest);

    std::vector<int> lanes(64);
    for (int i = 0; i < 64; i++) lanes[i] = 100 + i;
    DeviceArray<int> dlanes(lanes), up(64), index(64);
    LAUNCH(segments, 1, 64, 0, 0)(dlanes.data, up.data, index.data);
    CHECK(cudaGetLastError());
    std::vector<int> u = up.download(), x = index.download();
    for (int i = 0; i < 64; i++) {
        EXPECT(u[i] == 100 + (i % 8 >= 3 ? i - 3 : i));
        EXPECT(x[i] == 100 + i / 8 * 8 + (i % 32 * 5 + 1 + (i / 32) * 32 * 5) % 8);
    }
    return passed();
}

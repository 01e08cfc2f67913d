#include "program.h"

#ifdef __CUDACC__
extern "C" __global__ void histogram(const unsigned char* in, unsigned* bins, int n) {
    __shared__ unsigned local[256];
    for (int b = threadIdx.x; b < 256; b += blockDim.x) local[b] = 0;
    __syncthreads();
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) atomicAdd(&local[in[i]], 1u);
    __syncthreads();
    for (int b = threadIdx.x; b < 256; b += blockDim.x)
        if (local[b]) atomicAdd(&bins[b], local[b]);
}
#endif

int main() {
    const int n = 300007;
    std::vector<unsigned char> in(n);
    std::vector<unsigned> expected(256);
    for (int i = 0; i < n; i++) expected[in[i] = (unsigned char)((hash32(i) & 255) & (hash32(i + n) & 255))]++;
    DeviceArray<unsigned char> din(in);
    DeviceArray<unsigned> bins(256);
    CHECK(cudaMemset(bins.data, 0, 256 * sizeof(unsigned)));
    LAUNCH(histogram, 24, 192, 0, 0)(din.data, bins.data, n);
    CHECK(cudaGetLastError());
    std::vector<unsigned> out = bins.download();
    EXPECT(out == expected);
    std::printf("bin 0 %u bin 255 %u digest %016llx\n", out[0], out[255], (unsigned long long)digest(out));
    return passed();
}

#include "program.h"

#include <algorithm>

#ifdef __CUDACC__
extern "C" __global__ void bitonic_global(unsigned* data, int j, int k) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x, other = i ^ j;
    if (other <= i) return;
    bool up = (i & k) == 0;
    unsigned a = data[i], b = data[other];
    if ((a > b) == up) data[i] = b, data[other] = a;
}
// All steps with j < 512 of one k, in shared memory.
extern "C" __global__ void bitonic_shared(unsigned* data, int j, int k) {
    __shared__ unsigned s[1024];
    unsigned base = blockIdx.x * 1024;
    s[threadIdx.x] = data[base + threadIdx.x];
    s[threadIdx.x + 512] = data[base + threadIdx.x + 512];
    for (; j > 0; j >>= 1) {
        __syncthreads();
        unsigned i = 2 * threadIdx.x - (threadIdx.x & (j - 1)), other = i + j;
        bool up = ((base + i) & k) == 0;
        unsigned a = s[i], b = s[other];
        if ((a > b) == up) s[i] = b, s[other] = a;
    }
    __syncthreads();
    data[base + threadIdx.x] = s[threadIdx.x];
    data[base + threadIdx.x + 512] = s[threadIdx.x + 512];
}
#endif

int main() {
    const int n = 1 << 15;
    std::vector<unsigned> in(n);
    for (int i = 0; i < n; i++) in[i] = hash32(i);
    DeviceArray<unsigned> data(in);
    for (int k = 2; k <= n; k *= 2)
        for (int j = k / 2; j > 0; j /= 2) {
            if (j <= 512) {
                LAUNCH(bitonic_shared, n / 1024, 512, 0, 0)(data.data, j, k);
                break;
            }
            LAUNCH(bitonic_global, n / 256, 256, 0, 0)(data.data, j, k);
        }
    CHECK(cudaGetLastError());
    std::vector<unsigned> out = data.download();
    std::sort(in.begin(), in.end());
    EXPECT(out == in);
    std::printf("median %u digest %016llx\n", out[n / 2], (unsigned long long)digest(out));
    return passed();
}

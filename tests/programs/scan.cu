#include "program.h"

#ifdef __CUDACC__
// Exclusive scan: per block by doubling in shared memory, then block offsets added.
extern "C" __global__ void scan_blocks(const unsigned* in, unsigned* out, unsigned* totals, int n) {
    __shared__ unsigned buffer[2][512];
    int t = threadIdx.x, i = blockIdx.x * 512 + t, from = 0;
    unsigned own = i < n ? in[i] : 0;
    buffer[0][t] = own;
    __syncthreads();
    for (int d = 1; d < 512; d *= 2) {
        buffer[1 - from][t] = t >= d ? buffer[from][t] + buffer[from][t - d] : buffer[from][t];
        from = 1 - from;
        __syncthreads();
    }
    if (i < n) out[i] = buffer[from][t] - own;
    if (t == 511) totals[blockIdx.x] = buffer[from][t];
}
extern "C" __global__ void add_offsets(unsigned* out, const unsigned* offsets, int n) {
    int i = blockIdx.x * 512 + threadIdx.x;
    if (i < n) out[i] += offsets[blockIdx.x];
}
#endif

int main() {
    const int n = 100000, blocks = (n + 511) / 512;
    std::vector<unsigned> in(n);
    for (int i = 0; i < n; i++) in[i] = hash32(i) % 100;
    DeviceArray<unsigned> din(in), dout(n), totals(blocks), offsets(blocks), unused(1);
    LAUNCH(scan_blocks, blocks, 512, 0, 0)(din.data, dout.data, totals.data, n);
    LAUNCH(scan_blocks, 1, 512, 0, 0)(totals.data, offsets.data, unused.data, blocks);
    LAUNCH(add_offsets, blocks, 512, 0, 0)(dout.data, offsets.data, n);
    CHECK(cudaGetLastError());
    std::vector<unsigned> out = dout.download();
    unsigned sum = 0;
    for (int i = 0; i < n; i++) {
        EXPECT(out[i] == sum);
        sum += in[i];
    }
    std::printf("last %u digest %016llx\n", out[n - 1], (unsigned long long)digest(out));
    return passed();
}

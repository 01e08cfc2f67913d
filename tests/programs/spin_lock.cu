#include "program.h"

#ifdef __CUDACC__
extern "C" {
__device__ int lock;
__device__ volatile int flags[64];
}
// Lanes of one warp and blocks of one grid contend for a lock: needs independent thread scheduling.
extern "C" __global__ void locked_sum(int* out) {
    bool done = false;
    while (!done) {
        if (atomicCAS(&lock, 0, 1) == 0) {
            __threadfence();
            int v = *(volatile int*)out;
            *(volatile int*)out = v + threadIdx.x;
            __threadfence();
            atomicExch(&lock, 0);
            done = true;
        }
    }
}
// Block b waits for a value of block b - 1.
extern "C" __global__ void chain(int* out) {
    if (threadIdx.x == 0) {
        int before = 0;
        if (blockIdx.x > 0)
            while ((before = flags[blockIdx.x - 1]) == 0) {}
        __threadfence();
        flags[blockIdx.x] = before + blockIdx.x + 1;
        out[blockIdx.x] = before + blockIdx.x + 1;
    }
}
#endif

int main() {
    DeviceArray<int> sum(std::vector<int>{0}), steps(64);
    LAUNCH(locked_sum, 8, 64, 0, 0)(sum.data);
    LAUNCH(chain, 64, 32, 0, 0)(steps.data);
    CHECK(cudaGetLastError());
    CHECK(cudaDeviceSynchronize());
    int total = sum.download()[0];
    std::vector<int> s = steps.download();
    std::printf("sum %d last %d\n", total, s[63]);
    EXPECT(total == 8 * 64 * 63 / 2 && s[63] == 64 * 65 / 2);
    return passed();
}

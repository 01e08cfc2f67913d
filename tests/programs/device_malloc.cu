#include "program.h"

#ifdef __CUDACC__
extern "C" {
__device__ int* kept[64];
}
// Blocks from the device heap live until freed, also across kernels.
extern "C" __global__ void take(int n) {
    int* p = (int*)malloc(n * sizeof(int));
    if (p)
        for (int i = 0; i < n; i++) p[i] = threadIdx.x * 1000 + i;
    kept[threadIdx.x] = p;
}
extern "C" __global__ void give(int* out, int n) {
    int* p = kept[threadIdx.x];
    int sum = 0;
    if (p)
        for (int i = 0; i < n; i++) sum += p[i];
    out[threadIdx.x] = p ? sum : -1;
    free(p);
    int* q = new int[4];
    q[threadIdx.x & 3] = 5;
    out[threadIdx.x] += q[threadIdx.x & 3];
    delete[] q;
}
extern "C" __global__ void too_much(int* out) {
    void* p = malloc(1ull << 40);
    out[0] = p == nullptr;
    free(p);
}
#endif

int main() {
    const int n = 20;
    DeviceArray<int> out(64), none(1);
    LAUNCH(take, 1, 64, 0, 0)(n);
    LAUNCH(give, 1, 64, 0, 0)(out.data, n);
    LAUNCH(too_much, 1, 1, 0, 0)(none.data);
    CHECK(cudaGetLastError());
    CHECK(cudaDeviceSynchronize());
    std::vector<int> sums = out.download();
    for (int t = 0; t < 64; t++) EXPECT(sums[t] == t * 1000 * n + n * (n - 1) / 2 + 5);
    EXPECT(none.download()[0] == 1);
    std::printf("sum 63 %d\n", sums[63]);
    return passed();
}

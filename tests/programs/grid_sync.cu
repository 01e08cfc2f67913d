#include "program.h"

#ifdef __CUDACC__
#include <cooperative_groups.h>
namespace cg = cooperative_groups;
// A cooperative launch: all blocks meet between the phases.
extern "C" __global__ void phases(int* data, int n, int rounds) {
    cg::grid_group grid = cg::this_grid();
    int i = grid.thread_rank();
    for (int r = 0; r < rounds; r++) {
        int v = data[(i + 1) % n] + data[(i + n - 1) % n];
        grid.sync();
        data[i] = v & 0xffff;
        grid.sync();
    }
}
#endif

int main() {
    const int block = 64, blocks = 4, n = block * blocks, rounds = 5;
    std::vector<int> a(n), b(n);
    for (int i = 0; i < n; i++) a[i] = int(hash32(i) & 0xff);
    DeviceArray<int> data(a);
    int count = n, turns = rounds;
    void* arguments[] = {&data.data, &count, &turns};
#ifdef __CUDACC__
    CHECK(cudaLaunchCooperativeKernel((const void*)phases, dim3(blocks), dim3(block), arguments, 0, 0));
#else
    CHECK(cudaLaunchCooperativeKernel("phases", dim3(blocks), dim3(block), arguments, 0, 0));
#endif
    CHECK(cudaDeviceSynchronize());
    for (int r = 0; r < rounds; r++) {
        for (int i = 0; i < n; i++) b[i] = (a[(i + 1) % n] + a[(i + n - 1) % n]) & 0xffff;
        a.swap(b);
    }
    EXPECT(data.download() == a);
    std::printf("digest %016llx\n", (unsigned long long)digest(a));
    return passed();
}

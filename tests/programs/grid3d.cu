#include "program.h"

#ifdef __CUDACC__
extern "C" __global__ void coordinates(unsigned* out) {
    unsigned x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    unsigned z = blockIdx.z * blockDim.z + threadIdx.z;
    unsigned w = gridDim.x * blockDim.x, h = gridDim.y * blockDim.y;
    unsigned linear = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z), lane, warp;
    asm("mov.u32 %0, %%laneid;" : "=r"(lane));
    warp = linear / 32;
    out[(z * h + y) * w + x] = x | y << 8 | z << 16 | (lane == linear % 32) << 24 | warp << 25;
}
#endif

int main() {
    const dim3 grid(5, 4, 3), block(6, 5, 7);
    const unsigned w = grid.x * block.x, h = grid.y * block.y, d = grid.z * block.z;
    DeviceArray<unsigned> dout(w * h * d);
    LAUNCH(coordinates, grid, block, 0, 0)(dout.data);
    CHECK(cudaGetLastError());
    std::vector<unsigned> out = dout.download();
    for (unsigned z = 0; z < d; z++)
        for (unsigned y = 0; y < h; y++)
            for (unsigned x = 0; x < w; x++) {
                unsigned linear = x % block.x + block.x * (y % block.y + block.y * (z % block.z));
                EXPECT(out[(z * h + y) * w + x] == (x | y << 8 | z << 16 | 1u << 24 | linear / 32 << 25));
            }
    std::printf("digest %016llx\n", (unsigned long long)digest(out));
    return passed();
}

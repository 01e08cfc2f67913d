// cooperative_groups::this_cluster(): needs sm_90.
#include "program.h"

#ifdef __CUDACC__
#include <cooperative_groups.h>
namespace cg = cooperative_groups;

extern "C" __global__ void __cluster_dims__(4, 1, 1) histogram(const unsigned char* in, unsigned* bins, int n) {
    __shared__ unsigned local[64];
    auto cluster = cg::this_cluster();
    for (unsigned b = threadIdx.x; b < 64; b += blockDim.x) local[b] = 0;
    cluster.sync();
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
        unsigned* remote = cluster.map_shared_rank(local, in[i] / 64);
        atomicAdd(remote + in[i] % 64, 1u);
    }
    cluster.sync();
    for (unsigned b = threadIdx.x; b < 64; b += blockDim.x) atomicAdd(&bins[cluster.block_rank() * 64 + b], local[b]);
}

extern "C" __global__ void __cluster_dims__(2, 2, 1) shape(unsigned* out) {
    auto cluster = cg::this_cluster();
    __shared__ unsigned value;
    if (threadIdx.x == 0) value = blockIdx.y * gridDim.x + blockIdx.x;
    auto token = cluster.barrier_arrive();
    cluster.barrier_wait(cuda::std::move(token));
    unsigned sum = 0;
    for (unsigned r = 0; r < cluster.num_blocks(); r++) sum = sum * 100 + *cluster.map_shared_rank(&value, r);
    cluster.sync();
    if (threadIdx.x == 0) {
        unsigned* to = out + 4 * (blockIdx.y * gridDim.x + blockIdx.x);
        to[0] = sum, to[1] = cluster.block_rank(), to[2] = cluster.dim_blocks().y, to[3] = cluster.query_shared_rank(cluster.map_shared_rank(&value, 3));
    }
}
#endif

int main() {
    const int n = 100003;
    std::vector<unsigned char> in(n);
    std::vector<unsigned> expected(256);
    for (int i = 0; i < n; i++) expected[in[i] = (unsigned char)(hash32(i) & hash32(i + n))]++;
    DeviceArray<unsigned char> din(in);
    DeviceArray<unsigned> bins(256);
    CHECK(cudaMemset(bins.data, 0, 1024));
    LAUNCH(histogram, 16, 128, 0, 0)(din.data, bins.data, n);
    CHECK(cudaGetLastError());
    std::vector<unsigned> result = bins.download();
    EXPECT(result == expected);
    std::printf("histogram %u %u digest %016llx\n", result[0], result[255], (unsigned long long)digest(result));
    CHECK(cudaMemset(bins.data, 0, 1024));
    LAUNCH(shape, dim3(4, 4, 1), 64, 0, 0)(bins.data);
    CHECK(cudaGetLastError());
    result = bins.download();
    std::printf("shape %u %u %u %u digest %016llx\n", result[20], result[21], result[22], result[23], (unsigned long long)digest(result));
    return passed();
}

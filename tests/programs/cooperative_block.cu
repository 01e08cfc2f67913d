#include "program.h"

#ifdef __CUDACC__
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
namespace cg = cooperative_groups;

extern "C" __global__ void groups(const int* in, int* out) {
    cg::thread_block block = cg::this_thread_block();
    auto tile32 = cg::tiled_partition<32>(block);
    auto tile8 = cg::tiled_partition<8>(tile32);
    int v = in[block.thread_rank()];
    __shared__ int shared[256];
    shared[block.thread_rank()] = v;
    block.sync();
    int mirrored = shared[block.size() - 1 - block.thread_rank()];
    int sum8 = cg::reduce(tile8, v, cg::plus<int>());
    int max32 = cg::reduce(tile32, v, cg::greater<int>());
    int from0 = tile8.shfl(v, 0), neighbour = tile32.shfl_xor(v, 1);
    unsigned odd = tile32.ballot(v & 1);
    int any = tile8.any(v > 900), all = tile8.all(v > 100);
    int rank = -1, size = -1;
    if (v & 1) {   // the lanes that came here together
        auto together = cg::coalesced_threads();
        rank = together.thread_rank();
        size = together.size();
        together.sync();
    }
    int* o = out + 10 * block.thread_rank();
    o[0] = mirrored, o[1] = sum8, o[2] = max32, o[3] = from0, o[4] = neighbour, o[5] = (int)odd, o[6] = any, o[7] = all;
    o[8] = rank, o[9] = size;
}
#endif

int main() {
    const int n = 256;
    std::vector<int> in(n);
    for (int i = 0; i < n; i++) in[i] = int(hash32(i) % 1000);
    DeviceArray<int> din(in), dout(10 * n);
    LAUNCH(groups, 1, n, 0, 0)(din.data, dout.data);
    CHECK(cudaGetLastError());
    std::vector<int> out = dout.download();
    for (int i = 0; i < n; i++) {
        int sum = 0, maximum = 0, any = 0, all = 1, below = 0, count = 0;
        unsigned odd = 0;
        for (int k = i / 8 * 8; k < i / 8 * 8 + 8; k++) sum += in[k], any |= in[k] > 900, all &= in[k] > 100;
        for (int k = i / 32 * 32; k < i / 32 * 32 + 32; k++) {
            maximum = in[k] > maximum ? in[k] : maximum;
            odd |= (in[k] & 1u) << (k % 32);
            if (in[k] & 1) count++, below += k < i;
        }
        const int* o = &out[10 * i];
        EXPECT(o[0] == in[n - 1 - i] && o[1] == sum && o[2] == maximum && o[3] == in[i / 8 * 8] && o[4] == in[i ^ 1]);
        EXPECT((unsigned)o[5] == odd && o[6] == any && o[7] == all);
        EXPECT(o[8] == (in[i] & 1 ? below : -1) && o[9] == (in[i] & 1 ? count : -1));
    }
    std::printf("digest %016llx\n", (unsigned long long)digest(out));
    return passed();
}

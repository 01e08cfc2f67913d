#include "program.h"

#ifdef __CUDACC__
// Votes, matches and shuffles under partial masks, in both arms of a divergent branch.
extern "C" __global__ void votes(const int* in, unsigned* out) {
    int lane = threadIdx.x % 32, v = in[threadIdx.x];
    unsigned* o = out + 8 * threadIdx.x;
    if (lane % 3 == 0) {
        const unsigned mask = 0x49249249u;
        o[0] = __ballot_sync(mask, v > 50);
        o[1] = __any_sync(mask, v > 95) * 2 + __all_sync(mask, v >= 0);
        o[2] = __match_any_sync(mask, v / 10);
        o[3] = __shfl_sync(mask, v, (lane + 3) % 33 == 33 ? 0 : (lane + 3) % 33);
    } else {
        const unsigned mask = ~0x49249249u;
        o[0] = __ballot_sync(mask, v & 1);
        o[1] = __any_sync(mask, v == 77) * 2 + __all_sync(mask, v < 99);
        int same = 0;
        o[2] = __match_all_sync(mask, v / 1000, &same) + same;
        o[3] = __shfl_xor_sync(mask, v, 0);
    }
    __syncwarp();
    o[4] = __ballot_sync(0xffffffffu, v > 50);
    o[5] = __reduce_add_sync(0xffffffffu, (unsigned)v);
    o[6] = lane < 16 ? __reduce_max_sync(0xffffu, (unsigned)v) : __reduce_xor_sync(0xffff0000u, (unsigned)v);
    o[7] = __popc(__activemask());
    if (lane >= 20) return;   // the rest of the warp goes on without these
    o[7] += 100 * __popc(__ballot_sync(0xfffffu, v > 30));
}
#endif

int main() {
    const int n = 96;
    std::vector<int> in(n);
    for (int i = 0; i < n; i++) in[i] = int(hash32(i) % 100);
    DeviceArray<int> din(in);
    DeviceArray<unsigned> dout(8 * n);
    LAUNCH(votes, 1, n, 0, 0)(din.data, dout.data);
    CHECK(cudaGetLastError());
    std::vector<unsigned> out = dout.download();
    for (int i = 0; i < n; i++) {
        unsigned ballot = 0, sum = 0;
        for (int k = i / 32 * 32; k < i / 32 * 32 + 32; k++) ballot |= unsigned(in[k] > 50) << (k % 32), sum += in[k];
        EXPECT(out[8 * i + 4] == ballot && out[8 * i + 5] == sum);
        EXPECT(out[8 * i] == (i % 32 % 3 == 0 ? ballot & 0x49249249u : out[8 * i]));
    }
    for (int c = 0; c < 8; c++) {
        std::vector<unsigned> column(n);
        for (int i = 0; i < n; i++) column[i] = out[8 * i + c];
        std::printf("column %d: %08x %08x digest %016llx\n", c, column[0], column[1], (unsigned long long)digest(column));
    }
    return passed();
}

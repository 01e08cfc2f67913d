#include "program.h"

#ifdef __CUDACC__
// Warp operations whose masks name lanes that do not exist (a block that is no whole number of warps) or that have
// exited, and shuffles that read from lanes outside of the mask: they give 0 there.
extern "C" __global__ void shuffles(unsigned* out, int mode, int by, unsigned width, unsigned exited, unsigned mask) {
    const unsigned lane = threadIdx.x % 32, value = 1000 + 7 * threadIdx.x;
    out[threadIdx.x] = 1;
    if (exited >> lane & 1) return;
    if (!(mask >> lane & 1)) return __syncwarp();
    unsigned got = 0;
    if (mode == 0) got = __shfl_sync(mask, value, by, width);
    if (mode == 1) got = __shfl_up_sync(mask, value, by, width);
    if (mode == 2) got = __shfl_down_sync(mask, value, by, width);
    if (mode == 3) got = __shfl_xor_sync(mask, value, by, width);
    out[threadIdx.x] = got;
    __syncwarp();
}

extern "C" __global__ void others(unsigned* out, unsigned exited) {
    const unsigned lane = threadIdx.x % 32, mask = ~0u;
    if (exited >> lane & 1) return;
    unsigned* mine = out + 12 * threadIdx.x;
    int same = 0;
    mine[0] = __ballot_sync(mask, lane & 1);
    mine[1] = __all_sync(mask, 1);
    mine[2] = __any_sync(mask, 0);
    mine[3] = __match_any_sync(mask, lane / 8);
    mine[4] = __match_all_sync(mask, 5, &same);
    mine[5] = same;
    mine[6] = __activemask();
    mine[7] = __reduce_add_sync(mask, lane + 1);
    mine[8] = __reduce_min_sync(mask, lane + 1);
    mine[9] = __reduce_and_sync(mask, lane | 32);
    mine[10] = __reduce_max_sync(mask, lane + 1);
    mine[11] = __reduce_xor_sync(mask, lane + 1);
}
#endif

static void print(const char* what, const std::vector<unsigned>& values) {
    std::printf("%s:", what);
    for (unsigned value : values) std::printf(" %x", value);
    std::printf("\n");
}

static void shuffle(int threads, unsigned exited, unsigned mask) {
    for (int mode = 0; mode < 4; mode++)
        for (int by : {1, 4, 16})
            for (unsigned width : {32u, 8u}) {
                DeviceArray<unsigned> out(threads);
                LAUNCH(shuffles, 1, threads, 0, 0)(out.data, mode, by, width, exited, mask);
                char name[80];
                std::snprintf(name, sizeof name, "%d threads, mode %d by %d of %u", threads, mode, by, width);
                print(name, out.download());
            }
}

int main() {
    for (int threads : {1, 20, 48})
        for (unsigned exited : {0u, 0xf0u}) {
            std::printf("exited %x\n", exited);
            shuffle(threads, exited, ~0u);
            DeviceArray<unsigned> out(std::vector<unsigned>(12 * threads));
            LAUNCH(others, 1, threads, 0, 0)(out.data, exited);
            print("others", out.download());
        }
    for (unsigned mask : {0x55555555u, 0xffffu, 0xff00ff0fu}) {
        std::printf("mask %x\n", mask);
        shuffle(32, 0, mask);
    }
    return passed();
}

// Launches that cannot be: the error comes at once, and does not stay. Which kernels may be launched in which shapes is
// decided before anything runs.
#include "program.h"

#ifdef __CUDACC__
extern "C" __global__ void plain(int* out) { *out = 1; }
extern "C" __global__ void __launch_bounds__(64) bounded(int* out) { *out = 2; }
#endif

static int* out;

#define REPORT(what, kernel, grid, block, shared)                                                                     \
    do {                                                                                                              \
        LAUNCH(kernel, grid, block, shared, 0)(out);                                                                  \
        int at_launch = cudaGetLastError();                                                                           \
        int again = cudaGetLastError();                                                                               \
        int at_end = cudaDeviceSynchronize();                                                                         \
        std::printf("%-20s launch %d, again %d, synchronise %d\n", what, at_launch, again, at_end);                   \
    } while (0)

int main() {
    DeviceArray<int> word(std::vector<int>{0});
    out = word.data;
    REPORT("2000 threads", plain, 1, 2000, 0);
    REPORT("no threads", plain, 1, 0, 0);
    REPORT("no blocks", plain, 0, 32, 0);
    REPORT("65 in z", plain, 1, dim3(1, 1, 65), 0);
    REPORT("1025 in y", plain, 1, dim3(1, 1025), 0);
    REPORT("65536 blocks in y", plain, dim3(1, 65536), 32, 0);
    REPORT("65536 blocks in z", plain, dim3(1, 1, 65536), 32, 0);
    REPORT("49153 bytes shared", plain, 1, 32, 49153);
    REPORT("1 MiB shared", plain, 1, 32, 1 << 20);
    REPORT("above its bounds", bounded, 1, 128, 0);
    EXPECT(word.download()[0] == 0);
    std::printf("1 MiB allowed: %d\n", int(cudaFuncSetAttribute(SYMBOL(plain), cudaFuncAttributeMaxDynamicSharedMemorySize, 1 << 20)));
    std::printf("then: %d\n", int(cudaGetLastError()));
    REPORT("1024 threads", plain, 1, 1024, 49152);
    EXPECT(word.download()[0] == 1);
    REPORT("within its bounds", bounded, 1, 64, 0);
    EXPECT(word.download()[0] == 2);
    void* none = nullptr;
    std::printf("1 PiB: %d", int(cudaMalloc(&none, size_t(1) << 50)));
    std::printf(", then %d\n", int(cudaGetLastError()));
    return passed();
}

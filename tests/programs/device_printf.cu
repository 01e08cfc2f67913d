#include "program.h"

#ifdef __CUDACC__
extern "C" __global__ void say(int n) {
    if (threadIdx.x == 0) {
        printf("plain\n");
        printf("int %d %5d|%-5d|%05d %+d %i\n", -7, 42, 42, 42, 42, n);
        printf("unsigned %u hex %x %X %#x octal %o\n", 4000000000u, 255, 255, 255, 8);
        printf("long %ld %lld %llu %lx\n", -5L, 1LL << 40, ~0ULL, 0x123456789abcL);
        printf("float %f %.3f %8.2f|%-8.2f| %e %g %G\n", 1.5, 3.14159, 2.5, 2.5, 12345.678, 0.0001, 1e20);
        printf("char %c string %s|%10s|%-10s|%.2s percent %%\n", 'Q', "hello", "right", "left", "cut");
        printf("special %f %f %f\n", 1.0 / 0.0, -1.0 / 0.0, (double)NAN);
        printf("star %*d|%.*f\n", 6, 33, 2, 1.23456);
    }
    __syncthreads();
    if (threadIdx.x < 4) {
        for (int turn = 0; turn < 4; turn++) {   // one thread at a time, so that the order is fixed
            if (turn == threadIdx.x) printf("thread %d of block %d, returned %d\n", threadIdx.x, blockIdx.x, printf("."));
            __syncwarp(0xf);
        }
    }
}
#endif

int main() {
    LAUNCH(say, 1, 32, 0, 0)(123456);
    CHECK(cudaGetLastError());
    CHECK(cudaDeviceSynchronize());
    std::fflush(stdout);
    return passed();
}

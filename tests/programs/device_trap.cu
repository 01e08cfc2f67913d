#include "program.h"

#ifdef __CUDACC__
extern "C" __global__ void trap_at(int thread, int* out) {
    if ((int)threadIdx.x == thread) __trap();
    out[threadIdx.x] = 2;
}
#endif

int main() {
    int* out;
    CHECK(cudaMalloc((void**)&out, 64 * sizeof(int)));
    LAUNCH(trap_at, 1, 64, 0, 0)(-1, out);
    CHECK(cudaDeviceSynchronize());
    LAUNCH(trap_at, 4, 64, 0, 0)(33, out);
    cudaError_t status = cudaDeviceSynchronize();
    std::printf("synchronize %d %s\n", int(status), cudaGetErrorName(status));
    EXPECT(status == cudaErrorLaunchFailure);
    LAUNCH(trap_at, 1, 64, 0, 0)(-1, out);
    status = cudaGetLastError();
    std::printf("next launch %d\n", int(status));
    EXPECT(status == cudaErrorLaunchFailure);
    return passed();
}

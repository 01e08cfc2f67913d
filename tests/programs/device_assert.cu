#include "program.h"

#ifdef __CUDACC__
#undef NDEBUG
#include <cassert>
extern "C" __global__ void must_be_small(int limit, int* out) {
    assert((int)threadIdx.x < limit);
    out[threadIdx.x] = 1;
}
#endif

int main() {
    int *out, unused = 0;
    CHECK(cudaMalloc((void**)&out, 64 * sizeof(int)));
    LAUNCH(must_be_small, 1, 64, 0, 0)(64, out);
    CHECK(cudaDeviceSynchronize());
    LAUNCH(must_be_small, 2, 64, 0, 0)(63, out);
    cudaError_t status = cudaDeviceSynchronize();
    std::printf("synchronize %d %s\n", int(status), cudaGetErrorName(status));
    EXPECT(status == cudaErrorAssert);
    status = cudaMemcpy(&unused, out, 4, cudaMemcpyDeviceToHost);   // the context is lost, the process is not
    std::printf("copy %d\n", int(status));
    EXPECT(status == cudaErrorAssert);
    status = cudaMalloc((void**)&out, 4);
    std::printf("malloc %d\n", int(status));
    return passed();
}

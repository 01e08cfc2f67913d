// A program linked with a static library of device code (nvcc -lib): inline and template functions that several files
// have, a function table, managed and constant variables across files.
#include "program.h"

#include "rdc_library.h"

#ifdef __CUDACC__
extern __device__ Operation operations[3];
extern __managed__ int managed_total;
extern __constant__ int weights[4];

__global__ void use(int* out) {
    const int i = threadIdx.x;
    out[i] = operations[i % 3](i, twice(i)) + Counter<int>::next(i) + weights[i % 4] + from_library(i);
    atomicAdd(&managed_total, i);
}
#endif

int main() {
    DeviceArray<int> out(32);
    use<<<1, 32>>>(out.data);
    CHECK(cudaGetLastError());
    CHECK(cudaDeviceSynchronize());
    std::vector<int> o = out.download();
    for (int i = 0; i < 32; i++) {
        const int t = 2 * i;
        const int picked = i % 3 == 0 ? i + t : i % 3 == 1 ? i * t : i - t;
        EXPECT(o[i] == picked + (i + 1) + (i % 4 + 1) * 10 + (i + 1) * 1000 + t);
    }
    std::printf("total %d, digest %016llx\n", host_view_of_total(), (unsigned long long)digest(o));
    return passed();
}

#include "program.h"

#ifdef __CUDACC__
extern "C" {
__constant__ float coefficients[8];
__constant__ int table[4] = {2, 3, 5, 7};
__constant__ struct { char tag; short s; double d; } record = {'x', -5, 2.5};
}
extern "C" __global__ void polynomial(const float* in, float* out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float v = 0, x = in[i];
    for (int k = 7; k >= 0; k--) v = fmaf(v, x, coefficients[k]);
    out[i] = v + table[i & 3] + (float)record.d * record.s + (record.tag == 'x');
}
#endif

int main() {
    const int n = 1000;
    float coefficients_host[8] = {1, -0.5f, 0.25f, 3, -2, 0.125f, 7, -1};
    std::vector<float> in(n);
    for (int i = 0; i < n; i++) in[i] = unit_float(i);
    CHECK(cudaMemcpyToSymbol(SYMBOL(coefficients), coefficients_host, sizeof coefficients_host));
    DeviceArray<float> din(in), dout(n);
    LAUNCH(polynomial, 4, 256, 0, 0)(din.data, dout.data, n);
    CHECK(cudaGetLastError());
    std::vector<float> out = dout.download();
    const int primes[4] = {2, 3, 5, 7};
    for (int i = 0; i < n; i++) {
        float v = 0;
        for (int k = 7; k >= 0; k--) v = std::fmaf(v, in[i], coefficients_host[k]);
        EXPECT(std::fabs(out[i] - (v + primes[i & 3] - 12.5f + 1)) < 1e-4f);
    }
    std::printf("digest %016llx\n", (unsigned long long)digest(out));
    return passed();
}

#include "program.h"

#ifdef __CUDACC__
extern "C" __global__ void vector_add(const float* a, const float* b, float* c, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) c[i] = a[i] + b[i];
}
#endif

int main() {
    const int n = 100003;
    std::vector<float> a(n), b(n);
    for (int i = 0; i < n; i++) a[i] = unit_float(i), b[i] = unit_float(i + n) * 1000;
    DeviceArray<float> da(a), db(b), dc(n);
    LAUNCH(vector_add, (n + 255) / 256, 256, 0, 0)(da.data, db.data, dc.data, n);
    CHECK(cudaGetLastError());
    std::vector<float> c = dc.download();
    for (int i = 0; i < n; i++) EXPECT(c[i] == a[i] + b[i]);
    std::printf("digest %016llx\n", (unsigned long long)digest(c));
    return passed();
}

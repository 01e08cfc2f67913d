#include "program.h"

#ifdef __CUDACC__
// C = A * B by 16 x 16 tiles in shared memory; sizes need not be multiples of the tile.
extern "C" __global__ void matmul_tiled(const float* a, const float* b, float* c, int m, int n, int k) {
    __shared__ float ta[16][16], tb[16][17];
    int row = blockIdx.y * 16 + threadIdx.y, column = blockIdx.x * 16 + threadIdx.x;
    float sum = 0;
    for (int t = 0; t < k; t += 16) {
        int ka = t + threadIdx.x, kb = t + threadIdx.y;
        ta[threadIdx.y][threadIdx.x] = row < m && ka < k ? a[row * k + ka] : 0;
        tb[threadIdx.y][threadIdx.x] = kb < k && column < n ? b[kb * n + column] : 0;
        __syncthreads();
        for (int i = 0; i < 16; i++) sum += ta[threadIdx.y][i] * tb[i][threadIdx.x];
        __syncthreads();
    }
    if (row < m && column < n) c[row * n + column] = sum;
}
#endif

int main() {
    const int m = 150, n = 131, k = 97;
    std::vector<float> a(m * k), b(k * n);
    for (size_t i = 0; i < a.size(); i++) a[i] = unit_float(i) - 0.5f;
    for (size_t i = 0; i < b.size(); i++) b[i] = unit_float(i + 77777) - 0.5f;
    DeviceArray<float> da(a), db(b), dc(m * n);
    LAUNCH(matmul_tiled, dim3((n + 15) / 16, (m + 15) / 16), dim3(16, 16), 0, 0)(da.data, db.data, dc.data, m, n, k);
    CHECK(cudaGetLastError());
    std::vector<float> c = dc.download();
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            float sum = 0;   // the kernel's own order, fused as the compiler fuses it
            for (int l = 0; l < (k + 15) / 16 * 16; l++)
                sum = std::fmaf(l < k ? a[i * k + l] : 0, l < k ? b[l * n + j] : 0, sum);
            EXPECT(c[i * n + j] == sum || std::fabs(c[i * n + j] - sum) < 1e-5f);
        }
    std::printf("digest %016llx\n", (unsigned long long)digest(c));
    return passed();
}

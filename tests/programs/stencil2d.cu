#include "program.h"

#ifdef __CUDACC__
// Nine-point stencil of radius 2 with a halo in shared memory and clamped borders; pitched rows.
extern "C" __global__ void stencil2d(const char* in, char* out, size_t pitch, int width, int height) {
    __shared__ float tile[8 + 4][32 + 4];
    int x0 = blockIdx.x * 32, y0 = blockIdx.y * 8;
    for (int t = threadIdx.y * 32 + threadIdx.x; t < 12 * 36; t += 256) {
        int tx = t % 36, ty = t / 36;
        int x = min(max(x0 + tx - 2, 0), width - 1), y = min(max(y0 + ty - 2, 0), height - 1);
        tile[ty][tx] = ((const float*)(in + y * pitch))[x];
    }
    __syncthreads();
    int x = x0 + threadIdx.x, y = y0 + threadIdx.y, tx = threadIdx.x + 2, ty = threadIdx.y + 2;
    if (x >= width || y >= height) return;
    float v = 0.5f * tile[ty][tx];
    for (int d = 1; d <= 2; d++) v += 0.0625f * (tile[ty - d][tx] + tile[ty + d][tx] + tile[ty][tx - d] + tile[ty][tx + d]);
    ((float*)(out + y * pitch))[x] = v;
}
#endif

int main() {
    const int width = 201, height = 77;
    std::vector<float> in(width * height), out(width * height);
    for (size_t i = 0; i < in.size(); i++) in[i] = float(hash32(i) % 256);
    char *a, *b;
    size_t pitch = 0;
    CHECK(cudaMallocPitch((void**)&a, &pitch, width * sizeof(float), height));
    CHECK(cudaMallocPitch((void**)&b, &pitch, width * sizeof(float), height));
    EXPECT(pitch >= width * sizeof(float));
    const size_t row = width * sizeof(float);
    CHECK(cudaMemcpy2D(a, pitch, in.data(), row, row, height, cudaMemcpyHostToDevice));
    LAUNCH(stencil2d, dim3((width + 31) / 32, (height + 7) / 8), dim3(32, 8), 0, 0)(a, b, pitch, width, height);
    CHECK(cudaGetLastError());
    CHECK(cudaMemcpy2D(out.data(), row, b, pitch, row, height, cudaMemcpyDeviceToHost));
    auto at = [&](int x, int y) {
        x = x < 0 ? 0 : x >= width ? width - 1 : x;
        y = y < 0 ? 0 : y >= height ? height - 1 : y;
        return in[y * width + x];
    };
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {   // every value is a small multiple of 1/16: exact in any order
            float v = 0.5f * at(x, y);
            for (int d = 1; d <= 2; d++) v += 0.0625f * (at(x, y - d) + at(x, y + d) + at(x - d, y) + at(x + d, y));
            EXPECT(out[y * width + x] == v);
        }
    CHECK(cudaFree(a));
    CHECK(cudaFree(b));
    std::printf("digest %016llx\n", (unsigned long long)digest(out));
    return passed();
}

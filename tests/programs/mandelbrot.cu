#include "program.h"

#ifdef __CUDACC__
extern "C" __global__ void mandelbrot(unsigned short* out, int width, int height, int limit) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= width || y >= height) return;
    float cr = -2.0f + 2.75f * x / width, ci = -1.25f + 2.5f * y / height, zr = 0, zi = 0;
    int i = 0;
    while (i < limit && zr * zr + zi * zi < 4.0f) {
        float t = zr * zr - zi * zi + cr;
        zi = 2 * zr * zi + ci;
        zr = t;
        i++;
    }
    out[y * width + x] = (unsigned short)i;
}
#endif

int main() {
    const int width = 250, height = 170, limit = 300;
    DeviceArray<unsigned short> image(width * height);
    LAUNCH(mandelbrot, dim3((width + 15) / 16, (height + 7) / 8), dim3(16, 8), 0, 0)(image.data, width, height, limit);
    CHECK(cudaGetLastError());
    std::vector<unsigned short> out = image.download();
    unsigned inside = 0;
    for (unsigned short v : out) inside += v == limit;
    EXPECT(inside > 5000 && inside < 15000);
    std::printf("inside %u digest %016llx\n", inside, (unsigned long long)digest(out));
    return passed();
}

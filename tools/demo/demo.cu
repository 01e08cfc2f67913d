// The demo of tools/bootstrap.sh: an ordinary CUDA program that knows nothing of Cuttle.
#include <cstdio>
#include <vector>

#ifdef __CUDACC__
#include <cuda_runtime.h>
#define LAUNCH(kernel, grid, block) kernel<<<grid, block>>>
extern "C" __global__ void mandelbrot(char* picture, int width, int height) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= width || y >= height) return;
    float cr = -2.1f + 2.9f * x / width, ci = -1.2f + 2.4f * y / height, zr = 0, zi = 0;
    int i = 0;
    for (; i < 80 && zr * zr + zi * zi < 4; i++) {
        float t = zr * zr - zi * zi + cr;
        zi = 2 * zr * zi + ci;
        zr = t;
    }
    const char shades[] = " .,:;+=x#%@";
    picture[y * width + x] = shades[i == 80 ? 10 : i < 7 ? i > 3 : 2 + i / 10];
}
#else
#include "driver_runtime.h"
#undef LAUNCH
#define LAUNCH(kernel, grid, block) cuttle_test::Launcher(#kernel, grid, block, 0, 0)
#endif

int main() {
    const int width = 72, height = 24;
    cudaDeviceProp device{};
    if (cudaGetDeviceProperties(&device, 0) != cudaSuccess) {
        std::printf("no CUDA device\n");
        return 1;
    }
    char* picture;
    if (cudaMalloc((void**)&picture, width * height) != cudaSuccess) return 1;
    LAUNCH(mandelbrot, dim3((width + 15) / 16, (height + 7) / 8), dim3(16, 8))(picture, width, height);
    std::vector<char> host(width * height);
    cudaError_t status = cudaMemcpy(host.data(), picture, host.size(), cudaMemcpyDeviceToHost);
    if (status != cudaSuccess) {
        std::printf("the kernel failed: %s\n", cudaGetErrorString(status));
        return 1;
    }
    for (int y = 0; y < height; y++) std::printf("%.*s\n", width, &host[y * width]);
    std::printf("computed on \"%s\", compute capability %d.%d\n", device.name, device.major, device.minor);
    cudaFree(picture);
}

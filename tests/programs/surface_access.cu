#include "program.h"

// Surfaces: written and read in place, with boundary modes, then read as a texture.

__global__ void paint(cudaSurfaceObject_t surface, int w, int h) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= w || y >= h) return;
    surf2Dwrite(make_float2(x * 0.5f, y * 0.25f), surface, x * int(sizeof(float2)), y);
    surf2Dwrite(make_float2(9, 9), surface, (x + w) * int(sizeof(float2)), y, cudaBoundaryModeZero); // beside: dropped
}

__global__ void blur(cudaSurfaceObject_t from, cudaSurfaceObject_t to, int w, int h) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= w || y >= h) return;
    float2 sum = make_float2(0, 0);
    for (int dy = -1; dy <= 1; dy++)
        for (int dx = -1; dx <= 1; dx++) {
            float2 v = dy ? surf2Dread<float2>(from, (x + dx) * 8, y + dy, cudaBoundaryModeClamp)
                          : surf2Dread<float2>(from, (x + dx) * 8, y + dy, cudaBoundaryModeZero);
            sum.x += v.x;
            sum.y += v.y;
        }
    surf2Dwrite(sum, to, x * 8, y);
}

__global__ void layers(cudaSurfaceObject_t surface, cudaSurfaceObject_t volume, int w, int h, int d) {
    int x = threadIdx.x, y = threadIdx.y, z = blockIdx.x;
    surf2DLayeredwrite((unsigned short)(x + 16 * y + 256 * z), surface, x * 2, y, z);
    surf3Dwrite(make_uchar4(x, y, z, x ^ y ^ z), volume, x * 4, y, z);
}

__global__ void sum_layers(cudaSurfaceObject_t surface, cudaSurfaceObject_t volume, unsigned* to) {
    int x = threadIdx.x, y = threadIdx.y, z = blockIdx.x;
    uchar4 v = surf3Dread<uchar4>(volume, x * 4, y, z);
    atomicAdd(to, surf2DLayeredread<unsigned short>(surface, x * 2, y, z) * 3u);
    atomicAdd(to + 1, v.x + 10u * v.y + 100u * v.z + 1000u * v.w);
}

__global__ void fetch(cudaTextureObject_t texture, float2* to, int w) {
    int x = threadIdx.x, y = blockIdx.x;
    to[y * w + x] = tex2D<float2>(texture, x + 0.75f, y + 0.5f);
}

static cudaSurfaceObject_t surface_of(cudaArray_t array) {
    cudaResourceDesc resource = {};
    resource.resType = cudaResourceTypeArray;
    resource.res.array.array = array;
    cudaSurfaceObject_t surface;
    CHECK(cudaCreateSurfaceObject(&surface, &resource));
    return surface;
}

int main() {
    const int w = 24, h = 10;
    cudaChannelFormatDesc pairs = cudaCreateChannelDesc<float2>();
    cudaArray_t a, b;
    CHECK(cudaMallocArray(&a, &pairs, w, h, cudaArraySurfaceLoadStore));
    CHECK(cudaMallocArray(&b, &pairs, w, h, cudaArraySurfaceLoadStore));
    cudaSurfaceObject_t from = surface_of(a), to = surface_of(b);
    dim3 block(8, 4), grid(3, 3);
    paint<<<grid, block>>>(from, w, h);
    blur<<<grid, block>>>(from, to, w, h);
    CHECK(cudaGetLastError());
    float2 back[w * h];
    CHECK(cudaMemcpy2DFromArray(back, w * 8, b, 0, 0, w * 8, h, cudaMemcpyDeviceToHost));
    for (int y = 0; y < h; y += 3) printf("row %d: %g %g, %g %g, %g %g\n", y, back[y * w].x, back[y * w].y, back[y * w + 11].x, back[y * w + 11].y, back[y * w + 23].x, back[y * w + 23].y);

    cudaResourceDesc resource = {};
    resource.resType = cudaResourceTypeArray;
    resource.res.array.array = b;
    cudaTextureDesc how = {};
    how.addressMode[0] = how.addressMode[1] = cudaAddressModeClamp;
    how.filterMode = cudaFilterModeLinear;
    cudaTextureObject_t texture;
    CHECK(cudaCreateTextureObject(&texture, &resource, &how, nullptr));
    DeviceArray<float2> fetched(w * h);
    fetch<<<h, w>>>(texture, fetched.data, w);
    CHECK(cudaMemcpy(back, fetched.data, sizeof back, cudaMemcpyDeviceToHost));
    double sum = 0;
    for (float2 v : back) sum += v.x + 2 * v.y;
    printf("as a texture: %.6f, last %g %g\n", sum, back[w * h - 1].x, back[w * h - 1].y);

    cudaChannelFormatDesc words = cudaCreateChannelDesc<unsigned short>(), bytes = cudaCreateChannelDesc<uchar4>();
    cudaArray_t stack, volume;
    CHECK(cudaMalloc3DArray(&stack, &words, make_cudaExtent(16, 8, 5), cudaArrayLayered | cudaArraySurfaceLoadStore));
    CHECK(cudaMalloc3DArray(&volume, &bytes, make_cudaExtent(16, 8, 5), cudaArraySurfaceLoadStore));
    cudaSurfaceObject_t s = surface_of(stack), v = surface_of(volume);
    layers<<<5, dim3(16, 8)>>>(s, v, 16, 8, 5);
    DeviceArray<unsigned> sums(2);
    CHECK(cudaMemset(sums.data, 0, 8));
    sum_layers<<<5, dim3(16, 8)>>>(s, v, sums.data);
    unsigned total[2];
    CHECK(cudaMemcpy(total, sums.data, 8, cudaMemcpyDeviceToHost));
    printf("layers %u volume %u\n", total[0], total[1]);
    cudaChannelFormatDesc found;
    cudaExtent extent;
    unsigned flags;
    CHECK(cudaArrayGetInfo(&found, &extent, &flags, stack));
    printf("array: %d bits, kind %d, %zu x %zu x %zu, flags %u\n", found.x, int(found.f), extent.width, extent.height, extent.depth, flags);
    puts("PASSED");
    return 0;
}

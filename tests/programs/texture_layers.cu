#include "program.h"

// Layered textures, cube maps, mipmaps and linear memory.

__global__ void layered(cudaTextureObject_t texture, float* to) {
    int i = threadIdx.x, layer = blockIdx.x;
    to[layer * 64 + i] = tex2DLayered<float>(texture, fmaf(float(i % 8), 1.1f, -0.4f), (i / 8) * 0.9f, layer - 1);
}

__global__ void cube(cudaTextureObject_t texture, float* to) {
    int i = threadIdx.x, face = blockIdx.x;
    float s = (i % 8 + 0.5f) / 4 - 1, t = (i / 8 + 0.5f) / 4 - 1;
    float x = face == 0 ? 1 : face == 1 ? -1 : s, y = face == 2 ? 1 : face == 3 ? -1 : face < 2 ? s : t;
    float z = face == 4 ? 1 : face == 5 ? -1 : t;
    to[face * 64 + i] = texCubemap<float>(texture, x, y, z);
}

__global__ void levels(cudaTextureObject_t texture, float4* to) {
    int i = threadIdx.x;
    float lod = fmaf(float(blockIdx.x), 0.29f, -0.5f);
    to[blockIdx.x * 64 + i] = tex2DLod<float4>(texture, (i % 8) * 0.137f, (i / 8) * 0.121f, lod);
}

__global__ void linear(cudaTextureObject_t texture, int* to) {
    int i = threadIdx.x;
    to[i] = tex1Dfetch<int>(texture, i - 16);
}

__global__ void gather(cudaTextureObject_t texture, float4* to) {
    int i = threadIdx.x;
    to[i] = tex2Dgather<float4>(texture, (i % 8) + 0.8f, (i / 8) * 0.7f, 0);
}

static void show(const char* name, const void* data, size_t words) {
    const unsigned* w = (const unsigned*)data;
    unsigned h = 2166136261u;
    for (size_t i = 0; i < words; i++) h = (h ^ w[i]) * 16777619u;
    printf("%s: %08x, %08x %08x %08x %08x\n", name, h, w[0], w[words / 3], w[words / 2], w[words - 1]);
}

static cudaTextureObject_t texture_of(const cudaResourceDesc& resource, bool linear, bool normalized, cudaTextureReadMode read,
                                      float most = 0) {
    cudaTextureDesc how = {};
    for (auto& mode : how.addressMode) mode = cudaAddressModeClamp;
    how.filterMode = linear ? cudaFilterModeLinear : cudaFilterModePoint;
    how.mipmapFilterMode = cudaFilterModeLinear;
    how.normalizedCoords = normalized;
    how.readMode = read;
    how.maxMipmapLevelClamp = most;
    cudaTextureObject_t texture;
    CHECK(cudaCreateTextureObject(&texture, &resource, &how, nullptr));
    return texture;
}

static cudaArray_t filled(int flags, int w, int h, int d) {
    cudaChannelFormatDesc format = cudaCreateChannelDesc<float>();
    cudaArray_t array;
    if (flags == cudaArrayTextureGather)
        CHECK(cudaMallocArray(&array, &format, w, h, flags));
    else
        CHECK(cudaMalloc3DArray(&array, &format, make_cudaExtent(w, h, d), flags));
    float* texels = new float[w * h * d];
    for (int i = 0; i < w * h * d; i++) texels[i] = float((i * 7919) % 1009) / 8;
    cudaMemcpy3DParms copy = {};
    copy.srcPtr = make_cudaPitchedPtr(texels, w * 4, w, h);
    copy.dstArray = array;
    copy.extent = make_cudaExtent(w, h, d);
    copy.kind = cudaMemcpyHostToDevice;
    CHECK(cudaMemcpy3D(&copy));
    delete[] texels;
    return array;
}

int main() {
    static float back[6 * 64];
    static float4 wide[16 * 64];
    DeviceArray<float> results(6 * 64);
    DeviceArray<float4> wide_results(16 * 64);
    cudaResourceDesc resource = {};
    resource.resType = cudaResourceTypeArray;
    for (int linear_filter = 0; linear_filter < 2; linear_filter++) {
        resource.res.array.array = filled(cudaArrayLayered, 8, 8, 4);
        layered<<<6, 64>>>(texture_of(resource, linear_filter, false, cudaReadModeElementType), results.data);
        CHECK(cudaMemcpy(back, results.data, sizeof back, cudaMemcpyDeviceToHost));
        show("layers", back, 6 * 64);
        resource.res.array.array = filled(cudaArrayCubemap, 8, 8, 6);
        cube<<<6, 64>>>(texture_of(resource, linear_filter, true, cudaReadModeElementType), results.data);
        CHECK(cudaMemcpy(back, results.data, sizeof back, cudaMemcpyDeviceToHost));
        show("cube", back, 6 * 64);
    }
    resource.res.array.array = filled(cudaArrayTextureGather, 9, 7, 1);
    gather<<<1, 64>>>(texture_of(resource, false, false, cudaReadModeElementType), wide_results.data);
    CHECK(cudaMemcpy(wide, wide_results.data, 64 * sizeof(float4), cudaMemcpyDeviceToHost));
    show("gather", wide, 64 * 4);

    cudaChannelFormatDesc format = cudaCreateChannelDesc<uchar4>();
    cudaMipmappedArray_t mipmap;
    CHECK(cudaMallocMipmappedArray(&mipmap, &format, make_cudaExtent(32, 16, 0), 5));
    for (unsigned level = 0; level < 5; level++) {
        cudaArray_t array;
        CHECK(cudaGetMipmappedArrayLevel(&array, mipmap, level));
        int w = 32 >> level, h = 16 >> level;
        unsigned texels[32 * 16];
        for (int i = 0; i < w * h; i++) texels[i] = (i + 1) * 2654435761u + level * 40503u;
        CHECK(cudaMemcpy2DToArray(array, 0, 0, texels, w * 4, w * 4, h, cudaMemcpyHostToDevice));
    }
    resource.resType = cudaResourceTypeMipmappedArray;
    resource.res.mipmap.mipmap = mipmap;
    for (int linear_filter = 0; linear_filter < 2; linear_filter++) {
        levels<<<16, 64>>>(texture_of(resource, linear_filter, true, cudaReadModeNormalizedFloat, 3.5f), wide_results.data);
        CHECK(cudaMemcpy(wide, wide_results.data, sizeof wide, cudaMemcpyDeviceToHost));
        show("levels", wide, 16 * 64 * 4);
    }

    int numbers[64];
    for (int i = 0; i < 64; i++) numbers[i] = i * i - 99;
    DeviceArray<int> memory(64), fetched(96);
    CHECK(cudaMemcpy(memory.data, numbers, sizeof numbers, cudaMemcpyHostToDevice));
    resource = {};
    resource.resType = cudaResourceTypeLinear;
    resource.res.linear.devPtr = memory.data;
    resource.res.linear.desc = cudaCreateChannelDesc<int>();
    resource.res.linear.sizeInBytes = sizeof numbers;
    linear<<<1, 96>>>(texture_of(resource, false, false, cudaReadModeElementType), fetched.data);
    int got[96];
    CHECK(cudaMemcpy(got, fetched.data, sizeof got, cudaMemcpyDeviceToHost));
    show("linear memory", got, 96);
    puts("PASSED");
    return 0;
}

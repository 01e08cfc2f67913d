#include "program.h"

// Filters and address modes over formats: what the texture unit makes of coordinates in and around a texture.

template <class T> __global__ void sample(cudaTextureObject_t texture, T* to, int n, float scale) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float x = fmaf(float(i % 97), 0.37f, -6.1f) * scale, y = fmaf(float(i / 97), 0.53f, -3.3f) * scale;
    to[i] = tex2D<T>(texture, x, y);
}

static unsigned hash(const void* data, size_t bytes) {
    unsigned h = 2166136261u;
    for (size_t i = 0; i < bytes; i++) h = (h ^ ((const unsigned char*)data)[i]) * 16777619u;
    return h;
}

static unsigned state = 1;
static unsigned next() { return state = state * 1664525u + 1013904223u; }

template <class Texel> Texel texel();
template <> float texel() { return float(int(next() >> 8)) / 8388608.0f - 1.0f; }
template <> uchar4 texel() { unsigned w = next(); return make_uchar4(w >> 24, w >> 16, w >> 8, w >> 12); }
template <> short2 texel() { unsigned w = next(); return make_short2(short(w >> 16), short(w >> 9)); }
template <> int texel() { return int(next()); }

template <class Texel, class Result>
static void run(const char* name, cudaTextureReadMode read, int filter, int address, bool normalized) {
    const int w = 19, h = 11, n = 97 * 24;
    Texel texels[w * h];
    for (Texel& t : texels) t = texel<Texel>();
    cudaChannelFormatDesc format = cudaCreateChannelDesc<Texel>();
    cudaArray_t array;
    CHECK(cudaMallocArray(&array, &format, w, h));
    CHECK(cudaMemcpy2DToArray(array, 0, 0, texels, w * sizeof(Texel), w * sizeof(Texel), h, cudaMemcpyHostToDevice));
    cudaResourceDesc resource = {};
    resource.resType = cudaResourceTypeArray;
    resource.res.array.array = array;
    cudaTextureDesc how = {};
    for (auto& mode : how.addressMode) mode = cudaTextureAddressMode(address);
    how.filterMode = cudaTextureFilterMode(filter);
    how.readMode = read;
    how.normalizedCoords = normalized;
    how.borderColor[0] = 0.25f;
    how.borderColor[2] = 0.75f;
    cudaTextureObject_t texture;
    CHECK(cudaCreateTextureObject(&texture, &resource, &how, nullptr));
    DeviceArray<Result> results(n);
    sample<Result><<<(n + 127) / 128, 128>>>(texture, results.data, n, normalized ? 1 / 19.0f : 1.0f);
    CHECK(cudaGetLastError());
    static Result back[n];
    CHECK(cudaMemcpy(back, results.data, sizeof back, cudaMemcpyDeviceToHost));
    unsigned some[2];
    for (int k = 0; k < 2; k++) some[k] = *(unsigned*)&back[n / 3 * k + 777];
    printf("%s filter %d address %d normalized %d: %08x, %08x %08x\n", name, filter, address, int(normalized),
           hash(back, sizeof back), some[0], some[1]);
    CHECK(cudaDestroyTextureObject(texture));
    CHECK(cudaFreeArray(array));
}

int main() {
    for (int filter = 0; filter < 2; filter++)
        for (int address = 0; address < 4; address++)
            for (int normalized = 0; normalized < 2; normalized++) {
                run<float, float>("float", cudaReadModeElementType, filter, address, normalized);
                run<uchar4, float4>("uchar4", cudaReadModeNormalizedFloat, filter, address, normalized);
                run<short2, float2>("short2", cudaReadModeNormalizedFloat, filter, address, normalized);
                if (filter == 0) run<int, int>("int", cudaReadModeElementType, filter, address, normalized);
            }
    puts("PASSED");
    return 0;
}

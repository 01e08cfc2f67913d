// The device runtime beside launches: errors, queries, memory, copies.
#include "program.h"

#ifdef __CUDACC__
__global__ void nothing(int) {}
__global__ void __launch_bounds__(64) bounded(int) {}
__global__ void with_shared(int* out) {
    __shared__ int tile[300];
    tile[threadIdx.x] = threadIdx.x;
    __syncthreads();
    out[threadIdx.x] = tile[blockDim.x - 1 - threadIdx.x];
}

__device__ void tell(const char* what, cudaError_t status) {
    printf("%s: %d %s, %s\n", what, int(status), cudaGetErrorName(status), cudaGetErrorString(status));
}

__global__ void launch_errors(void) {
    tell("at first", cudaGetLastError());
    nothing<<<1, 32>>>(1);
    tell("good launch", cudaGetLastError());
    nothing<<<1, 2048>>>(1);
    tell("too many threads", cudaPeekAtLastError());
    tell("peeked", cudaGetLastError());
    tell("taken", cudaGetLastError());
    nothing<<<0, 32>>>(1);
    tell("no blocks", cudaGetLastError());
    nothing<<<1, 0>>>(1);
    tell("no threads", cudaGetLastError());
    nothing<<<dim3(1, 70000, 1), 1>>>(1);
    tell("too many blocks", cudaGetLastError());
    nothing<<<1, dim3(1, 1, 65)>>>(1);
    tell("too deep a block", cudaGetLastError());
    nothing<<<1, 32, 1 << 20>>>(1);
    tell("too much shared memory", cudaGetLastError());
    nothing<<<1, 32, 50 << 10>>>(1);
    tell("shared memory above the default", cudaGetLastError());
    bounded<<<1, 65>>>(1);
    tell("launch bounds", cudaGetLastError());
    tell("destroy no stream", cudaStreamDestroy(0));
    tell("wrong stream flags", [] {
        cudaStream_t stream;
        return cudaStreamCreateWithFlags(&stream, 0);
    }());
    tell("wrong event flags", [] {
        cudaEvent_t event;
        return cudaEventCreateWithFlags(&event, cudaEventDefault);
    }());
    tell("unknown", cudaError_t(12345));
}

/// One error a thread.
__global__ void own_errors(int* out) {
    if (threadIdx.x & 1) nothing<<<1, 4096>>>(1);
    __syncwarp();
    out[threadIdx.x] = cudaGetLastError();
}

__global__ void queries(int* out) {
    int n = 0, value = -1;
    out[n++] = cudaGetDevice(&value), out[n++] = value;
    out[n++] = cudaGetDeviceCount(&value), out[n++] = value >= 1;
    for (cudaDeviceAttr attribute : {cudaDevAttrMaxThreadsPerBlock, cudaDevAttrMaxBlockDimX, cudaDevAttrMaxBlockDimZ,
                                     cudaDevAttrMaxGridDimX, cudaDevAttrMaxGridDimY, cudaDevAttrWarpSize,
                                     cudaDevAttrMaxSharedMemoryPerBlock})
        out[n++] = cudaDeviceGetAttribute(&value, attribute, 0), out[n++] = value;
    out[n++] = cudaDeviceGetAttribute(&value, cudaDevAttrWarpSize, 77);
    out[n++] = cudaDeviceGetAttribute(&value, cudaDeviceAttr(9999), 0);
    out[n++] = cudaRuntimeGetVersion(&value);
    size_t limit = 0;
    out[n++] = cudaDeviceGetLimit(&limit, cudaLimitMallocHeapSize), out[n++] = int(limit);
    out[n++] = cudaDeviceGetLimit(&limit, cudaLimitStackSize), out[n++] = int(limit);
    out[n++] = cudaDeviceGetLimit(&limit, cudaLimitDevRuntimePendingLaunchCount), out[n++] = int(limit);
    out[n++] = cudaDeviceGetLimit(&limit, cudaLimit(77));
    cudaFuncCache cache;
    out[n++] = cudaDeviceGetCacheConfig(&cache), out[n++] = cache;
    cudaFuncAttributes attributes;
    out[n++] = cudaFuncGetAttributes(&attributes, with_shared);
    out[n++] = int(attributes.sharedSizeBytes), out[n++] = attributes.maxThreadsPerBlock;
    out[n++] = int(attributes.constSizeBytes);
    out[n++] = cudaFuncGetAttributes(&attributes, bounded), out[n++] = attributes.maxThreadsPerBlock;
    out[n++] = cudaOccupancyMaxActiveBlocksPerMultiprocessor(&value, with_shared, 256, 0), out[n++] = value > 0;
    out[n] = -12345;
}

__global__ void memory(int* out, int* data) {
    int* own = nullptr;
    out[0] = cudaMalloc((void**)&own, 64 * sizeof(int));
    out[1] = own != nullptr;
    for (int i = 0; i < 64; i++) own[i] = 1000 + i;
    __threadfence();
    out[2] = cudaMemcpyAsync(data, own, 64 * sizeof(int), cudaMemcpyDeviceToDevice, 0);
    out[3] = cudaMemsetAsync(data + 64, 0xa5, 63 * sizeof(int) + 1, 0);
    out[4] = cudaMemcpyAsync((char*)data + 513, (char*)data + 3, 101, cudaMemcpyDefault, 0);
    out[5] = cudaMemcpy2DAsync(data + 256, 48, data, 32, 20, 5, cudaMemcpyDeviceToDevice, 0);
    out[6] = cudaMemset2DAsync(data + 400, 64, 0x11, 24, 4, 0);
    out[7] = cudaMemcpyAsync(data, own, 0, cudaMemcpyDeviceToDevice, 0);
    out[8] = cudaGetLastError();
}
__global__ void release(int* out) {
    int* own = nullptr;
    out[0] = cudaMalloc((void**)&own, 100);
    out[1] = cudaFree(own);
    out[2] = cudaFree(nullptr);
}

/// How deep launches go.
__global__ void deeper(int* out, int depth) {
    atomicMax(&out[0], depth);
    deeper<<<1, 1>>>(out, depth + 1);
    const cudaError_t status = cudaGetLastError();
    if (status != cudaSuccess) out[1] = status, out[2] = depth;
}
#endif

int main() {
    DeviceArray<int> out(128), data(512);
    launch_errors<<<1, 1>>>();
    CHECK(cudaDeviceSynchronize());
    std::fflush(stdout);
    own_errors<<<1, 32>>>(out.data);
    CHECK(cudaDeviceSynchronize());
    std::vector<int> o = out.download();
    std::printf("own errors %d %d %d %d\n", o[0], o[1], o[30], o[31]);

    queries<<<1, 1>>>(out.data);
    CHECK(cudaDeviceSynchronize());
    o = out.download();
    std::printf("queries");
    for (int i = 0; i < 128 && o[i] != -12345; i++) std::printf(" %d", o[i]);
    std::printf("\n");

    CHECK(cudaMemset(data.data, 0, 512 * sizeof(int)));
    memory<<<1, 1>>>(out.data, data.data);
    CHECK(cudaDeviceSynchronize());
    o = out.download();
    std::vector<int> d = data.download();
    std::printf("memory");
    for (int i = 0; i < 9; i++) std::printf(" %d", o[i]);
    std::printf(", digest %016llx, %d %x %x\n", (unsigned long long)digest(d), d[63], d[64], d[127]);
    release<<<1, 1>>>(out.data);
    CHECK(cudaDeviceSynchronize());
    o = out.download();
    std::printf("release %d %d %d\n", o[0], o[1], o[2]);

    CHECK(cudaMemset(out.data, 0, 512));
    deeper<<<1, 1>>>(out.data, 1);
    const cudaError_t status = cudaDeviceSynchronize();
    o = out.download();
    std::printf("deepest %d, refused with %d by the grid of depth %d, then %d\n", o[0], o[1], o[2], status);
    return passed();
}

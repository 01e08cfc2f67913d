// What a libcudart answers to right and wrong calls, one line each: NVIDIA's and ours must print the same.
#include <cstdio>
#include <cstring>
#include <cuda_runtime.h>

__global__ void fill(int* out, int value) { out[threadIdx.x] = value + int(threadIdx.x); }
__constant__ int table[4];
__device__ float numbers[8];
__managed__ int managed = 7;

#define SAY(call)                                                                                                      \
    do {                                                                                                               \
        const int result = int(call);                                                                                  \
        std::printf("%s: %d, last %d\n", #call, result, int(cudaGetLastError()));                                      \
    } while (0)

static int* device;
static int host[256];

static void devices() {
    int count = 0, value = 0;
    unsigned int flags = 0;
    SAY(cudaGetDeviceFlags(&flags));
    std::printf("%u\n", flags);
    SAY(cudaGetDeviceCount(&count));
    SAY(cudaGetDeviceCount(nullptr));
    SAY(cudaSetDevice(99));
    SAY(cudaSetDevice(-1));
    SAY(cudaSetDevice(0));
    cudaDeviceProp p;
    std::memset(&p, 0, sizeof p);
    SAY(cudaGetDeviceProperties(&p, 0));
    const size_t bytes = offsetof(cudaDeviceProp, reserved);
    for (size_t i = 0; i < bytes; i += 4) std::printf("%08x ", *(unsigned int*)((char*)&p + i));
    SAY(cudaGetDeviceProperties(&p, 5));
    for (int i = 0; i < 150; ++i) {
        value = -1;
        const int result = int(cudaDeviceGetAttribute(&value, cudaDeviceAttr(i), 0));
        std::printf("attribute %d: %d %d\n", i, result, value);
    }
    cudaGetLastError();
    SAY(cudaDeviceGetAttribute(&value, cudaDevAttrWarpSize, 7));
    SAY(cudaDeviceCanAccessPeer(&value, 0, 9));
    SAY(cudaDeviceEnablePeerAccess(0, 0));
    SAY(cudaDeviceGetLimit((size_t*)p.name, cudaLimit(77)));
    for (int i = 0; i < 1000; ++i) {
        if (std::strcmp(cudaGetErrorName(cudaError_t(i)), "unrecognized error code") != 0)
            std::printf("%d %s: %s\n", i, cudaGetErrorName(cudaError_t(i)), cudaGetErrorString(cudaError_t(i)));
    }
    std::printf("%s\n", cudaGetErrorString(cudaError_t(5000)));
}

static void memory() {
    void* p = &device;
    size_t pitch = 1;
    SAY(cudaMalloc(&p, 0));
    std::printf("%d\n", p == nullptr);
    SAY(cudaMalloc((void**)nullptr, 4));
    SAY(cudaMalloc(&p, size_t(1) << 60));
    SAY(cudaFree(host));
    SAY(cudaFree(nullptr));
    SAY(cudaMallocHost(&p, 0));
    SAY(cudaFreeHost(nullptr));
    SAY(cudaHostAlloc(&p, 64, 0x100));
    SAY(cudaMallocManaged(&p, 0));
    SAY(cudaMallocManaged(&p, 16, 9));
    SAY(cudaMallocPitch(&p, &pitch, 0, 5));
    SAY(cudaMallocPitch(&p, &pitch, 100, 5));
    std::printf("%zu\n", pitch);
    void *unified = nullptr, *pinned = nullptr;
    cudaMallocManaged(&unified, 64);
    cudaMallocHost(&pinned, 64);
    for (const void* pointer : {(const void*)device, (const void*)host, (const void*)unified, (const void*)pinned}) {
        cudaPointerAttributes a;
        SAY(cudaPointerGetAttributes(&a, pointer));
        std::printf("type %d device %d, %d %d\n", int(a.type), a.device, a.devicePointer == pointer,
                    a.hostPointer == pointer);
    }
}

static void copies() {
    SAY(cudaMemcpy(device, host, 0, cudaMemcpyKind(9)));
    SAY(cudaMemcpy(device, host, 16, cudaMemcpyKind(9)));
    SAY(cudaMemcpy(host, device, 16, cudaMemcpyHostToDevice));
    SAY(cudaMemcpy(device, host, 16, cudaMemcpyDeviceToHost));
    SAY(cudaMemcpy(host, host + 16, 16, cudaMemcpyHostToHost));
    SAY(cudaMemcpy(host, device, 16, cudaMemcpyDefault));
    SAY(cudaMemcpy2D(device, 8, host, 16, 12, 3, cudaMemcpyHostToDevice));
    SAY(cudaMemcpy2D(device, 16, host, 8, 12, 3, cudaMemcpyHostToDevice));
    SAY(cudaMemcpy2D(device, 16, host, 16, 12, 3, cudaMemcpyHostToDevice));
    SAY(cudaMemset(nullptr, 3, 4));
    SAY(cudaMemset2D(device, 8, 1, 12, 2));
    SAY(cudaMemcpyToSymbol(table, host, 16));
    SAY(cudaMemcpyToSymbol(table, host, 20));
    SAY(cudaMemcpyToSymbol(table, host, 8, 12));
    SAY(cudaMemcpyToSymbol(table, host, 8, 0, cudaMemcpyDeviceToHost));
    SAY(cudaMemcpyFromSymbol(host, table, 8, 0, cudaMemcpyHostToDevice));
    SAY(cudaMemcpyToSymbol((const void*)host, host, 8, 0, cudaMemcpyHostToDevice));
    size_t size = 0;
    SAY(cudaGetSymbolSize(&size, numbers));
    SAY(cudaGetSymbolSize(&size, managed));
    std::printf("%zu, %d\n", size, managed);
    cudaArray_t array;
    cudaChannelFormatDesc element = cudaCreateChannelDesc(8, 8, 8, 0, cudaChannelFormatKindUnsigned);
    SAY(cudaMallocArray(&array, &element, 16, 4));
    element = cudaCreateChannelDesc<float2>();
    SAY(cudaMallocArray(&array, &element, 16, 4));
    SAY(cudaMemcpy2DToArray(array, 64, 0, host, 128, 128, 4, cudaMemcpyHostToDevice));
    SAY(cudaMemcpy2DToArray(array, 0, 0, host, 64, 128, 4, cudaMemcpyHostToDevice));
    for (int i = 0; i < 256; ++i) host[i] = i;
    SAY(cudaMemcpyToArray(array, 24, 1, host, 300, cudaMemcpyHostToDevice));
    int back[128] = {};
    SAY(cudaMemcpy2DFromArray(back, 128, array, 0, 0, 128, 4, cudaMemcpyDeviceToHost));
    std::printf("%d %d %d\n", back[38], back[64], back[112]);
    cudaMemcpy3DParms box = {};
    SAY(cudaMemcpy3D(&box));
    for (int read = 0; read < 2; ++read) {
        for (int filter = 0; filter < 2; ++filter) {
            cudaResourceDesc resource = {};
            resource.resType = cudaResourceTypeLinear;
            cudaTextureDesc texture = {};
            texture.readMode = cudaTextureReadMode(read);
            texture.filterMode = cudaTextureFilterMode(filter);
            cudaTextureObject_t object;
            for (cudaChannelFormatDesc d : {cudaCreateChannelDesc<float>(), cudaCreateChannelDesc<int>(),
                                            cudaCreateChannelDesc<short>(), cudaCreateChannelDesc<uchar4>()}) {
                resource.res.linear = {device, d, 1024};
                SAY(cudaCreateTextureObject(&object, &resource, &texture, nullptr));
            }
        }
    }
}

static void kernels() {
    int value = 3, blocks = 0;
    void* arguments[] = {&device, &value};
    cudaFuncAttributes a;
    std::memset(&a, 0, sizeof a);
    SAY(cudaFuncGetAttributes(&a, fill));
    std::printf("%zu %zu %d %d %d\n", a.sharedSizeBytes, a.constSizeBytes, a.maxThreadsPerBlock, a.numRegs,
                a.maxDynamicSharedSizeBytes);
    SAY(cudaLaunchKernel((const void*)nullptr, dim3(1), dim3(1), arguments, 0, 0));
    SAY(cudaLaunchKernel((const void*)fill, dim3(1), dim3(2000), arguments, 0, 0));
    SAY(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, fill, 128, 0));
    cudaKernel_t kernel;
    SAY(cudaGetKernel(&kernel, (const void*)fill));
    SAY(cudaLaunchKernel((const void*)kernel, dim3(1), dim3(32), arguments, 0, 0));
    SAY(cudaGetKernel(&kernel, (const void*)host));
    SAY(cudaStreamDestroy(0));
    SAY(cudaStreamBeginCapture(0, cudaStreamCaptureModeGlobal));
    cudaEvent_t event;
    SAY(cudaEventCreateWithFlags(&event, 99));
    for (const char* name : {"cuMemAlloc", "cuNothing", "cuMemAllocAsync"}) {
        void* found = nullptr;
        cudaDriverEntryPointQueryResult status = {};
        SAY(cudaGetDriverEntryPointByVersion(name, &found, 10000, 0, &status));
        std::printf("%d %d\n", found != nullptr, int(status));
        SAY(cudaGetDriverEntryPointByVersion(name, &found, 10000, 0, nullptr));
    }
    SAY(cudaDeviceReset());
    SAY(cudaMemset(device, 0, 4));
    SAY(cudaMalloc((void**)&device, 128));
    fill<<<1, 32>>>(device, 5);
    SAY(cudaMemcpy(host, device, 128, cudaMemcpyDefault));
    std::printf("%d\n", host[3]);
}

int main() {
    devices();
    cudaMalloc((void**)&device, 1024);
    memory();
    copies();
    kernels();
}

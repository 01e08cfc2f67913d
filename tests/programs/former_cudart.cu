// What CUDA 11's and 12's libcudart have and CUDA 13's has not, one line each: NVIDIA's and ours must print the same.
#include <cstdio>
#include <cstring>
#include <cuda_runtime.h>

#define SAY(call)                                                                                                      \
    do {                                                                                                               \
        const int answer = int(call);                                                                                  \
        std::printf("%s: %d, last %d\n", #call, answer, int(cudaGetLastError()));                                      \
    } while (0)

static const int count = 64;

__global__ void fill(float* out) { out[threadIdx.x] = float(threadIdx.x); }

#if CUDART_VERSION < 12000
texture<float, cudaTextureType1D, cudaReadModeElementType> line;
texture<unsigned char, cudaTextureType2D, cudaReadModeNormalizedFloat> plane;
surface<void, cudaSurfaceType2D> sheet;

__global__ void read_line(float* out) { out[threadIdx.x] = tex1Dfetch(line, int(threadIdx.x)); }
__global__ void read_plane(float* out) {
    out[threadIdx.x] = tex2D(plane, float(threadIdx.x % 8) + 0.75f, float(threadIdx.x / 8) + 0.5f);
}
#endif

static void show(const char* what, const float* device) {
    float values[count];
    SAY(cudaMemcpy(values, device, sizeof values, cudaMemcpyDeviceToHost));
    std::printf("%s:", what);
    for (float value : values) std::printf(" %.9g", value);
    std::printf("\n");
}

static void devices() {
    cudaDeviceProp p;
    std::memset(&p, 0, sizeof p);
    SAY(cudaGetDeviceProperties(&p, 0));
    SAY(cudaGetDeviceProperties(&p, 99));
    // The layout's end is reserved since CUDA 12; luid is none of Linux's.
    for (size_t i = 0; i < offsetof(cudaDeviceProp, reservedSharedMemPerBlock) + 8; i += 4)
        std::printf("%08x ", *(unsigned int*)((char*)&p + i));
    std::printf("\nclock %d mode %d memory %d\n", p.clockRate, p.computeMode, p.memoryClockRate);
    int version = 0;
    SAY(cudaRuntimeGetVersion(&version));
    std::printf("%d\n", version / 1000);
    SAY(cudaThreadSynchronize());
    cudaFuncCache cache;
    SAY(cudaThreadGetCacheConfig(&cache));
    size_t bytes = 0;
    SAY(cudaThreadGetLimit(&bytes, cudaLimitStackSize));
    double number = 2.5;
    SAY(cudaSetDoubleForDevice(&number));
    std::printf("%g\n", number);
}

static void functions() {
    cudaFuncAttributes a[2];
    std::memset(a, 0x55, sizeof a);
    SAY(cudaFuncGetAttributes(a, fill));
    std::printf("%d %zu %d\n", a->maxThreadsPerBlock, a->sharedSizeBytes, a->maxDynamicSharedSizeBytes);
    std::printf("%08x\n", *(unsigned int*)(a + 1)); // nothing written behind it
    cudaPointerAttributes where[2];
    std::memset(where, 0x55, sizeof where);
    void* p;
    cudaMalloc(&p, 64);
    SAY(cudaPointerGetAttributes(where, p));
    std::printf("%d %d %d %08x\n", int(where->type), where->device, where->devicePointer == p,
                *(unsigned int*)(where + 1));
    cudaFree(p);
}

static void graphs(float* device) {
    cudaGraph_t graph;
    cudaGraphNode_t first, second, from[4], to[4];
    size_t edges = 4;
    SAY(cudaGraphCreate(&graph, 0));
    SAY(cudaGraphAddEmptyNode(&first, graph, nullptr, 0));
    SAY(cudaGraphAddEmptyNode(&second, graph, nullptr, 0));
    SAY(cudaGraphAddDependencies(graph, &first, &second, 1));
    SAY(cudaGraphAddDependencies(graph, &first, &second, 1));
    SAY(cudaGraphGetEdges(graph, from, to, &edges));
    std::printf("%zu %d %d\n", edges, from[0] == first, to[0] == second);
    edges = 4;
    SAY(cudaGraphNodeGetDependencies(second, from, &edges));
    std::printf("%zu\n", edges);
    SAY(cudaGraphRemoveDependencies(graph, &first, &second, 1));
    cudaGraphExec_t executable;
#if CUDART_VERSION < 12000
    cudaGraphNode_t wrong = nullptr;
    char log[32] = "";
    SAY(cudaGraphInstantiate(&executable, graph, &wrong, log, sizeof log));
    cudaGraphExecUpdateResult result;
    SAY(cudaGraphExecUpdate(executable, graph, &wrong, &result));
    std::printf("%d\n", int(result));
#else
    SAY(cudaGraphInstantiate(&executable, graph, 0));
    cudaGraphExecUpdateResultInfo result;
    SAY(cudaGraphExecUpdate(executable, graph, &result));
    std::printf("%d\n", int(result.result));
#endif
    cudaStream_t stream;
    SAY(cudaStreamCreate(&stream));
    SAY(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
    fill<<<1, count, 0, stream>>>(device);
    cudaStreamCaptureStatus status;
    unsigned long long id = 0;
    cudaGraph_t captured = nullptr;
    const cudaGraphNode_t* nodes = nullptr;
    size_t nodes_count = 0;
#if CUDART_VERSION < 12000
    SAY(cudaStreamGetCaptureInfo(stream, &status, &id));
    SAY(cudaStreamGetCaptureInfo_v2(stream, &status, &id, &captured, &nodes, &nodes_count));
#else
    SAY(cudaStreamGetCaptureInfo(stream, &status, &id, &captured, &nodes, &nodes_count));
#endif
    std::printf("%d %d %zu\n", int(status), id != 0, nodes_count);
    SAY(cudaStreamUpdateCaptureDependencies(stream, nullptr, 0, cudaStreamSetCaptureDependencies));
    SAY(cudaStreamEndCapture(stream, &captured));
}

static void managed_places() {
    void* p;
    SAY(cudaMallocManaged(&p, 1 << 16));
    SAY(cudaMemAdvise(p, 1 << 16, cudaMemAdviseSetReadMostly, 0));
    SAY(cudaMemAdvise(p, 1 << 16, cudaMemAdviseSetPreferredLocation, cudaCpuDeviceId));
    SAY(cudaMemAdvise(p, 1 << 16, cudaMemAdviseSetPreferredLocation, 77));
    SAY(cudaMemPrefetchAsync(p, 1 << 16, cudaCpuDeviceId, 0));
    SAY(cudaMemPrefetchAsync(p, 1 << 16, 77, 0));
    SAY(cudaFree(p));
}

static void textures(float* device) {
    cudaResourceDesc resource[2];
    std::memset(resource, 0x55, sizeof resource);
    std::memset(resource, 0, sizeof *resource);
    resource->resType = cudaResourceTypeLinear;
    resource->res.linear = {device, cudaCreateChannelDesc<float>(), count * 4};
    resource->res.linear.devPtr = device;
    cudaTextureDesc texture[2];
    std::memset(texture, 0x55, sizeof texture);
    std::memset(texture, 0, sizeof *texture);
    cudaTextureObject_t object;
    SAY(cudaCreateTextureObject(&object, resource, texture, nullptr));
    texture->maxAnisotropy = 99;
    SAY(cudaGetTextureObjectTextureDesc(texture, object));
    SAY(cudaGetTextureObjectResourceDesc(resource, object));
    std::printf("%u %d %08x %08x\n", texture->maxAnisotropy, int(resource->resType), *(unsigned int*)(texture + 1),
                *(unsigned int*)(resource + 1));
#if CUDART_VERSION < 12000
    float* out;
    cudaMalloc(&out, count * sizeof(float));
    size_t offset = 99;
    const textureReference* reference = nullptr;
    SAY(cudaGetTextureReference(&reference, &line));
    std::printf("%d\n", reference == &line);
    SAY(cudaBindTexture(&offset, &line, device, &line.channelDesc, count * sizeof(float)));
    std::printf("%zu\n", offset);
    SAY(cudaGetTextureAlignmentOffset(&offset, &line));
    read_line<<<1, count>>>(out);
    show("line", out);
    SAY(cudaUnbindTexture(&line));
    cudaArray_t array;
    unsigned char bytes[count];
    for (int i = 0; i < count; ++i) bytes[i] = (unsigned char)(i * i);
    SAY(cudaMallocArray(&array, &plane.channelDesc, 8, 8, cudaArraySurfaceLoadStore));
    SAY(cudaMemcpy2DToArray(array, 0, 0, bytes, 8, 8, 8, cudaMemcpyHostToDevice));
    plane.filterMode = cudaFilterModeLinear;
    plane.addressMode[0] = cudaAddressModeClamp;
    SAY(cudaBindTextureToArray(&plane, array, &plane.channelDesc));
    read_plane<<<1, count>>>(out);
    show("plane", out);
    SAY(cudaBindTexture(&offset, (const textureReference*)bytes, device, &line.channelDesc, 16));
    SAY(cudaBindTexture(nullptr, &line, device + 1, &line.channelDesc, 16));
    SAY(cudaBindSurfaceToArray(&sheet, array, &plane.channelDesc));
#endif
}

__global__ void add_up(float* out, float add) { out[threadIdx.x] += add; }

// One kernel on several devices, which begin and end together.
static void cooperative_on_several_devices() {
    int devices = 0;
    SAY(cudaGetDeviceCount(&devices));
    cudaLaunchParams list[2];
    float *out[2], add[2] = {1.5f, 2.5f};
    void* arguments[2][2];
    for (int i = 0; i < 2; ++i) {
        SAY(cudaSetDevice(i));
        cudaStream_t stream;
        SAY(cudaStreamCreate(&stream));
        SAY(cudaMalloc(&out[i], count * sizeof(float)));
        fill<<<1, count, 0, stream>>>(out[i]);
        arguments[i][0] = &out[i];
        arguments[i][1] = &add[i];
        list[i] = {(void*)add_up, dim3(1), dim3(count), arguments[i], 0, stream};
    }
    SAY(cudaLaunchCooperativeKernelMultiDevice(list, 2, 0));
    SAY(cudaLaunchCooperativeKernelMultiDevice(
        list, 2, cudaCooperativeLaunchMultiDeviceNoPreSync | cudaCooperativeLaunchMultiDeviceNoPostSync));
    for (int i = 0; i < 2; ++i) {
        SAY(cudaStreamSynchronize(list[i].stream));
        show("added", out[i]);
    }
    SAY(cudaLaunchCooperativeKernelMultiDevice(list, 0, 0));
    SAY(cudaLaunchCooperativeKernelMultiDevice(list, 2, 4));
    SAY(cudaLaunchCooperativeKernelMultiDevice(nullptr, 2, 0));
    list[1].stream = list[0].stream;
    SAY(cudaLaunchCooperativeKernelMultiDevice(list, 2, 0)); // twice the same device
    list[1].stream = nullptr;
    SAY(cudaLaunchCooperativeKernelMultiDevice(list, 2, 0));
    SAY(cudaSetDevice(0));
}

int main() {
    float* device;
    SAY(cudaMalloc(&device, count * sizeof(float)));
    fill<<<1, count>>>(device);
    show("filled", device);
    devices();
    functions();
    graphs(device);
    managed_places();
    textures(device);
    cooperative_on_several_devices();
}

// What a libcudart answers where few programs ask: NVIDIA's and ours must print the same. CUDA 13.
#include <cstdio>
#include <cuda_runtime.h>

#define SAY(call)                                                                                                      \
    do {                                                                                                               \
        const int result = int(call);                                                                                  \
        std::printf("%s: %d, last %d\n", #call, result, int(cudaGetLastError()));                                      \
    } while (0)

static void devices() {
    int first[] = {0}, unknown[] = {99}, count = 0, current = -1;
    SAY(cudaGetDeviceCount(&count));
    SAY(cudaSetValidDevices(first, 1));
    SAY(cudaSetValidDevices(nullptr, 0));
    SAY(cudaSetValidDevices(nullptr, 1));
    SAY(cudaSetValidDevices(first, -1));
    SAY(cudaSetValidDevices(first, 1000));
    SAY(cudaSetValidDevices(unknown, 1));
    SAY(cudaGetDevice(&current));
    std::printf("%d\n", current);
    const cudaAtomicOperation operations[] = {cudaAtomicOperationIntegerAdd, cudaAtomicOperationFloatAdd,
                                              cudaAtomicOperationCAS};
    unsigned capabilities[3] = {};
    SAY(cudaDeviceGetHostAtomicCapabilities(capabilities, operations, 3, 0));
    std::printf("%x %x %x\n", capabilities[0], capabilities[1], capabilities[2]);
    SAY(cudaDeviceGetHostAtomicCapabilities(nullptr, operations, 3, 0));
    SAY(cudaDeviceGetHostAtomicCapabilities(capabilities, operations, 0, 0));
    SAY(cudaDeviceGetHostAtomicCapabilities(capabilities, operations, 3, 99));
    SAY(cudaDeviceGetP2PAtomicCapabilities(capabilities, operations, 3, 0, 0));
    SAY(cudaDeviceGetP2PAtomicCapabilities(capabilities, operations, 3, 0, 99));
    SAY(cudaDeviceFlushGPUDirectRDMAWrites(cudaFlushGPUDirectRDMAWritesTargetCurrentDevice,
                                           cudaFlushGPUDirectRDMAWritesToOwner));
    cudaAsyncCallbackHandle_t handle = nullptr;
    const cudaAsyncCallback ignore = [](cudaAsyncNotificationInfo_t*, void*, cudaAsyncCallbackHandle_t) {};
    SAY(cudaDeviceRegisterAsyncNotification(0, ignore, nullptr, &handle));
    SAY(cudaDeviceUnregisterAsyncNotification(0, handle));
    SAY(cudaDeviceRegisterAsyncNotification(99, ignore, nullptr, &handle));
    SAY(cudaDeviceRegisterAsyncNotification(0, nullptr, nullptr, &handle));
}

static void graphics() {
    cudaGraphicsResource_t resource = nullptr;
    void* pointer = nullptr;
    size_t size = 0;
    cudaArray_t array = nullptr;
    cudaMipmappedArray_t mipmaps = nullptr;
    SAY(cudaGraphicsMapResources(0, &resource, 0));
    SAY(cudaGraphicsMapResources(1, nullptr, 0));
    SAY(cudaGraphicsMapResources(1, &resource, 0));
    SAY(cudaGraphicsUnmapResources(1, &resource, 0));
    SAY(cudaGraphicsResourceGetMappedPointer(&pointer, &size, resource));
    SAY(cudaGraphicsSubResourceGetMappedArray(&array, resource, 0, 0));
    SAY(cudaGraphicsResourceGetMappedMipmappedArray(&mipmaps, resource));
    SAY(cudaGraphicsResourceSetMapFlags(resource, 0));
    SAY(cudaGraphicsUnregisterResource(resource));
}

static void arrays() {
    cudaArray_t array = nullptr, other = nullptr;
    cudaMipmappedArray_t mipmaps = nullptr;
    const cudaChannelFormatDesc format = cudaCreateChannelDesc<float>();
    cudaArraySparseProperties properties;
    SAY(cudaMallocArray(&array, &format, 16, 4));
    SAY(cudaMallocArray(&other, &format, 8, 8));
    SAY(cudaMallocMipmappedArray(&mipmaps, &format, make_cudaExtent(16, 16, 0), 3));
    SAY(cudaArrayGetSparseProperties(&properties, array));
    SAY(cudaMipmappedArrayGetSparseProperties(&properties, mipmaps));
    SAY(cudaMemcpyArrayToArray(other, 0, 0, array, 0, 0, 256, cudaMemcpyDeviceToDevice));
    SAY(cudaMemcpyArrayToArray(other, 0, 0, array, 0, 0, 256, cudaMemcpyDefault));
    SAY(cudaMemcpyArrayToArray(other, 0, 0, array, 0, 0, 256, cudaMemcpyHostToDevice));
    SAY(cudaMemcpyArrayToArray(other, 4, 1, array, 8, 2, 64, cudaMemcpyDeviceToDevice));
    SAY(cudaMemcpyArrayToArray(other, 0, 0, array, 0, 0, 257, cudaMemcpyDeviceToDevice));
    SAY(cudaFreeArray(array));
    SAY(cudaFreeArray(other));
    SAY(cudaFreeMipmappedArray(mipmaps));
}

static void batches() {
    void *managed = nullptr, *plain = nullptr;
    size_t bytes = 1 << 16, start = 0;
    cudaStream_t stream = nullptr;
    cudaMemLocation place{};
    place.type = cudaMemLocationTypeDevice;
    cudaMemcpy3DBatchOp op{};
    SAY(cudaStreamCreate(&stream));
    SAY(cudaMallocManaged(&managed, bytes));
    SAY(cudaMalloc(&plain, bytes));
    SAY(cudaMemPrefetchBatchAsync(&managed, &bytes, 1, &place, &start, 1, 0, stream));
    SAY(cudaMemPrefetchBatchAsync(&plain, &bytes, 1, &place, &start, 1, 0, stream));
    SAY(cudaMemPrefetchBatchAsync(&managed, &bytes, 0, &place, &start, 1, 0, stream));
    SAY(cudaMemPrefetchBatchAsync(&managed, &bytes, 1, &place, &start, 1, 0, 0));
    SAY(cudaMemDiscardBatchAsync(&managed, &bytes, 1, 0, stream));
    SAY(cudaMemDiscardBatchAsync(&managed, &bytes, 1, 7, stream));
    SAY(cudaMemDiscardAndPrefetchBatchAsync(&managed, &bytes, 1, &place, &start, 1, 0, stream));
    SAY(cudaMemcpy3DBatchAsync(1, &op, 0, stream));
    SAY(cudaMemcpy3DBatchAsync(0, &op, 0, stream));
    op.src.type = op.dst.type = cudaMemcpyOperandTypePointer;
    op.src.op.ptr.ptr = managed;
    op.dst.op.ptr.ptr = plain;
    op.extent = make_cudaExtent(16, 4, 2);
    op.srcAccessOrder = cudaMemcpySrcAccessOrderAny;
    SAY(cudaMemcpy3DBatchAsync(1, &op, 0, stream));
    SAY(cudaMemcpy3DBatchAsync(1, &op, 0, 0));
    SAY(cudaStreamSynchronize(stream));
    SAY(cudaStreamDestroy(stream));
    SAY(cudaFree(managed));
    SAY(cudaFree(plain));
}

int main() {
    devices();
    graphics();
    arrays();
    batches();
    return 0;
}

#include "api/constants.h"
#include "runtime_api/bodies.h"
#include "runtime_api/registry.h"

#include <cstdint>

// Memory management, unified addressing, IPC.
namespace cudart::body {
namespace {

CUdeviceptr* out(void** pointer) {
    require(pointer, cudaErrorInvalidValue);
    return reinterpret_cast<CUdeviceptr*>(pointer);
}

CUdeviceptr address(const void* pointer) { return reinterpret_cast<CUdeviceptr>(pointer); }

// The driver takes no allocations of nothing; the runtime gives null for those.
bool nothing(void** pointer, size_t bytes) {
    require(pointer, cudaErrorInvalidValue);
    if (!bytes) *pointer = nullptr;
    return !bytes;
}

} // namespace

void cudaMalloc(void** devPtr, size_t size) {
    if (!nothing(devPtr, size)) check(cuMemAlloc_v2(out(devPtr), size));
}

void cudaFree(void* devPtr) {
    if (devPtr) check(cuMemFree_v2(address(devPtr)));
}

void cudaMallocHost(void** ptr, size_t size) { cudaHostAlloc(ptr, size, 0); }

void cudaHostAlloc(void** pHost, size_t size, unsigned int flags) {
    if (!nothing(pHost, size)) check(cuMemHostAlloc(pHost, size, flags));
}

void cudaFreeHost(void* ptr) {
    if (ptr) check(cuMemFreeHost(ptr));
}

void cudaHostRegister(void* ptr, size_t size, unsigned int flags) { check(cuMemHostRegister_v2(ptr, size, flags)); }

void cudaHostUnregister(void* ptr) { check(cuMemHostUnregister(ptr)); }

void cudaHostGetDevicePointer(void** pDevice, void* pHost, unsigned int flags) {
    check(cuMemHostGetDevicePointer_v2(out(pDevice), pHost, flags));
}

void cudaHostGetFlags(unsigned int* pFlags, void* pHost) { check(cuMemHostGetFlags(pFlags, pHost)); }

void cudaMallocManaged(void** devPtr, size_t size, unsigned int flags) {
    if (!nothing(devPtr, size)) check(cuMemAllocManaged(out(devPtr), size, flags));
}

void cudaMallocPitch(void** devPtr, size_t* pitch, size_t width, size_t height) {
    require(devPtr && pitch, cudaErrorInvalidValue);
    if (!width || !height) {
        *devPtr = nullptr;
        *pitch = 0;
        return;
    }
    check(cuMemAllocPitch_v2(out(devPtr), pitch, width, height, 4));
}

void cudaMalloc3D(cudaPitchedPtr* pitchedDevPtr, cudaExtent extent) {
    require(pitchedDevPtr, cudaErrorInvalidValue);
    require(!extent.depth || extent.height <= SIZE_MAX / extent.depth, cudaErrorMemoryAllocation);
    cudaPitchedPtr result{nullptr, 0, extent.width, extent.height};
    cudaMallocPitch(&result.ptr, &result.pitch, extent.width, extent.height * extent.depth);
    *pitchedDevPtr = result;
}

void cudaMemGetInfo(size_t* free, size_t* total) { check(cuMemGetInfo_v2(free, total)); }

void cudaMemAdvise(const void* devPtr, size_t count, cudaMemoryAdvise advice, cudaMemLocation location) {
    check(cuMemAdvise_v2(address(devPtr), count, advice, location));
}

void cudaMemPrefetchAsync(const void* devPtr, size_t count, cudaMemLocation location, unsigned int flags,
                          cudaStream_t stream) {
    check(cuMemPrefetchAsync_v2(address(devPtr), count, location, flags, effective(stream)));
}

void cudaMemRangeGetAttribute(void* data, size_t dataSize, cudaMemRangeAttribute attribute, const void* devPtr,
                              size_t count) {
    check(cuMemRangeGetAttribute(data, dataSize, attribute, address(devPtr), count));
}

void cudaMemRangeGetAttributes(void** data, size_t* dataSizes, cudaMemRangeAttribute* attributes, size_t numAttributes,
                               const void* devPtr, size_t count) {
    check(cuMemRangeGetAttributes(data, dataSizes, attributes, numAttributes, address(devPtr), count));
}

void cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* ptr) {
    require(attributes, cudaErrorInvalidValue);
    int type = 0, managed = 0, device = 0;
    void *device_pointer = nullptr, *host_pointer = nullptr;
    CUpointer_attribute which[] = {CU_POINTER_ATTRIBUTE_MEMORY_TYPE, CU_POINTER_ATTRIBUTE_IS_MANAGED,
                                   CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, CU_POINTER_ATTRIBUTE_DEVICE_POINTER,
                                   CU_POINTER_ATTRIBUTE_HOST_POINTER};
    void* data[] = {&type, &managed, &device, &device_pointer, &host_pointer};
    check(cuPointerGetAttributes(5, which, data, address(ptr)));
    cudaPointerAttributes result{};
    if (!type) {
        // Memory that CUDA does not know.
        result.device = -2; // cudaInvalidDeviceId
    } else {
        result.type = managed ? 3 : type;
        result.device = device;
        result.devicePointer = device_pointer;
        result.hostPointer = host_pointer;
    }
    *attributes = result;
}

void cudaIpcGetEventHandle(cudaIpcEventHandle_t* handle, cudaEvent_t event) {
    check(cuIpcGetEventHandle(handle, event));
}

void cudaIpcOpenEventHandle(cudaEvent_t* event, cudaIpcEventHandle_t handle) {
    check(cuIpcOpenEventHandle(event, handle));
}

void cudaIpcGetMemHandle(cudaIpcMemHandle_t* handle, void* devPtr) {
    check(cuIpcGetMemHandle(handle, address(devPtr)));
}

void cudaIpcOpenMemHandle(void** devPtr, cudaIpcMemHandle_t handle, unsigned int flags) {
    check(cuIpcOpenMemHandle_v2(out(devPtr), handle, flags));
}

void cudaIpcCloseMemHandle(void* devPtr) { check(cuIpcCloseMemHandle(address(devPtr))); }

void cudaGetSymbolAddress(void** devPtr, const void* symbol) { *out(devPtr) = Registry::get().variable(symbol).first; }

void cudaGetSymbolSize(size_t* size, const void* symbol) {
    require(size, cudaErrorInvalidValue);
    *size = Registry::get().variable(symbol).second;
}

} // namespace cudart::body

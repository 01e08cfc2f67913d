#include "runtime_api/bodies.h"

// Stream-ordered allocation.
namespace cudart::body {

void cudaMallocAsync(void** devPtr, size_t size, cudaStream_t hStream) {
    require(devPtr, cudaErrorInvalidValue);
    if (!size) {
        *devPtr = nullptr;
        return;
    }
    check(cuMemAllocAsync(reinterpret_cast<CUdeviceptr*>(devPtr), size, effective(hStream)));
}

void cudaMallocFromPoolAsync(void** ptr, size_t size, cudaMemPool_t memPool, cudaStream_t stream) {
    require(ptr, cudaErrorInvalidValue);
    check(cuMemAllocFromPoolAsync(reinterpret_cast<CUdeviceptr*>(ptr), size, memPool, effective(stream)));
}

void cudaFreeAsync(void* devPtr, cudaStream_t hStream) {
    if (devPtr) check(cuMemFreeAsync(reinterpret_cast<CUdeviceptr>(devPtr), effective(hStream)));
}

void cudaDeviceGetDefaultMemPool(cudaMemPool_t* memPool, int device) {
    check(cuDeviceGetDefaultMemPool(memPool, device));
}

void cudaDeviceGetMemPool(cudaMemPool_t* memPool, int device) { check(cuDeviceGetMemPool(memPool, device)); }

void cudaDeviceSetMemPool(int device, cudaMemPool_t memPool) { check(cuDeviceSetMemPool(device, memPool)); }

void cudaMemGetDefaultMemPool(cudaMemPool_t* memPool, cudaMemLocation* location, cudaMemAllocationType type) {
    check(cuMemGetDefaultMemPool(memPool, location, type));
}

void cudaMemGetMemPool(cudaMemPool_t* memPool, cudaMemLocation* location, cudaMemAllocationType type) {
    check(cuMemGetMemPool(memPool, location, type));
}

void cudaMemSetMemPool(cudaMemLocation* location, cudaMemAllocationType type, cudaMemPool_t memPool) {
    check(cuMemSetMemPool(location, type, memPool));
}

void cudaMemPoolCreate(cudaMemPool_t* memPool, const cudaMemPoolProps* poolProps) {
    check(cuMemPoolCreate(memPool, poolProps));
}

void cudaMemPoolDestroy(cudaMemPool_t memPool) { check(cuMemPoolDestroy(memPool)); }

void cudaMemPoolTrimTo(cudaMemPool_t memPool, size_t minBytesToKeep) {
    check(cuMemPoolTrimTo(memPool, minBytesToKeep));
}

void cudaMemPoolGetAttribute(cudaMemPool_t memPool, cudaMemPoolAttr attr, void* value) {
    check(cuMemPoolGetAttribute(memPool, attr, value));
}

void cudaMemPoolSetAttribute(cudaMemPool_t memPool, cudaMemPoolAttr attr, void* value) {
    check(cuMemPoolSetAttribute(memPool, attr, value));
}

void cudaMemPoolGetAccess(cudaMemAccessFlags* flags, cudaMemPool_t memPool, cudaMemLocation* location) {
    check(cuMemPoolGetAccess(flags, memPool, location));
}

void cudaMemPoolSetAccess(cudaMemPool_t memPool, const cudaMemAccessDesc* descList, size_t count) {
    check(cuMemPoolSetAccess(memPool, descList, count));
}

void cudaMemPoolExportToShareableHandle(void* shareableHandle, cudaMemPool_t memPool,
                                        cudaMemAllocationHandleType handleType, unsigned int flags) {
    check(cuMemPoolExportToShareableHandle(shareableHandle, memPool, handleType, flags));
}

void cudaMemPoolImportFromShareableHandle(cudaMemPool_t* memPool, void* shareableHandle,
                                          cudaMemAllocationHandleType handleType, unsigned int flags) {
    check(cuMemPoolImportFromShareableHandle(memPool, shareableHandle, handleType, flags));
}

void cudaMemPoolExportPointer(cudaMemPoolPtrExportData* exportData, void* ptr) {
    check(cuMemPoolExportPointer(exportData, reinterpret_cast<CUdeviceptr>(ptr)));
}

void cudaMemPoolImportPointer(void** ptr, cudaMemPool_t memPool, cudaMemPoolPtrExportData* exportData) {
    check(cuMemPoolImportPointer(reinterpret_cast<CUdeviceptr*>(ptr), memPool, exportData));
}

} // namespace cudart::body

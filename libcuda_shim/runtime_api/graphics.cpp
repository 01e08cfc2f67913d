#include "runtime_api/bodies.h"

// Resources shared with a graphics library: the driver says that there are none.
namespace cudart::body {

void cudaGraphicsMapResources(int count, cudaGraphicsResource_t* resources, cudaStream_t stream) {
    require(count >= 0, cudaErrorInvalidValue);
    check(cuGraphicsMapResources(unsigned(count), resources, effective(stream)));
}

void cudaGraphicsUnmapResources(int count, cudaGraphicsResource_t* resources, cudaStream_t stream) {
    require(count >= 0, cudaErrorInvalidValue);
    check(cuGraphicsUnmapResources(unsigned(count), resources, effective(stream)));
}

void cudaGraphicsResourceGetMappedEglFrame(cudaEglFrame* eglFrame, cudaGraphicsResource_t resource, unsigned int index,
                                           unsigned int mipLevel) {
    check(cuGraphicsResourceGetMappedEglFrame(eglFrame, resource, index, mipLevel));
}

void cudaGraphicsResourceGetMappedMipmappedArray(cudaMipmappedArray_t* mipmappedArray,
                                                 cudaGraphicsResource_t resource) {
    check(cuGraphicsResourceGetMappedMipmappedArray(mipmappedArray, resource));
}

void cudaGraphicsResourceGetMappedPointer(void** devPtr, size_t* size, cudaGraphicsResource_t resource) {
    check(cuGraphicsResourceGetMappedPointer_v2(reinterpret_cast<CUdeviceptr*>(devPtr), size, resource));
}

void cudaGraphicsResourceSetMapFlags(cudaGraphicsResource_t resource, unsigned int flags) {
    check(cuGraphicsResourceSetMapFlags_v2(resource, flags));
}

void cudaGraphicsSubResourceGetMappedArray(cudaArray_t* array, cudaGraphicsResource_t resource,
                                           unsigned int arrayIndex, unsigned int mipLevel) {
    check(cuGraphicsSubResourceGetMappedArray(array, resource, arrayIndex, mipLevel));
}

void cudaGraphicsUnregisterResource(cudaGraphicsResource_t resource) { check(cuGraphicsUnregisterResource(resource)); }

} // namespace cudart::body

#include "api/constants.h"
#include "runtime_api/bodies.h"
#include "runtime_api/channel.h"

namespace cudart {

ElementFormat format_of(const cudaChannelFormatDesc& desc) {
    const int bits[] = {desc.x, desc.y, desc.z, desc.w};
    unsigned int channels = 0;
    for (; channels < 4 && bits[channels]; ++channels)
        require(bits[channels] == desc.x, cudaErrorInvalidChannelDescriptor);
    for (unsigned int i = channels; i < 4; ++i) require(!bits[i], cudaErrorInvalidChannelDescriptor);
    require(channels == 1 || channels == 2 || channels == 4, cudaErrorInvalidChannelDescriptor);
    const auto pick = [&](CUarray_format of8, CUarray_format of16, CUarray_format of32) {
        const CUarray_format format = desc.x == 8 ? of8 : desc.x == 16 ? of16 : desc.x == 32 ? of32 : 0;
        require(format, cudaErrorInvalidChannelDescriptor);
        return ElementFormat{format, channels};
    };
    switch (desc.f) {
    case cudaChannelFormatKindSigned:
        return pick(CU_AD_FORMAT_SIGNED_INT8, CU_AD_FORMAT_SIGNED_INT16, CU_AD_FORMAT_SIGNED_INT32);
    case cudaChannelFormatKindUnsigned:
        return pick(CU_AD_FORMAT_UNSIGNED_INT8, CU_AD_FORMAT_UNSIGNED_INT16, CU_AD_FORMAT_UNSIGNED_INT32);
    case cudaChannelFormatKindFloat:
        return pick(0, CU_AD_FORMAT_HALF, CU_AD_FORMAT_FLOAT);
    default:
        throw Failure{cudaErrorInvalidChannelDescriptor};
    }
}

cudaChannelFormatDesc channels_of(CUarray_format format, unsigned int channels) {
    const auto make = [&](int bits, cudaChannelFormatKind kind) {
        return cudaChannelFormatDesc{bits, channels > 1 ? bits : 0, channels > 2 ? bits : 0, channels > 3 ? bits : 0,
                                     kind};
    };
    switch (format) {
    case CU_AD_FORMAT_UNSIGNED_INT8:
        return make(8, cudaChannelFormatKindUnsigned);
    case CU_AD_FORMAT_UNSIGNED_INT16:
        return make(16, cudaChannelFormatKindUnsigned);
    case CU_AD_FORMAT_UNSIGNED_INT32:
        return make(32, cudaChannelFormatKindUnsigned);
    case CU_AD_FORMAT_SIGNED_INT8:
        return make(8, cudaChannelFormatKindSigned);
    case CU_AD_FORMAT_SIGNED_INT16:
        return make(16, cudaChannelFormatKindSigned);
    case CU_AD_FORMAT_SIGNED_INT32:
        return make(32, cudaChannelFormatKindSigned);
    case CU_AD_FORMAT_HALF:
        return make(16, cudaChannelFormatKindFloat);
    case CU_AD_FORMAT_FLOAT:
        return make(32, cudaChannelFormatKindFloat);
    default:
        throw Failure{cudaErrorInvalidChannelDescriptor};
    }
}

namespace body {
namespace {

CUDA_ARRAY3D_DESCRIPTOR describe(const cudaChannelFormatDesc* desc, cudaExtent extent, unsigned int flags) {
    require(desc, cudaErrorInvalidValue);
    const ElementFormat element = format_of(*desc);
    return {extent.width, extent.height, extent.depth, element.format, element.channels, flags};
}

} // namespace

cudaChannelFormatDesc cudaCreateChannelDesc(int x, int y, int z, int w, cudaChannelFormatKind f) {
    return {x, y, z, w, f};
}

void cudaMalloc3DArray(cudaArray_t* array, const cudaChannelFormatDesc* desc, cudaExtent extent, unsigned int flags) {
    const CUDA_ARRAY3D_DESCRIPTOR descriptor = describe(desc, extent, flags);
    check(cuArray3DCreate_v2(array, &descriptor));
}

void cudaMallocArray(cudaArray_t* array, const cudaChannelFormatDesc* desc, size_t width, size_t height,
                     unsigned int flags) {
    cudaMalloc3DArray(array, desc, {width, height, 0}, flags);
}

void cudaMallocMipmappedArray(cudaMipmappedArray_t* mipmappedArray, const cudaChannelFormatDesc* desc,
                              cudaExtent extent, unsigned int numLevels, unsigned int flags) {
    const CUDA_ARRAY3D_DESCRIPTOR descriptor = describe(desc, extent, flags);
    check(cuMipmappedArrayCreate(mipmappedArray, &descriptor, numLevels));
}

void cudaFreeArray(cudaArray_t array) {
    if (array) check(cuArrayDestroy(array));
}

void cudaFreeMipmappedArray(cudaMipmappedArray_t mipmappedArray) {
    if (mipmappedArray) check(cuMipmappedArrayDestroy(mipmappedArray));
}

void cudaGetMipmappedArrayLevel(cudaArray_t* levelArray, cudaMipmappedArray_const_t mipmappedArray,
                                unsigned int level) {
    check(cuMipmappedArrayGetLevel(levelArray, mipmappedArray, level));
}

void cudaArrayGetInfo(cudaChannelFormatDesc* desc, cudaExtent* extent, unsigned int* flags, cudaArray_t array) {
    CUDA_ARRAY3D_DESCRIPTOR descriptor{};
    check(cuArray3DGetDescriptor_v2(&descriptor, array));
    if (desc) *desc = channels_of(descriptor.Format, descriptor.NumChannels);
    if (extent) *extent = {descriptor.Width, descriptor.Height, descriptor.Depth};
    if (flags) *flags = descriptor.Flags;
}

void cudaGetChannelDesc(cudaChannelFormatDesc* desc, cudaArray_const_t array) {
    require(desc, cudaErrorInvalidValue);
    cudaArrayGetInfo(desc, nullptr, nullptr, array);
}

void cudaArrayGetPlane(cudaArray_t* pPlaneArray, cudaArray_t hArray, unsigned int planeIdx) {
    check(cuArrayGetPlane(pPlaneArray, hArray, planeIdx));
}

void cudaArrayGetSparseProperties(cudaArraySparseProperties* sparseProperties, cudaArray_t array) {
    check(cuArrayGetSparseProperties(sparseProperties, array));
}

void cudaMipmappedArrayGetSparseProperties(cudaArraySparseProperties* sparseProperties, cudaMipmappedArray_t mipmap) {
    check(cuMipmappedArrayGetSparseProperties(sparseProperties, mipmap));
}

void cudaArrayGetMemoryRequirements(cudaArrayMemoryRequirements* memoryRequirements, cudaArray_t array, int device) {
    check(cuArrayGetMemoryRequirements(memoryRequirements, array, device));
}

void cudaMipmappedArrayGetMemoryRequirements(cudaArrayMemoryRequirements* memoryRequirements,
                                             cudaMipmappedArray_t mipmap, int device) {
    check(cuMipmappedArrayGetMemoryRequirements(memoryRequirements, mipmap, device));
}

} // namespace body
} // namespace cudart

#include "api/constants.h"
#include "runtime_api/bodies.h"
#include "runtime_api/channel.h"

#include <algorithm>
#include <optional>

// Texture and surface objects. The driver's descriptions differ by the element's format and by flags.
namespace cudart::body {
namespace {

// CUresourcetype and cudaResourceType
enum { resource_array, resource_mipmapped_array, resource_linear, resource_pitch_2d };

CUDA_RESOURCE_DESC driver_resource(const cudaResourceDesc& from) {
    CUDA_RESOURCE_DESC to{};
    to.resType = from.resType;
#if CUTTLE_CUDART_VERSION >= 13000
    to.flags = from.flags;
#endif
    switch (from.resType) {
    case resource_array:
        to.res.array.hArray = from.res.array.array;
        break;
    case resource_mipmapped_array:
        to.res.mipmap.hMipmappedArray = from.res.mipmap.mipmap;
        break;
    case resource_linear: {
        const ElementFormat element = format_of(from.res.linear.desc);
        to.res.linear = {reinterpret_cast<CUdeviceptr>(from.res.linear.devPtr), element.format, element.channels,
                         from.res.linear.sizeInBytes};
        break;
    }
    case resource_pitch_2d: {
        const ElementFormat element = format_of(from.res.pitch2D.desc);
        to.res.pitch2D = {reinterpret_cast<CUdeviceptr>(from.res.pitch2D.devPtr),
                          element.format,
                          element.channels,
                          from.res.pitch2D.width,
                          from.res.pitch2D.height,
                          from.res.pitch2D.pitchInBytes};
        break;
    }
    default:
        throw Failure{cudaErrorInvalidValue};
    }
    return to;
}

cudaResourceDesc runtime_resource(const CUDA_RESOURCE_DESC& from) {
    cudaResourceDesc to{};
    to.resType = from.resType;
#if CUTTLE_CUDART_VERSION >= 13000
    to.flags = from.flags;
#endif
    if (from.resType == resource_array) {
        to.res.array.array = from.res.array.hArray;
    } else if (from.resType == resource_mipmapped_array) {
        to.res.mipmap.mipmap = from.res.mipmap.hMipmappedArray;
    } else if (from.resType == resource_linear) {
        const auto& r = from.res.linear;
        to.res.linear = {reinterpret_cast<void*>(r.devPtr), channels_of(r.format, r.numChannels), r.sizeInBytes};
    } else {
        const auto& r = from.res.pitch2D;
        to.res.pitch2D = {reinterpret_cast<void*>(r.devPtr), channels_of(r.format, r.numChannels), r.width, r.height,
                          r.pitchInBytes};
    }
    return to;
}

CUDA_TEXTURE_DESC driver_texture(const cudaTextureDesc& from) {
    CUDA_TEXTURE_DESC to{};
    std::copy_n(from.addressMode, 3, to.addressMode);
    std::copy_n(from.borderColor, 4, to.borderColor);
    to.filterMode = from.filterMode;
    to.flags = (from.readMode == 0 ? unsigned(CU_TRSF_READ_AS_INTEGER) : 0) |
               (from.normalizedCoords ? unsigned(CU_TRSF_NORMALIZED_COORDINATES) : 0) |
               (from.sRGB ? unsigned(CU_TRSF_SRGB) : 0) |
               (from.disableTrilinearOptimization ? unsigned(CU_TRSF_DISABLE_TRILINEAR_OPTIMIZATION) : 0) |
               (from.seamlessCubemap ? unsigned(CU_TRSF_SEAMLESS_CUBEMAP) : 0);
    to.maxAnisotropy = from.maxAnisotropy;
    to.mipmapFilterMode = from.mipmapFilterMode;
    to.mipmapLevelBias = from.mipmapLevelBias;
    to.minMipmapLevelClamp = from.minMipmapLevelClamp;
    to.maxMipmapLevelClamp = from.maxMipmapLevelClamp;
    return to;
}

CUDA_RESOURCE_VIEW_DESC driver_view(const cudaResourceViewDesc& v) {
    return {v.format, v.width, v.height, v.depth, v.firstMipmapLevel, v.lastMipmapLevel, v.firstLayer, v.lastLayer, {}};
}

cudaResourceViewDesc runtime_view(const CUDA_RESOURCE_VIEW_DESC& from) {
    cudaResourceViewDesc to{};
    to.format = from.format;
    to.width = from.width, to.height = from.height, to.depth = from.depth;
    to.firstMipmapLevel = from.firstMipmapLevel, to.lastMipmapLevel = from.lastMipmapLevel;
    to.firstLayer = from.firstLayer, to.lastLayer = from.lastLayer;
    return to;
}

CUarray_format element_format(const CUDA_RESOURCE_DESC& resource) {
    if (resource.resType == resource_linear) return resource.res.linear.format;
    if (resource.resType == resource_pitch_2d) return resource.res.pitch2D.format;
    CUarray array = resource.res.array.hArray;
    if (resource.resType == resource_mipmapped_array)
        check(cuMipmappedArrayGetLevel(&array, resource.res.mipmap.hMipmappedArray, 0));
    CUDA_ARRAY3D_DESCRIPTOR descriptor{};
    check(cuArray3DGetDescriptor_v2(&descriptor, array));
    return descriptor.Format;
}

// Which elements may be read as normalised floats, and which may be filtered: only what is a float when read. As
// NVIDIA's libcudart.so.13 answers for every format.
void require_readable(const CUDA_RESOURCE_DESC& resource, const cudaTextureDesc& texture) {
    const cudaChannelFormatDesc element = channels_of(element_format(resource), 1);
    const bool normalized = texture.readMode == 1;
    const bool is_float = element.f == cudaChannelFormatKindFloat;
    const bool reads_float = is_float || (normalized && element.x < 32);
    require(texture.filterMode == 0 || reads_float, cudaErrorInvalidFilterSetting);
    require(!normalized || (!is_float && element.x < 32), cudaErrorInvalidNormSetting);
}

cudaTextureDesc runtime_texture(const CUDA_TEXTURE_DESC& from) {
    cudaTextureDesc to{};
    std::copy_n(from.addressMode, 3, to.addressMode);
    std::copy_n(from.borderColor, 4, to.borderColor);
    to.filterMode = from.filterMode;
    to.readMode = from.flags & CU_TRSF_READ_AS_INTEGER ? 0 : 1;
    to.normalizedCoords = from.flags & CU_TRSF_NORMALIZED_COORDINATES ? 1 : 0;
    to.sRGB = from.flags & CU_TRSF_SRGB ? 1 : 0;
    to.disableTrilinearOptimization = from.flags & CU_TRSF_DISABLE_TRILINEAR_OPTIMIZATION ? 1 : 0;
    to.seamlessCubemap = from.flags & CU_TRSF_SEAMLESS_CUBEMAP ? 1 : 0;
    to.maxAnisotropy = from.maxAnisotropy;
    to.mipmapFilterMode = from.mipmapFilterMode;
    to.mipmapLevelBias = from.mipmapLevelBias;
    to.minMipmapLevelClamp = from.minMipmapLevelClamp;
    to.maxMipmapLevelClamp = from.maxMipmapLevelClamp;
    return to;
}

} // namespace

void cudaCreateTextureObject(cudaTextureObject_t* pTexObject, const cudaResourceDesc* pResDesc,
                             const cudaTextureDesc* pTexDesc, const cudaResourceViewDesc* pResViewDesc) {
    require(pTexObject && pResDesc && pTexDesc, cudaErrorInvalidValue);
    const CUDA_RESOURCE_DESC resource = driver_resource(*pResDesc);
    require_readable(resource, *pTexDesc);
    const CUDA_TEXTURE_DESC texture = driver_texture(*pTexDesc);
    const auto view = pResViewDesc ? std::optional(driver_view(*pResViewDesc)) : std::nullopt;
    check(cuTexObjectCreate(pTexObject, &resource, &texture, view ? &*view : nullptr));
}

void cudaDestroyTextureObject(cudaTextureObject_t texObject) {
    if (texObject) check(cuTexObjectDestroy(texObject));
}

void cudaGetTextureObjectResourceDesc(cudaResourceDesc* pResDesc, cudaTextureObject_t texObject) {
    require(pResDesc, cudaErrorInvalidValue);
    CUDA_RESOURCE_DESC resource{};
    check(cuTexObjectGetResourceDesc(&resource, texObject));
    *pResDesc = runtime_resource(resource);
}

void cudaGetTextureObjectTextureDesc(cudaTextureDesc* pTexDesc, cudaTextureObject_t texObject) {
    require(pTexDesc, cudaErrorInvalidValue);
    CUDA_TEXTURE_DESC texture{};
    check(cuTexObjectGetTextureDesc(&texture, texObject));
    *pTexDesc = runtime_texture(texture);
}

void cudaGetTextureObjectResourceViewDesc(cudaResourceViewDesc* pResViewDesc, cudaTextureObject_t texObject) {
    require(pResViewDesc, cudaErrorInvalidValue);
    CUDA_RESOURCE_VIEW_DESC v = driver_view(*pResViewDesc); // stays as it is where the object has no view
    check(cuTexObjectGetResourceViewDesc(&v, texObject));
    *pResViewDesc = runtime_view(v);
}

void cudaCreateSurfaceObject(cudaSurfaceObject_t* pSurfObject, const cudaResourceDesc* pResDesc) {
    require(pSurfObject && pResDesc, cudaErrorInvalidValue);
    const CUDA_RESOURCE_DESC resource = driver_resource(*pResDesc);
    check(cuSurfObjectCreate(pSurfObject, &resource));
}

void cudaDestroySurfaceObject(cudaSurfaceObject_t surfObject) {
    if (surfObject) check(cuSurfObjectDestroy(surfObject));
}

void cudaGetSurfaceObjectResourceDesc(cudaResourceDesc* pResDesc, cudaSurfaceObject_t surfObject) {
    require(pResDesc, cudaErrorInvalidValue);
    CUDA_RESOURCE_DESC resource{};
    check(cuSurfObjectGetResourceDesc(&resource, surfObject));
    *pResDesc = runtime_resource(resource);
}

} // namespace cudart::body

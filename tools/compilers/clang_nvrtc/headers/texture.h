#pragma once
#pragma clang system_header

// Texture and surface functions by object, on clang's. Read only where the source speaks of them: they are large.

typedef unsigned long long cudaTextureObject_t;
typedef unsigned long long cudaSurfaceObject_t;
enum cudaSurfaceBoundaryMode { cudaBoundaryModeZero, cudaBoundaryModeClamp, cudaBoundaryModeTrap };
enum cudaTextureReadMode { cudaReadModeElementType, cudaReadModeNormalizedFloat };
enum cudaTextureAddressMode { cudaAddressModeWrap, cudaAddressModeClamp, cudaAddressModeMirror, cudaAddressModeBorder };
enum cudaTextureFilterMode { cudaFilterModePoint, cudaFilterModeLinear };

#ifdef CUTTLE_TEXTURES
// clang's header also serves texture references, which CUDA has no more.
template <class T, int kind, cudaTextureReadMode mode> struct CuttleTextureReference;
#pragma push_macro("texture")
#define texture CuttleTextureReference
#include <__clang_cuda_texture_intrinsics.h>
#pragma pop_macro("texture")

// Parameters with their types, and the same without.
#define CUTTLE_TEXTURE(name, operation, parameters, ...)                                                               \
    template <class T> CUTTLE_DEVICE T name parameters {                                                               \
        T result;                                                                                                      \
        __nv_tex_surf_handler(operation, &result, texture, __VA_ARGS__);                                               \
        return result;                                                                                                 \
    }                                                                                                                  \
    template <class T> CUTTLE_DEVICE void name CUTTLE_WITH_RESULT parameters {                                         \
        __nv_tex_surf_handler(operation, result, texture, __VA_ARGS__);                                                \
    }
#define CUTTLE_WITH_RESULT(...) (T * result, __VA_ARGS__)

CUTTLE_TEXTURE(tex1Dfetch, "__itex1Dfetch", (cudaTextureObject_t texture, int x), x)
CUTTLE_TEXTURE(tex1D, "__itex1D", (cudaTextureObject_t texture, float x), x)
CUTTLE_TEXTURE(tex2D, "__itex2D", (cudaTextureObject_t texture, float x, float y), x, y)
CUTTLE_TEXTURE(tex3D, "__itex3D", (cudaTextureObject_t texture, float x, float y, float z), x, y, z)
CUTTLE_TEXTURE(texCubemap, "__itexCubemap", (cudaTextureObject_t texture, float x, float y, float z), x, y, z)
CUTTLE_TEXTURE(tex1DLayered, "__itex1DLayered", (cudaTextureObject_t texture, float x, int layer), x, layer)
CUTTLE_TEXTURE(tex2DLayered, "__itex2DLayered", (cudaTextureObject_t texture, float x, float y, int layer), x, y, layer)
CUTTLE_TEXTURE(texCubemapLayered, "__itexCubemapLayered",
               (cudaTextureObject_t texture, float x, float y, float z, int layer), x, y, z, layer)
CUTTLE_TEXTURE(tex2Dgather, "__itex2Dgather", (cudaTextureObject_t texture, float x, float y, int component = 0), x, y,
               component)
CUTTLE_TEXTURE(tex1DLod, "__itex1DLod", (cudaTextureObject_t texture, float x, float level), x, level)
CUTTLE_TEXTURE(tex2DLod, "__itex2DLod", (cudaTextureObject_t texture, float x, float y, float level), x, y, level)
CUTTLE_TEXTURE(tex3DLod, "__itex3DLod", (cudaTextureObject_t texture, float x, float y, float z, float level), x, y, z,
               level)
CUTTLE_TEXTURE(tex1DLayeredLod, "__itex1DLayeredLod", (cudaTextureObject_t texture, float x, int layer, float level), x,
               layer, level)
CUTTLE_TEXTURE(tex2DLayeredLod, "__itex2DLayeredLod",
               (cudaTextureObject_t texture, float x, float y, int layer, float level), x, y, layer, level)
CUTTLE_TEXTURE(tex2DGrad, "__itex2DGrad_v2", (cudaTextureObject_t texture, float x, float y, float2 dx, float2 dy), x,
               y, &dx, &dy)
#undef CUTTLE_TEXTURE
#undef CUTTLE_WITH_RESULT

#define CUTTLE_SURFACE(name, place, ...)                                                                               \
    template <class T> CUTTLE_DEVICE void name##read(T* result, cudaSurfaceObject_t surface, CUTTLE_PLACE place,       \
                                                     cudaSurfaceBoundaryMode mode = cudaBoundaryModeTrap) {            \
        __nv_tex_surf_handler("__i" #name "read", result, surface, __VA_ARGS__, mode);                                 \
    }                                                                                                                  \
    template <class T> CUTTLE_DEVICE T name##read(cudaSurfaceObject_t surface, CUTTLE_PLACE place,                     \
                                                  cudaSurfaceBoundaryMode mode = cudaBoundaryModeTrap) {               \
        T result;                                                                                                      \
        name##read(&result, surface, __VA_ARGS__, mode);                                                               \
        return result;                                                                                                 \
    }                                                                                                                  \
    template <class T> CUTTLE_DEVICE void name##write(T value, cudaSurfaceObject_t surface, CUTTLE_PLACE place,        \
                                                      cudaSurfaceBoundaryMode mode = cudaBoundaryModeTrap) {           \
        __nv_tex_surf_handler("__i" #name "write_v2", &value, surface, __VA_ARGS__, mode);                             \
    }
#define CUTTLE_PLACE(...) __VA_ARGS__
CUTTLE_SURFACE(surf1D, (int x), x)
CUTTLE_SURFACE(surf2D, (int x, int y), x, y)
CUTTLE_SURFACE(surf3D, (int x, int y, int z), x, y, z)
CUTTLE_SURFACE(surf1DLayered, (int x, int layer), x, layer)
CUTTLE_SURFACE(surf2DLayered, (int x, int y, int layer), x, y, layer)
#undef CUTTLE_SURFACE
#undef CUTTLE_PLACE
#endif

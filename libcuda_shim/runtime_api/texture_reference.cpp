#include "api/constants.h"
#include "runtime_api/bodies.h"
#include "runtime_api/channel.h"
#include "runtime_api/registry.h"

#include <map>
#include <mutex>

// Texture and surface references, which CUDA 12 took out. A reference is a variable of the program that says how to
// sample; binding gives the driver's reference of the same name what that variable says at that time. CUDA runtime API
// 11.8, Texture Reference Management.
namespace cudart::body {
namespace {

/// What is known of the bound references, by the program's variables.
struct Bindings {
    std::mutex mutex;
    std::map<const void*, bool> normalized; ///< whether elements are read as floats between 0 (or -1) and 1
    std::map<const void*, size_t> offsets;
};

Bindings& bindings() {
    static Bindings& all = *new Bindings;
    return all;
}

CUtexref driver_reference(const textureReference* texture) {
    require(texture, cudaErrorInvalidTexture);
    const auto [module, name] = Registry::get().module_of(texture, cudaErrorInvalidTexture);
    CUtexref reference = nullptr;
    require(cuModuleGetTexRef(&reference, module, name.c_str()) == cudaSuccess, cudaErrorInvalidTexture);
    return reference;
}

void take_over(CUtexref to, const textureReference& from, const cudaChannelFormatDesc& element) {
    const ElementFormat format = format_of(element);
    bool normalized_element = false;
    {
        const std::scoped_lock lock(bindings().mutex);
        normalized_element = bindings().normalized[&from];
    }
    check(cuTexRefSetFormat(to, format.format, int(format.channels)));
    check(cuTexRefSetFlags(to, (normalized_element ? 0 : unsigned(CU_TRSF_READ_AS_INTEGER)) |
                                   (from.normalized ? unsigned(CU_TRSF_NORMALIZED_COORDINATES) : 0) |
                                   (from.sRGB ? unsigned(CU_TRSF_SRGB) : 0)));
    for (int dimension = 0; dimension < 3; ++dimension)
        check(cuTexRefSetAddressMode(to, dimension, from.addressMode[dimension]));
    check(cuTexRefSetFilterMode(to, from.filterMode));
}

void note_offset(const textureReference* texture, size_t offset) {
    const std::scoped_lock lock(bindings().mutex);
    bindings().offsets[texture] = offset;
}

cudaChannelFormatDesc element_of(const textureReference* texture, const cudaChannelFormatDesc* desc) {
    return desc ? *desc : texture->channelDesc;
}

} // namespace

void __cudaRegisterTexture(void** handle, const textureReference* shadow, const void**, const char* name, int,
                           int normalized, int) {
    Registry::get().add_variable(handle, shadow, name, 0);
    const std::scoped_lock lock(bindings().mutex);
    bindings().normalized[shadow] = normalized != 0;
}

void __cudaRegisterSurface(void** handle, const surfaceReference* shadow, const void**, const char* name, int, int) {
    Registry::get().add_variable(handle, shadow, name, 0);
}

void cudaBindTexture(size_t* offset, const textureReference* texref, const void* devPtr,
                     const cudaChannelFormatDesc* desc, size_t size) {
    const CUtexref reference = driver_reference(texref);
    take_over(reference, *texref, element_of(texref, desc));
    size_t bytes = 0;
    check(cuTexRefSetAddress_v2(&bytes, reference, reinterpret_cast<CUdeviceptr>(devPtr), size));
    // A caller that does not listen to the offset promises that there is none.
    require(offset || !bytes, cudaErrorInvalidValue);
    if (offset) *offset = bytes;
    note_offset(texref, bytes);
}

void cudaBindTexture2D(size_t* offset, const textureReference* texref, const void* devPtr,
                       const cudaChannelFormatDesc* desc, size_t width, size_t height, size_t pitch) {
    const CUtexref reference = driver_reference(texref);
    const cudaChannelFormatDesc element = element_of(texref, desc);
    take_over(reference, *texref, element);
    const ElementFormat format = format_of(element);
    const CUDA_ARRAY_DESCRIPTOR area{width, height, format.format, format.channels};
    check(cuTexRefSetAddress2D_v3(reference, &area, reinterpret_cast<CUdeviceptr>(devPtr), pitch));
    if (offset) *offset = 0;
    note_offset(texref, 0);
}

void cudaBindTextureToArray(const textureReference* texref, cudaArray_const_t array,
                            const cudaChannelFormatDesc* desc) {
    const CUtexref reference = driver_reference(texref);
    take_over(reference, *texref, element_of(texref, desc));
    check(cuTexRefSetArray(reference, array, CU_TRSA_OVERRIDE_FORMAT));
    note_offset(texref, 0);
}

void cudaBindTextureToMipmappedArray(const textureReference* texref, cudaMipmappedArray_const_t mipmappedArray,
                                     const cudaChannelFormatDesc* desc) {
    const CUtexref reference = driver_reference(texref);
    take_over(reference, *texref, element_of(texref, desc));
    check(cuTexRefSetMipmapFilterMode(reference, texref->mipmapFilterMode));
    check(cuTexRefSetMipmapLevelBias(reference, texref->mipmapLevelBias));
    check(cuTexRefSetMipmapLevelClamp(reference, texref->minMipmapLevelClamp, texref->maxMipmapLevelClamp));
    check(cuTexRefSetMipmappedArray(reference, mipmappedArray, CU_TRSA_OVERRIDE_FORMAT));
    note_offset(texref, 0);
}

void cudaUnbindTexture(const textureReference* texref) {
    driver_reference(texref);
    const std::scoped_lock lock(bindings().mutex);
    bindings().offsets.erase(texref);
}

void cudaGetTextureAlignmentOffset(size_t* offset, const textureReference* texref) {
    require(offset, cudaErrorInvalidValue);
    driver_reference(texref);
    const std::scoped_lock lock(bindings().mutex);
    const auto found = bindings().offsets.find(texref);
    require(found != bindings().offsets.end(), cudaErrorInvalidTextureBinding);
    *offset = found->second;
}

// The program's variable is the reference.
void cudaGetTextureReference(const textureReference** texref, const void* symbol) {
    require(texref, cudaErrorInvalidValue);
    require(Registry::get().knows_variable(symbol), cudaErrorInvalidTexture);
    *texref = static_cast<const textureReference*>(symbol);
}

void cudaGetSurfaceReference(const surfaceReference** surfref, const void* symbol) {
    require(surfref, cudaErrorInvalidValue);
    require(Registry::get().knows_variable(symbol), cudaErrorInvalidSurface);
    *surfref = static_cast<const surfaceReference*>(symbol);
}

void cudaBindSurfaceToArray(const surfaceReference* surfref, cudaArray_const_t array, const cudaChannelFormatDesc*) {
    require(surfref, cudaErrorInvalidSurface);
    const auto [module, name] = Registry::get().module_of(surfref, cudaErrorInvalidSurface);
    CUsurfref reference = nullptr;
    require(cuModuleGetSurfRef(&reference, module, name.c_str()) == cudaSuccess, cudaErrorInvalidSurface);
    check(cuSurfRefSetArray(reference, array, 0));
}

} // namespace cudart::body

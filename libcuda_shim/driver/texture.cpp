#include "api/bodies.h"
#include "api/constants.h"
#include "driver/array.h"
#include "driver/handles.h"
#include "ptx/texture_abi.h"
#include "rt/memory.h"

#include <cstring>
#include <mutex>
#include <new>
#include <optional>
#include <unordered_map>

namespace shim {
namespace {

using ptx::texture::Descriptor;
using ptx::texture::Format;

/// What the application asked for, behind a handle that is the address of the descriptor.
struct Object {
    rt::Context* context;
    CUDA_RESOURCE_DESC resource;
    CUDA_TEXTURE_DESC texture;
    std::optional<CUDA_RESOURCE_VIEW_DESC> view;
};

std::mutex mutex;
std::unordered_map<uint64_t, Object>& objects() {
    static auto* const all = new std::unordered_map<uint64_t, Object>; // outlives every thread
    return *all;
}

Object object_of(uint64_t handle) {
    const std::lock_guard lock(mutex);
    const auto found = objects().find(handle);
    require_value(found != objects().end(), "no such texture or surface object");
    return found->second;
}

Format format_of(int format) {
    switch (format) {
    case CU_AD_FORMAT_UNSIGNED_INT8:
        return Format::u8;
    case CU_AD_FORMAT_UNSIGNED_INT16:
        return Format::u16;
    case CU_AD_FORMAT_UNSIGNED_INT32:
        return Format::u32;
    case CU_AD_FORMAT_SIGNED_INT8:
        return Format::s8;
    case CU_AD_FORMAT_SIGNED_INT16:
        return Format::s16;
    case CU_AD_FORMAT_SIGNED_INT32:
        return Format::s32;
    case CU_AD_FORMAT_HALF:
        return Format::f16;
    case CU_AD_FORMAT_FLOAT:
        return Format::f32;
    default:
        break;
    }
    constexpr Format normalized[] = {Format::u8, Format::u16, Format::s8, Format::s16};
    require_value(format >= 0xc0 && format <= 0xcb, "unknown or unsupported format");
    return normalized[(format - 0xc0) / 3];
}

void set_format(Descriptor& d, int format, unsigned channels) {
    require_value(channels == 1 || channels == 2 || channels == 4, "wrong number of channels");
    d.format = format_of(format);
    d.channels = uint8_t(channels);
    rt::ArrayShape shape;
    shape.format = format;
    shape.channels = channels;
    d.texel_bytes = uint8_t(shape.texel_bytes());
}

void add_level(Descriptor& d, unsigned number, const rt::Array& array) {
    const rt::ArrayShape& s = array.shape();
    d.level[number] = {array.address(),      uint32_t(s.width),       uint32_t(s.rows()),
                       uint32_t(s.slices()), uint32_t(array.pitch()), array.slice()};
}

void set_array(Descriptor& d, const rt::Array& array) {
    set_format(d, array.shape().format, array.shape().channels);
    d.layered = array.shape().flags & CUDA_ARRAY3D_LAYERED;
    add_level(d, 0, array);
}

void set_linear(Descriptor& d, const CUDA_RESOURCE_DESC& resource) {
    const auto& linear = resource.res.linear;
    set_format(d, linear.format, linear.numChannels);
    require_value(linear.devPtr && linear.devPtr % 512 == 0, "a texture's address must be a multiple of 512");
    const size_t texels = linear.sizeInBytes / d.texel_bytes;
    require_value(texels <= 1u << 28, "linear texture too large");
    d.level[0] = {linear.devPtr, uint32_t(texels), 1, 1, 0, 0};
    // Outside of linear memory a fetch gives zero, in any address mode.
    d.address[0] = ptx::texture::Address::border;
}

void set_pitched(Descriptor& d, const CUDA_RESOURCE_DESC& resource) {
    const auto& p = resource.res.pitch2D;
    set_format(d, p.format, p.numChannels);
    require_value(p.devPtr && p.devPtr % 512 == 0, "a texture's address must be a multiple of 512");
    require_value(p.pitchInBytes % 32 == 0 && p.pitchInBytes < 1 << 21, "bad pitch");
    require_value(p.width <= 131072 && p.height <= 65000, "pitched texture too large");
    d.level[0] = {p.devPtr, uint32_t(p.width), uint32_t(p.height), 1, uint32_t(p.pitchInBytes), 0};
}

void set_resource(Descriptor& d, const CUDA_RESOURCE_DESC& resource) {
    require_value(resource.flags == 0, "unknown flags");
    switch (resource.resType) {
    case CU_RESOURCE_TYPE_ARRAY:
        require_value(resource.res.array.hArray, "no array");
        return set_array(d, array_of(resource.res.array.hArray));
    case CU_RESOURCE_TYPE_MIPMAPPED_ARRAY: {
        require_value(resource.res.mipmap.hMipmappedArray, "no array");
        auto& levels = mipmap_of(resource.res.mipmap.hMipmappedArray).levels();
        set_array(d, *levels[0]);
        d.levels = uint32_t(levels.size());
        for (unsigned k = 0; k < d.levels; ++k) add_level(d, k, *levels[k]);
        return;
    }
    case CU_RESOURCE_TYPE_LINEAR:
        return set_linear(d, resource);
    case CU_RESOURCE_TYPE_PITCH2D:
        return set_pitched(d, resource);
    default:
        require_value(false, "unknown kind of resource");
    }
}

void set_sampling(Descriptor& d, const CUDA_TEXTURE_DESC& t) {
    constexpr unsigned known = 0x7f, unsupported = 0x20 | CU_TRSF_SEAMLESS_CUBEMAP;
    require_value(!(t.flags & ~known), "unknown flags");
    for (int mode : t.addressMode) require_value(mode >= 0 && mode <= 3, "unknown address mode");
    require_value(t.filterMode == 0 || t.filterMode == 1, "unknown filter mode");
    require_value(t.mipmapFilterMode == 0 || t.mipmapFilterMode == 1, "unknown filter mode");
    if (t.flags & unsupported & CU_TRSF_SEAMLESS_CUBEMAP)
        throw Error(Status::not_supported, "seamless cube maps are not supported yet");
    if (t.flags & CU_TRSF_SRGB) throw Error(Status::not_supported, "sRGB textures are not supported yet");
    d.integer = t.flags & CU_TRSF_READ_AS_INTEGER;
    d.normalized = t.flags & CU_TRSF_NORMALIZED_COORDINATES;
    d.linear = t.filterMode == CU_TR_FILTER_MODE_LINEAR;
    d.linear_levels = t.mipmapFilterMode == CU_TR_FILTER_MODE_LINEAR;
    for (int k = 0; k < 3; ++k) d.address[k] = ptx::texture::Address(t.addressMode[k]);
    d.bias = t.mipmapLevelBias;
    d.least_level = t.minMipmapLevelClamp;
    d.most_level = t.maxMipmapLevelClamp;
    std::memcpy(d.border, t.borderColor, sizeof d.border);
}

/// Memory that the host writes and the device reads.
uint64_t publish(const Descriptor& d, const Object& object) {
    const uint64_t address = rt::memory::allocate(*object.context, sizeof d, rt::backend::MemoryKind::pinned);
    new (reinterpret_cast<void*>(address)) Descriptor(d);
    const std::lock_guard lock(mutex);
    objects()[address] = object;
    return address;
}

/// CUDA does not mind handles that are none.
Status destroy(uint64_t handle) {
    const std::lock_guard lock(mutex);
    const auto found = objects().find(handle);
    if (found == objects().end()) return Status::success;
    rt::Context* context = found->second.context;
    objects().erase(found);
    if (!rt::memory::find(handle)) return Status::success; // went with its context
    reinterpret_cast<Descriptor*>(handle)->magic = 0;
    rt::memory::release(*context, handle, rt::backend::MemoryKind::pinned);
    return Status::success;
}

} // namespace

Status driver::cuTexObjectCreate(CUtexObject* object, const CUDA_RESOURCE_DESC* resource,
                                 const CUDA_TEXTURE_DESC* texture, const CUDA_RESOURCE_VIEW_DESC* view) {
    require_value(object && resource && texture, "null pointer");
    if (view && resource->resType <= CU_RESOURCE_TYPE_MIPMAPPED_ARRAY)
        throw Error(Status::not_supported, "resource views are not supported yet");
    Descriptor d;
    d.magic = ptx::texture::alive;
    set_sampling(d, *texture);
    set_resource(d, *resource);
    *object = publish(d, {&rt::Context::current(), *resource, *texture, {}});
    return Status::success;
}

Status driver::cuTexObjectDestroy(CUtexObject object) { return destroy(object); }

Status driver::cuTexObjectGetResourceDesc(CUDA_RESOURCE_DESC* resource, CUtexObject object) {
    out(resource, "pResDesc") = object_of(object).resource;
    return Status::success;
}

Status driver::cuTexObjectGetTextureDesc(CUDA_TEXTURE_DESC* texture, CUtexObject object) {
    out(texture, "pTexDesc") = object_of(object).texture;
    return Status::success;
}

Status driver::cuSurfObjectCreate(CUsurfObject* object, const CUDA_RESOURCE_DESC* resource) {
    require_value(object && resource, "null pointer");
    require_value(resource->resType == CU_RESOURCE_TYPE_ARRAY, "a surface needs an array");
    Descriptor d;
    d.magic = ptx::texture::alive;
    set_resource(d, *resource);
    *object = publish(d, {&rt::Context::current(), *resource, {}, {}});
    return Status::success;
}

Status driver::cuSurfObjectDestroy(CUsurfObject object) { return destroy(object); }

Status driver::cuSurfObjectGetResourceDesc(CUDA_RESOURCE_DESC* resource, CUsurfObject object) {
    out(resource, "pResDesc") = object_of(object).resource;
    return Status::success;
}

} // namespace shim

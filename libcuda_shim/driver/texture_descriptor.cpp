#include "driver/texture_descriptor.h"

#include "api/bodies.h"
#include "api/constants.h"
#include "driver/array.h"
#include "driver/handles.h"
#include "rt/memory.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace shim {
namespace {

using ptx::texture::Descriptor;
using ptx::texture::Format;

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
    d.fixed_point = format >= CU_AD_FORMAT_UNORM_INT8X1;
}

void add_level(Descriptor& d, unsigned number, const rt::Array& array) {
    const rt::ArrayShape& s = array.shape();
    d.level[number] = {array.address(),      uint32_t(s.width),       uint32_t(s.rows()),
                       uint32_t(s.slices()), uint32_t(array.pitch()), array.slice()};
}

void set_array(Descriptor& d, const rt::Array& array) {
    set_format(d, array.shape().format, array.shape().channels);
    d.layered = array.shape().flags & CUDA_ARRAY3D_LAYERED;
    d.cubemap = array.shape().flags & CUDA_ARRAY3D_CUBEMAP;
    const rt::ArrayShape& shape = array.shape();
    d.dimensions = shape.height == 0 ? 1 : shape.depth != 0 && !d.layered && !d.cubemap ? 3 : 2;
    add_level(d, 0, array);
}

void set_linear(Descriptor& d, const CUDA_RESOURCE_DESC& resource) {
    const auto& linear = resource.res.linear;
    set_format(d, linear.format, linear.numChannels);
    require_value(linear.devPtr && linear.devPtr % 512 == 0, "a texture's address must be a multiple of 512");
    const size_t texels = linear.sizeInBytes / d.texel_bytes;
    require_value(texels <= UINT32_MAX, "linear texture too large");
    d.level[0] = {linear.devPtr, uint32_t(texels), 1, 1, 0, 0};
    d.linear_memory = true;
    d.dimensions = 1;
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

/// A format of a resource view: CUresourceViewFormat, three channel counts each.
void set_view_format(Descriptor& d, int format) {
    constexpr Format formats[] = {Format::u8,  Format::s8,  Format::u16, Format::s16,
                                  Format::u32, Format::s32, Format::f16, Format::f32};
    constexpr uint8_t channels[] = {1, 2, 4}, bytes[] = {1, 1, 2, 2, 4, 4, 2, 4};
    if (format > CU_RES_VIEW_FORMAT_FLOAT_4X32 && format <= CU_RES_VIEW_FORMAT_UNSIGNED_BC7)
        throw Error(Status::not_supported, "views of compressed texels are not supported");
    require_value(format > 0 && format <= CU_RES_VIEW_FORMAT_FLOAT_4X32, "unknown format of a resource view");
    const unsigned row = unsigned(format - 1) / 3, column = unsigned(format - 1) % 3;
    require_value(bytes[row] * channels[column] == d.texel_bytes, "a view's texels must be as large as the array's");
    d.format = formats[row];
    d.channels = channels[column];
}

/// Some levels and layers of an array, read in another format. The size must be the array's.
void set_view(Descriptor& d, const CUDA_RESOURCE_VIEW_DESC& view) {
    set_view_format(d, view.format);
    const auto& whole = d.level[0];
    const bool flat = whole.height == 1;
    require_value(view.width == whole.width, "a view must have the array's width");
    require_value(view.height == whole.height || (flat && view.height == 0), "a view must have the array's height");
    require_value(view.depth == whole.depth || (whole.depth == 1 && view.depth == 0),
                  "a view must have the array's depth");
    require_value(view.firstMipmapLevel <= view.lastMipmapLevel && view.firstMipmapLevel < d.levels, "no such levels");
    // An H100 takes more levels than a mipmapped array has.
    require_value(d.levels > 1 || view.lastMipmapLevel == 0, "no such levels");
    const unsigned last = std::min(view.lastMipmapLevel, d.levels - 1);
    require_value(view.firstLayer <= view.lastLayer && view.lastLayer < (d.layered ? whole.depth : 1),
                  "no such layers");
    for (unsigned k = 0; k + view.firstMipmapLevel <= last; ++k) {
        d.level[k] = d.level[k + view.firstMipmapLevel];
        if (!d.layered) continue;
        d.level[k].address += view.firstLayer * d.level[k].slice;
        d.level[k].depth = view.lastLayer - view.firstLayer + 1;
    }
    d.levels = last - view.firstMipmapLevel + 1;
}

void set_sampling(Descriptor& d, const CUDA_TEXTURE_DESC& t) {
    require_value(!(t.flags & ~0x7fu), "unknown flags");
    require_value(!(t.flags & CU_TRSF_SEAMLESS_CUBEMAP) || d.cubemap, "only cubes are seamless");
    // Of the dimensions that there are; the others' modes are ignored.
    for (unsigned k = 0; k < d.dimensions; ++k)
        require_value(t.addressMode[k] >= 0 && t.addressMode[k] <= 3, "unknown address mode");
    require_value(t.filterMode == 0 || t.filterMode == 1, "unknown filter mode");
    require_value(t.mipmapFilterMode == 0 || t.mipmapFilterMode == 1, "unknown filter mode");
    d.integer = t.flags & CU_TRSF_READ_AS_INTEGER;
    d.normalized = t.flags & CU_TRSF_NORMALIZED_COORDINATES;
    d.srgb = t.flags & CU_TRSF_SRGB;
    d.seamless = t.flags & CU_TRSF_SEAMLESS_CUBEMAP;
    d.linear = t.filterMode == CU_TR_FILTER_MODE_LINEAR;
    d.linear_levels = t.mipmapFilterMode == CU_TR_FILTER_MODE_LINEAR;
    // One dimension is sampled as two are.
    for (unsigned k = 0; k < 3; ++k) d.address[k] = ptx::texture::Address(t.addressMode[k] & 3);
    constexpr uint8_t samples[] = {1, 1, 2, 2, 4, 4, 6, 6, 8, 8, 10, 10, 12, 12, 12, 12, 16};
    d.anisotropy = samples[std::min(t.maxAnisotropy, 16u)];
    d.exact_levels = t.flags & CU_TRSF_DISABLE_TRILINEAR_OPTIMIZATION;
    d.bias = t.mipmapLevelBias;
    d.least_level = t.minMipmapLevelClamp;
    d.most_level = t.maxMipmapLevelClamp;
    std::memcpy(d.border, t.borderColor, sizeof d.border);
}

} // namespace

Descriptor texture_descriptor(const CUDA_RESOURCE_DESC& resource, const CUDA_TEXTURE_DESC& texture,
                              const CUDA_RESOURCE_VIEW_DESC* view) {
    Descriptor d;
    d.magic = ptx::texture::alive;
    set_resource(d, resource);
    set_sampling(d, texture);
    if (view && resource.resType <= CU_RESOURCE_TYPE_MIPMAPPED_ARRAY) set_view(d, *view);
    return d;
}

Descriptor surface_descriptor(const CUDA_RESOURCE_DESC& resource) {
    require_value(resource.resType == CU_RESOURCE_TYPE_ARRAY, "a surface needs an array");
    Descriptor d;
    d.magic = ptx::texture::alive;
    d.kind = ptx::texture::Kind::surface;
    set_resource(d, resource);
    return d;
}

uint64_t publish(rt::Context& context, const Descriptor& d) {
    const uint64_t address = rt::memory::allocate(context, sizeof d, rt::backend::MemoryKind::pinned);
    new (reinterpret_cast<void*>(address)) Descriptor(d);
    return address;
}

void withdraw(rt::Context& context, uint64_t handle) {
    if (!rt::memory::find(handle)) return;
    context.wait(); // for kernels that still use it
    reinterpret_cast<Descriptor*>(handle)->magic = 0;
    rt::memory::release(context, handle, rt::backend::MemoryKind::pinned);
}

} // namespace shim

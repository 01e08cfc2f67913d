#include "api/bodies.h"
#include "driver/handles.h"
#include "driver/texture_descriptor.h"
#include "rt/array.h"
#include "rt/context.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace shim {
namespace {

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

uint64_t create(const ptx::texture::Descriptor& descriptor, const Object& object) {
    const uint64_t handle = publish(*object.context, descriptor);
    const std::lock_guard lock(mutex);
    objects()[handle] = object;
    return handle;
}

/// CUDA does not mind handles that are none.
Status destroy(uint64_t handle) {
    rt::Context* context = nullptr;
    {
        const std::lock_guard lock(mutex);
        const auto found = objects().find(handle);
        if (found == objects().end()) return Status::success;
        context = found->second.context;
        objects().erase(found);
    }
    withdraw(*context, handle); // may wait, so without the lock
    return Status::success;
}

} // namespace

Status driver::cuTexObjectCreate(CUtexObject* object, const CUDA_RESOURCE_DESC* resource,
                                 const CUDA_TEXTURE_DESC* texture, const CUDA_RESOURCE_VIEW_DESC* view) {
    require_value(object && resource && texture, "null pointer");
    Object asked{&rt::Context::current(), *resource, *texture, {}};
    if (view) asked.view = *view;
    *object = create(texture_descriptor(*resource, *texture, view), asked);
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

/// Without a view, an H100 leaves what is there.
Status driver::cuTexObjectGetResourceViewDesc(CUDA_RESOURCE_VIEW_DESC* view, CUtexObject object) {
    const Object found = object_of(object);
    CUDA_RESOURCE_VIEW_DESC& to = out(view, "pResViewDesc");
    if (found.view) to = *found.view;
    return Status::success;
}

Status driver::cuSurfObjectCreate(CUsurfObject* object, const CUDA_RESOURCE_DESC* resource) {
    require_value(object && resource, "null pointer");
    *object = create(surface_descriptor(*resource), {&rt::Context::current(), *resource, {}, {}});
    return Status::success;
}

Status driver::cuSurfObjectDestroy(CUsurfObject object) { return destroy(object); }

Status driver::cuSurfObjectGetResourceDesc(CUDA_RESOURCE_DESC* resource, CUsurfObject object) {
    out(resource, "pResDesc") = object_of(object).resource;
    return Status::success;
}

// As on an H100: four GiB, but no more than 2^30 elements.
Status driver::cuDeviceGetTexture1DLinearMaxWidth(size_t* width, CUarray_format format, unsigned int channels,
                                                  CUdevice device) {
    out(width, "maxWidthInElements");
    require_value(channels == 1 || channels == 2 || channels == 4, "elements have one, two or four channels");
    const size_t bytes = rt::ArrayShape{.format = format, .channels = channels}.texel_bytes();
    require_value(bytes, "unknown format");
    device_of(device);
    *width = std::min(size_t{1} << 30, (size_t{1} << 32) / bytes);
    return Status::success;
}

} // namespace shim

#include "rt/green_context.h"

#include "api/bodies.h"
#include "api/constants.h"
#include "driver/handles.h"
#include "rt/multiprocessors.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>

// CUDA driver API, "Green Contexts". What is refused, and with what, follows an H100.
namespace shim {
namespace {

namespace sms = rt::multiprocessors;

/// A CUdevResource's own part. It tells where the multiprocessors are, and whether the application has changed
/// anything.
struct Inside {
    uint64_t check = 0;
    int32_t device = 0;
    sms::SetId set = 0;
    uint32_t divisible = 0; ///< comes from a device or a context, not from a split
};
static_assert(sizeof(Inside) <= sizeof(CUdevResource::internal));

uint64_t check_of(const Inside& inside, uint32_t count) {
    uint64_t hash = 0x9e3779b97f4a7c15;
    for (const uint64_t word :
         {uint64_t(uint32_t(inside.device)), uint64_t{inside.set}, uint64_t{inside.divisible}, uint64_t{count}})
        hash = (hash ^ word) * 0x100000001b3 + (hash >> 29);
    return hash;
}

CUdevResource resource_of(int device, sms::SetId set, bool divisible) {
    CUdevResource made;
    std::memset(&made, 0, sizeof made);
    const uint32_t count = sms::count(set);
    if (count == 0) return made; // CU_DEV_RESOURCE_TYPE_INVALID
    made.type = CU_DEV_RESOURCE_TYPE_SM;
    // Any number of them can be taken: threads have no hierarchy.
    made.sm = {count, divisible ? 1u : 0u, divisible ? 1u : 0u};
    Inside inside{0, device, set, divisible};
    inside.check = check_of(inside, count);
    std::memcpy(made.internal, &inside, sizeof inside);
    return made;
}

Inside inside_of(const CUdevResource& resource) {
    if (resource.type != CU_DEV_RESOURCE_TYPE_SM)
        throw Error(Status::invalid_resource_type, "the resource is none of multiprocessors");
    Inside inside;
    std::memcpy(&inside, resource.internal, sizeof inside);
    if (inside.check != check_of(inside, resource.sm.smCount))
        throw Error(Status::invalid_resource_configuration, "the resource is not as it was given");
    return inside;
}

void require_multiprocessors(const CUdevResource* resource, CUdevResourceType type) {
    require_value(resource, "resource is null");
    if (type != CU_DEV_RESOURCE_TYPE_SM)
        throw Error(Status::invalid_resource_type, "resources are multiprocessors, nothing else");
}

sms::SetId whole(rt::Device& device) {
    return sms::first(uint32_t(device.attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT).value_or(0)));
}

CUdevResource resource_of(rt::Context& context, rt::GreenContext* green) {
    rt::Device& device = context.device();
    return resource_of(device.ordinal(), green ? green->set() : whole(device), true);
}

/// What a descriptor holds. Descriptors are never destroyed, so those of equal resources are one.
struct Descriptor {
    int device;
    sms::SetId set;
};

struct Descriptors {
    std::mutex mutex;
    std::map<std::pair<int, sms::SetId>, Descriptor> all;

    CUdevResourceDesc handle(int device, sms::SetId set) {
        std::lock_guard lock(mutex);
        Descriptor& made = all.try_emplace({device, set}, Descriptor{device, set}).first->second;
        return reinterpret_cast<CUdevResourceDesc>(&made);
    }
    Descriptor find(CUdevResourceDesc handle) {
        std::lock_guard lock(mutex);
        for (const auto& [key, one] : all)
            if (reinterpret_cast<CUdevResourceDesc>(const_cast<Descriptor*>(&one)) == handle) return one;
        throw Error(Status::invalid_value, "no descriptor of resources");
    }
};

Descriptors& descriptors() {
    static Descriptors& all = *new Descriptors;
    return all;
}

rt::Context& context_with_events(CUcontext context) {
    if (!context) throw Error(Status::invalid_context, "no context");
    if (green_or_null(context) || rt::handle_cast<rt::Context>(context)) return context_of(context);
    throw Error(Status::context_is_destroyed, "no context, or one that is gone");
}

} // namespace

Status driver::cuDeviceGetDevResource(CUdevice device, CUdevResource* resource, CUdevResourceType type) {
    rt::Device& found = device_of(device);
    require_multiprocessors(resource, type);
    *resource = resource_of(found.ordinal(), whole(found), true);
    return Status::success;
}

Status driver::cuCtxGetDevResource(CUcontext context, CUdevResource* resource, CUdevResourceType type) {
    require_multiprocessors(resource, type);
    rt::Context& found = context_with_events(context);
    *resource = resource_of(found, green_or_null(context));
    return Status::success;
}

Status driver::cuGreenCtxGetDevResource(CUgreenCtx green, CUdevResource* resource, CUdevResourceType type) {
    require_multiprocessors(resource, type);
    rt::GreenContext& found = green_of(green);
    *resource = resource_of(found.context(), &found);
    return Status::success;
}

Status driver::cuStreamGetDevResource(CUstream stream, CUdevResource* resource, CUdevResourceType type) {
    require_multiprocessors(resource, type);
    rt::Stream& found = stream_of(stream);
    *resource = resource_of(found.context(), found.green());
    return Status::success;
}

// Both flags are about a GPU's hierarchy of multiprocessors.
Status driver::cuDevSmResourceSplitByCount(CUdevResource* result, unsigned int* groups, const CUdevResource* input,
                                           CUdevResource* remaining, unsigned int flags, unsigned int least) {
    require_value(groups && input, "nowhere to put the number of groups, or nothing to split");
    require_value(!result || remaining != input, "the remainder overwrites what is split");
    const unsigned known =
        CU_DEV_SM_RESOURCE_SPLIT_IGNORE_SM_COSCHEDULING | CU_DEV_SM_RESOURCE_SPLIT_MAX_POTENTIAL_CLUSTER_SIZE;
    require_value((flags & ~known) == 0 && flags != known, "unknown flags, or two that contradict");
    require_value(!result || *groups, "no groups");
    const Inside inside = inside_of(*input);
    const uint32_t count = input->sm.smCount;
    if (!inside.divisible || least > count)
        throw Error(Status::invalid_resource_configuration, "the resource cannot be split, or not so");
    const uint32_t size = std::max(least, 1u);
    const sms::Split split = sms::split(inside.set, size, result ? *groups : count);
    *groups = unsigned(split.groups.size());
    if (!result) return Status::success;
    for (size_t i = 0; i < split.groups.size(); ++i) result[i] = resource_of(inside.device, split.groups[i], false);
    if (remaining) *remaining = resource_of(inside.device, split.rest, false);
    return Status::success;
}

Status driver::cuDevResourceGenerateDesc(CUdevResourceDesc* descriptor, CUdevResource* resources, unsigned int count) {
    require_value(descriptor && resources && count, "nowhere to put the descriptor, or no resources");
    const Inside first = inside_of(resources[0]);
    sms::SetId set = first.set;
    for (unsigned i = 1; i < count; ++i) {
        const Inside next = inside_of(resources[i]);
        if (next.device != first.device)
            throw Error(Status::invalid_resource_configuration, "the resources are of several devices");
        set = sms::united(set, next.set);
    }
    *descriptor = descriptors().handle(first.device, set);
    return Status::success;
}

// Without a descriptor an H100's driver takes all there is.
Status driver::cuGreenCtxCreate(CUgreenCtx* green, CUdevResourceDesc descriptor, CUdevice device, unsigned int flags) {
    out(green, "phCtx");
    rt::Device& found = device_of(device);
    require_value(flags == CU_GREEN_CTX_DEFAULT_STREAM, "a green context is made with a default stream");
    sms::SetId set = whole(found);
    if (descriptor) {
        const Descriptor described = descriptors().find(descriptor);
        require_value(described.device == found.ordinal(), "the resources are another device's");
        set = described.set;
    }
    *green = handle_of(*new rt::GreenContext(found, set));
    return Status::success;
}

Status driver::cuGreenCtxDestroy(CUgreenCtx green) {
    delete &green_of(green);
    return Status::success;
}

Status driver::cuCtxFromGreenCtx(CUcontext* context, CUgreenCtx green) {
    out(context, "pContext");
    *context = handle<CUcontext>(green_of(green));
    return Status::success;
}

Status driver::cuGreenCtxGetId(CUgreenCtx green, unsigned long long* id) {
    out(id, "greenCtxId");
    rt::GreenContext* found = green ? &green_of(green) : rt::GreenContext::current_or_null();
    if (!found) throw Error(Status::invalid_context, "no green context is current");
    *id = found->id();
    return Status::success;
}

Status driver::cuGreenCtxRecordEvent(CUgreenCtx green, CUevent event) {
    rt::GreenContext& found = green_of(green);
    found.record(event_of(event));
    return Status::success;
}

Status driver::cuGreenCtxWaitEvent(CUgreenCtx green, CUevent event) {
    rt::GreenContext& found = green_of(green);
    found.wait_for(event_of(event));
    return Status::success;
}

Status driver::cuCtxRecordEvent(CUcontext context, CUevent event) {
    rt::Context& found = context_with_events(context);
    if (rt::GreenContext* green = green_or_null(context))
        green->record(event_of(event));
    else
        found.record(event_of(event));
    return Status::success;
}

Status driver::cuCtxWaitEvent(CUcontext context, CUevent event) {
    rt::Context& found = context_with_events(context);
    if (rt::GreenContext* green = green_or_null(context))
        green->wait_for(event_of(event));
    else
        found.wait_for(event_of(event));
    return Status::success;
}

} // namespace shim

#include "rt/stream_attributes.h"
#include "api/bodies.h"
#include "api/constants.h"
#include "driver/access_window.h"
#include "driver/handles.h"
#include "rt/context.h"

#include <fmt/format.h>

// Attributes of streams. They are hints, or divide what one device's memory does not divide: kept, and given back.
namespace shim {
namespace {

Error no_such(CUstreamAttrID attribute) {
    return Error(Status::invalid_value, fmt::format("streams have no attribute {}", attribute));
}

void check_window(const CUaccessPolicyWindow& window, rt::Context& context) {
    const auto largest =
        size_t(context.device().attribute(CU_DEVICE_ATTRIBUTE_MAX_ACCESS_POLICY_WINDOW_SIZE).value_or(0));
    require_value(window.num_bytes <= largest, "the device has no access policy window of that size");
    require_value(window.hitRatio >= 0 && window.hitRatio <= 1, "a ratio is from 0 to 1");
    require_value(window.hitProp >= 0 && window.hitProp <= CU_ACCESS_PROPERTY_PERSISTING, "no such access property");
    require_value(window.missProp >= 0 && window.missProp < CU_ACCESS_PROPERTY_PERSISTING,
                  "accesses that miss cannot persist");
}

} // namespace

Status driver::cuStreamGetAttribute(CUstream stream, CUstreamAttrID attribute, CUstreamAttrValue* value) {
    rt::Stream& found = stream_of(stream);
    const rt::StreamAttributes a = rt::attributes_of(found);
    require_value(value, "no place for the value");
    switch (attribute) {
    case CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW:
        value->accessPolicyWindow = access_window(a.window);
        return Status::success;
    case CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY:
        value->syncPolicy = a.sync_policy;
        return Status::success;
    case CU_LAUNCH_ATTRIBUTE_PRIORITY:
        value->priority = found.priority();
        return Status::success;
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN_MAP:
        value->memSyncDomainMap = {a.domain_map[0], a.domain_map[1]};
        return Status::success;
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN:
        value->memSyncDomain = a.domain;
        return Status::success;
    }
    throw no_such(attribute);
}

Status driver::cuStreamSetAttribute(CUstream stream, CUstreamAttrID attribute, const CUstreamAttrValue* value) {
    rt::Stream& found = stream_of(stream);
    rt::StreamAttributes a = rt::attributes_of(found);
    require_value(value, "no value");
    switch (attribute) {
    case CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW:
        check_window(value->accessPolicyWindow, found.context());
        a.window = access_window(value->accessPolicyWindow);
        break;
    case CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY:
        require_value(value->syncPolicy >= CU_SYNC_POLICY_AUTO && value->syncPolicy <= CU_SYNC_POLICY_BLOCKING_SYNC,
                      "no such way to wait");
        a.sync_policy = value->syncPolicy;
        break;
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN_MAP: {
        const int domains = found.context().device().attribute(CU_DEVICE_ATTRIBUTE_MEM_SYNC_DOMAIN_COUNT).value_or(1);
        const auto& map = value->memSyncDomainMap;
        require_value(map.default_ < domains && map.remote < domains, "the device has fewer domains");
        a.domain_map[0] = map.default_;
        a.domain_map[1] = map.remote;
        break;
    }
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN:
        require_value(value->memSyncDomain >= 0 && value->memSyncDomain <= CU_LAUNCH_MEM_SYNC_DOMAIN_REMOTE,
                      "no such domain");
        a.domain = value->memSyncDomain;
        break;
    case CU_LAUNCH_ATTRIBUTE_PRIORITY:
        throw Error(Status::not_supported, "a stream keeps the priority that it was created with");
    default:
        throw no_such(attribute);
    }
    rt::set_attributes(found, a);
    return Status::success;
}

Status driver::cuStreamCopyAttributes(CUstream to, CUstream from) {
    rt::Stream& target = stream_of(to);
    rt::set_attributes(target, rt::attributes_of(stream_of(from)));
    return Status::success;
}

} // namespace shim

#include "api/bodies.h"
#include "api/constants.h"
#include "driver/access_window.h"
#include "driver/graph_handles.h"
#include "driver/handles.h"

#include <fmt/format.h>

#include <algorithm>

// Attributes of kernel nodes. Which there are, their defaults and what is refused follow an H100.
namespace shim {
namespace {

constexpr int least_priority = 0, greatest_priority = -5;

Error no_such(CUkernelNodeAttrID attribute) {
    return Error(Status::invalid_value, fmt::format("kernel nodes have no attribute {}", attribute));
}

/// A new value into a copy of the node's parameters.
void set(rt::KernelNode& kernel, CUkernelNodeAttrID id, const CUkernelNodeAttrValue& value) {
    rt::KernelAttributes& a = kernel.attributes;
    switch (id) {
    case CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW:
        a.window = access_window(value.accessPolicyWindow);
        return;
    case CU_LAUNCH_ATTRIBUTE_COOPERATIVE:
        kernel.cooperative = value.cooperative != 0;
        return;
    case CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION: {
        const auto& dim = value.clusterDim;
        const bool none = !dim.x && !dim.y && !dim.z;
        if (!none && !(dim.x && dim.y && dim.z))
            throw Error(Status::invalid_cluster_size, "a cluster of no blocks in one dimension");
        kernel.cluster = {dim.x, dim.y, dim.z};
        return;
    }
    case CU_LAUNCH_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE:
        a.cluster_policy = value.priority;
        return;
    case CU_LAUNCH_ATTRIBUTE_PRIORITY:
        a.priority = std::clamp(value.priority, greatest_priority, least_priority);
        return;
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN_MAP: {
        const auto& map = value.memSyncDomainMap;
        constexpr unsigned domains = 4;
        require_value(map.default_ < domains && map.remote < domains, "the device has fewer domains");
        a.domain_map[0] = map.default_;
        a.domain_map[1] = map.remote;
        return;
    }
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN:
        require_value(value.memSyncDomain >= 0 && value.memSyncDomain <= CU_LAUNCH_MEM_SYNC_DOMAIN_REMOTE,
                      "no such domain");
        a.domain = value.memSyncDomain;
        return;
    case CU_LAUNCH_ATTRIBUTE_DEVICE_UPDATABLE_KERNEL_NODE:
        if (value.deviceUpdatableKernelNode.deviceUpdatable)
            throw Error(Status::not_supported, "kernel nodes that a device updates are not supported");
        return;
    case CU_LAUNCH_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
        require_value(value.sharedMemCarveout <= 100, "a share is in percent");
        a.carveout = value.sharedMemCarveout;
        return;
    case CU_LAUNCH_ATTRIBUTE_NVLINK_UTIL_CENTRIC_SCHEDULING: // taken, and never given back
        require_value(value.cooperative == 0 || value.cooperative == 1, "a truth value");
        return;
    }
    throw no_such(id);
}

} // namespace

Status driver::cuGraphKernelNodeGetAttribute(CUgraphNode node, CUkernelNodeAttrID id, CUkernelNodeAttrValue* value) {
    const auto& kernel = parameters_of<rt::KernelNode>(node_of(node));
    const rt::KernelAttributes& a = kernel.attributes;
    CUkernelNodeAttrValue& given = out(value, "value_out");
    switch (id) {
    case CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW:
        given.accessPolicyWindow = access_window(a.window);
        return Status::success;
    case CU_LAUNCH_ATTRIBUTE_COOPERATIVE:
        given.cooperative = kernel.cooperative;
        return Status::success;
    case CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION:
        given.clusterDim = {kernel.cluster.x, kernel.cluster.y, kernel.cluster.z};
        return Status::success;
    case CU_LAUNCH_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE:
        given.priority = a.cluster_policy;
        return Status::success;
    case CU_LAUNCH_ATTRIBUTE_PRIORITY:
        given.priority = a.priority;
        return Status::success;
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN_MAP:
        given.memSyncDomainMap = {a.domain_map[0], a.domain_map[1]};
        return Status::success;
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN:
        given.memSyncDomain = a.domain;
        return Status::success;
    case CU_LAUNCH_ATTRIBUTE_DEVICE_UPDATABLE_KERNEL_NODE:
        given.deviceUpdatableKernelNode.deviceUpdatable = 0;
        given.deviceUpdatableKernelNode.devNode = nullptr;
        return Status::success;
    case CU_LAUNCH_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
        given.sharedMemCarveout = a.carveout;
        return Status::success;
    }
    throw no_such(id);
}

Status driver::cuGraphKernelNodeSetAttribute(CUgraphNode node, CUkernelNodeAttrID id,
                                             const CUkernelNodeAttrValue* value) {
    rt::GraphNode& found = node_of(node);
    rt::KernelNode kernel = parameters_of<rt::KernelNode>(found);
    require_value(value, "no value");
    set(kernel, id, *value);
    found.set_parameters(std::move(kernel));
    return Status::success;
}

Status driver::cuGraphKernelNodeCopyAttributes(CUgraphNode to, CUgraphNode from) {
    const auto& source = parameters_of<rt::KernelNode>(node_of(from));
    rt::GraphNode& target = node_of(to);
    rt::KernelNode kernel = parameters_of<rt::KernelNode>(target);
    kernel.cooperative = source.cooperative;
    kernel.cluster = source.cluster;
    kernel.attributes = source.attributes;
    target.set_parameters(std::move(kernel));
    return Status::success;
}

} // namespace shim

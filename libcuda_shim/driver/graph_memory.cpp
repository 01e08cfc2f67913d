#include "rt/graph_memory.h"

#include "api/bodies.h"
#include "api/constants.h"
#include "driver/graph_handles.h"
#include "driver/handles.h"

#include <fmt/format.h>

// Graphs' memory: nodes that allocate and free, and what a device keeps for them.
namespace shim {

// Access of other devices is what peer access gives.
Status driver::cuGraphAddMemAllocNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies, size_t count,
                                      CUDA_MEM_ALLOC_NODE_PARAMS* params) {
    out(node, "phGraphNode");
    require_value(params, "no node parameters");
    const CUmemPoolProps& pool = params->poolProps;
    require_value(pool.allocType == CU_MEM_ALLOCATION_TYPE_PINNED, "nodes allocate pinned memory");
    if (pool.location.type != CU_MEM_LOCATION_TYPE_DEVICE)
        throw Error(Status::not_supported, "nodes allocate memory of devices");
    if (pool.handleTypes != CU_MEM_HANDLE_TYPE_NONE)
        throw Error(Status::not_supported, "graphs' memory cannot be shared between processes");
    rt::GraphNode& made =
        graph_of(graph).add_allocation(device_of(pool.location.id), params->bytesize, nodes_of(dependencies, count));
    params->dptr = std::get<rt::AllocationNode>(made.parameters()).block->address();
    *node = handle_of(made);
    return Status::success;
}

Status driver::cuGraphAddMemFreeNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies, size_t count,
                                     CUdeviceptr address) {
    out(node, "phGraphNode");
    *node = handle_of(graph_of(graph).add_release(address, nodes_of(dependencies, count)));
    return Status::success;
}

Status driver::cuGraphMemAllocNodeGetParams(CUgraphNode node, CUDA_MEM_ALLOC_NODE_PARAMS* params) {
    out(params, "params_out");
    const auto& block = *parameters_of<rt::AllocationNode>(node_of(node)).block;
    *params = {};
    params->poolProps.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
    params->poolProps.location = {CU_MEM_LOCATION_TYPE_DEVICE, block.device()};
    params->bytesize = block.bytes();
    params->dptr = block.address();
    return Status::success;
}

Status driver::cuGraphMemFreeNodeGetParams(CUgraphNode node, CUdeviceptr* address) {
    out(address, "dptr_out") = parameters_of<rt::ReleaseNode>(node_of(node)).address;
    return Status::success;
}

// What is used is reserved: nothing is kept beyond it.
Status driver::cuDeviceGetGraphMemAttribute(CUdevice dev, CUgraphMem_attribute attribute, void* value) {
    require_value(value, "nowhere to put the attribute");
    const rt::graph_memory::Use use = rt::graph_memory::use(device_of(dev));
    auto& bytes = *static_cast<cuuint64_t*>(value);
    switch (attribute) {
    case CU_GRAPH_MEM_ATTR_USED_MEM_CURRENT:
    case CU_GRAPH_MEM_ATTR_RESERVED_MEM_CURRENT:
        bytes = use.current;
        return Status::success;
    case CU_GRAPH_MEM_ATTR_USED_MEM_HIGH:
    case CU_GRAPH_MEM_ATTR_RESERVED_MEM_HIGH:
        bytes = use.high;
        return Status::success;
    default:
        throw Error(Status::invalid_value, fmt::format("unknown attribute {} of graphs' memory", attribute));
    }
}

Status driver::cuDeviceSetGraphMemAttribute(CUdevice dev, CUgraphMem_attribute attribute, void* value) {
    require_value(value, "no value");
    const bool high = attribute == CU_GRAPH_MEM_ATTR_USED_MEM_HIGH || attribute == CU_GRAPH_MEM_ATTR_RESERVED_MEM_HIGH;
    require_value(high && *static_cast<const cuuint64_t*>(value) == 0, "high-water marks can only be set to 0");
    rt::graph_memory::reset_high(device_of(dev));
    return Status::success;
}

Status driver::cuDeviceGraphMemTrim(CUdevice dev) {
    rt::Device& device = device_of(dev);
    rt::Context* context = rt::Context::current_or_null();
    if (context && &context->device() == &device) context->synchronize();
    rt::graph_memory::trim(device);
    return Status::success;
}

} // namespace shim

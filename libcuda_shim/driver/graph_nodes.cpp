#include "api/bodies.h"
#include "api/constants.h"
#include "driver/graph_handles.h"
#include "driver/handles.h"

#include <fmt/format.h>

// Nodes: adding them, and their parameters.
namespace shim {
namespace {

Status add(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies, size_t count,
           rt::NodeParameters parameters) {
    out(node, "phGraphNode");
    *node = handle_of(graph_of(graph).add(std::move(parameters), nodes_of(dependencies, count)));
    return Status::success;
}

Status set(CUgraphNode node, rt::NodeParameters parameters) {
    node_of(node).set_parameters(std::move(parameters));
    return Status::success;
}

/// Errors as an H100's driver has them: a context must be given, the current one is not taken.
rt::Context& given_context(CUcontext context) {
    if (!context) throw Error(Status::invalid_context, "conditional nodes need a context");
    return context_of(context);
}

Status add_conditional(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies, size_t count,
                       CUDA_CONDITIONAL_NODE_PARAMS& params) {
    out(node, "phGraphNode");
    require_value(params.type >= CU_GRAPH_COND_TYPE_IF && params.type <= CU_GRAPH_COND_TYPE_SWITCH,
                  "unknown type of conditional node");
    rt::GraphNode& made =
        graph_of(graph).add_conditional(params.handle, rt::ConditionKind(params.type), given_context(params.ctx),
                                        params.size, nodes_of(dependencies, count));
    // The list is CUDA's: it lives as long as the node.
    rt::ConditionalNode conditional = parameters_of<rt::ConditionalNode>(made);
    conditional.handles = std::make_shared<std::vector<void*>>();
    for (const auto& body : conditional.bodies) conditional.handles->push_back(handle_of(*body));
    params.phGraph_out = reinterpret_cast<CUgraph*>(conditional.handles->data());
    made.set_parameters(std::move(conditional));
    *node = handle_of(made);
    return Status::success;
}

template <class Params> void describe(rt::GraphNode& node, Params& p) {
    const auto& kernel = parameters_of<rt::KernelNode>(node);
    p = {};
    p.func = handle_of(*kernel.function);
    p.gridDimX = kernel.grid.x;
    p.gridDimY = kernel.grid.y;
    p.gridDimZ = kernel.grid.z;
    p.blockDimX = kernel.block.x;
    p.blockDimY = kernel.block.y;
    p.blockDimZ = kernel.block.z;
    p.sharedMemBytes = kernel.dynamic_shared_bytes;
    p.kernelParams = node.kernel_arguments();
}

} // namespace

Status driver::cuGraphAddKernelNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies, size_t count,
                                    const CUDA_KERNEL_NODE_PARAMS_v1* params) {
    return add(node, graph, dependencies, count, kernel_node(params));
}

Status driver::cuGraphAddKernelNode_v2(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies, size_t count,
                                       const CUDA_KERNEL_NODE_PARAMS* params) {
    return add(node, graph, dependencies, count, kernel_node(params));
}

Status driver::cuGraphAddMemcpyNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies, size_t count,
                                    const CUDA_MEMCPY3D* params, CUcontext context) {
    return add(node, graph, dependencies, count, copy_node(params, context));
}

Status driver::cuGraphAddMemsetNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies, size_t count,
                                    const CUDA_MEMSET_NODE_PARAMS* params, CUcontext context) {
    return add(node, graph, dependencies, count, fill_node(params, context));
}

Status driver::cuGraphAddHostNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies, size_t count,
                                  const CUDA_HOST_NODE_PARAMS* params) {
    return add(node, graph, dependencies, count, host_node(params));
}

Status driver::cuGraphAddChildGraphNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies, size_t count,
                                        CUgraph child) {
    return add(node, graph, dependencies, count, child_node(child));
}

Status driver::cuGraphAddEmptyNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies, size_t count) {
    return add(node, graph, dependencies, count, rt::EmptyNode{});
}

Status driver::cuGraphAddEventRecordNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies,
                                         size_t count, CUevent event) {
    return add(node, graph, dependencies, count, rt::RecordEventNode{&event_of(not_null(event, "event"))});
}

Status driver::cuGraphAddEventWaitNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies, size_t count,
                                       CUevent event) {
    return add(node, graph, dependencies, count, rt::WaitEventNode{&event_of(not_null(event, "event"))});
}

Status driver::cuGraphAddNode_v2(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies,
                                 const CUgraphEdgeData*, size_t count, CUgraphNodeParams* params) {
    require_value(params, "no node parameters");
    if (params->type == CU_GRAPH_NODE_TYPE_MEM_ALLOC)
        return cuGraphAddMemAllocNode(node, graph, dependencies, count, &params->alloc);
    if (params->type == CU_GRAPH_NODE_TYPE_MEM_FREE)
        return cuGraphAddMemFreeNode(node, graph, dependencies, count, params->free.dptr);
    if (params->type == CU_GRAPH_NODE_TYPE_CONDITIONAL)
        return add_conditional(node, graph, dependencies, count, params->conditional);
    return add(node, graph, dependencies, count, any_node(params));
}

Status driver::cuGraphConditionalHandleCreate(CUgraphConditionalHandle* handle, CUgraph graph, CUcontext context,
                                              unsigned int initial, unsigned int flags) {
    out(handle, "pHandle_out");
    require_value((flags & ~unsigned(CU_GRAPH_COND_ASSIGN_DEFAULT)) == 0, "unknown flags");
    rt::Graph& owner = graph_of(graph);
    *handle = owner.add_condition(given_context(context), initial, flags != 0).handle();
    return Status::success;
}

// ---- Parameters

Status driver::cuGraphKernelNodeGetParams(CUgraphNode node, CUDA_KERNEL_NODE_PARAMS_v1* params) {
    describe(node_of(node), out(params, "nodeParams"));
    return Status::success;
}

Status driver::cuGraphKernelNodeGetParams_v2(CUgraphNode node, CUDA_KERNEL_NODE_PARAMS* params) {
    describe(node_of(node), out(params, "nodeParams"));
    params->ctx = handle_of(parameters_of<rt::KernelNode>(node_of(node)).function->module().context());
    return Status::success;
}

Status driver::cuGraphKernelNodeSetParams(CUgraphNode node, const CUDA_KERNEL_NODE_PARAMS_v1* params) {
    rt::GraphNode& found = node_of(node); // looked at first: which of two errors is told depends on it
    return set(node, with_attributes_of(found, kernel_node(params)));
}

Status driver::cuGraphKernelNodeSetParams_v2(CUgraphNode node, const CUDA_KERNEL_NODE_PARAMS* params) {
    rt::GraphNode& found = node_of(node); // looked at first: which of two errors is told depends on it
    return set(node, with_attributes_of(found, kernel_node(params)));
}

// Given as addresses alone: all memory is reached by them.
Status driver::cuGraphMemcpyNodeGetParams(CUgraphNode node, CUDA_MEMCPY3D* params) {
    const auto& copy = parameters_of<rt::backend::Copy>(node_of(node));
    CUDA_MEMCPY3D p{};
    p.srcMemoryType = p.dstMemoryType = CU_MEMORYTYPE_UNIFIED;
    p.srcDevice = copy.source;
    p.srcPitch = copy.source_pitch;
    p.srcHeight = copy.source_pitch ? copy.source_slice / copy.source_pitch : 0;
    p.dstDevice = copy.destination;
    p.dstPitch = copy.destination_pitch;
    p.dstHeight = copy.destination_pitch ? copy.destination_slice / copy.destination_pitch : 0;
    p.WidthInBytes = copy.width;
    p.Height = copy.height;
    p.Depth = copy.depth;
    out(params, "nodeParams") = p;
    return Status::success;
}

Status driver::cuGraphMemcpyNodeSetParams(CUgraphNode node, const CUDA_MEMCPY3D* params) {
    return set(node, copy_node(params, nullptr));
}

Status driver::cuGraphMemsetNodeGetParams(CUgraphNode node, CUDA_MEMSET_NODE_PARAMS* params) {
    const auto& fill = parameters_of<rt::backend::Fill>(node_of(node));
    out(params, "nodeParams") = {fill.destination, fill.pitch, fill.value, fill.element_bytes, fill.width, fill.height};
    return Status::success;
}

Status driver::cuGraphMemsetNodeSetParams(CUgraphNode node, const CUDA_MEMSET_NODE_PARAMS* params) {
    return set(node, fill_node(params, nullptr));
}

Status driver::cuGraphHostNodeGetParams(CUgraphNode node, CUDA_HOST_NODE_PARAMS* params) {
    const auto& host = parameters_of<rt::HostNode>(node_of(node)).host;
    out(params, "nodeParams") = {host.function, host.data};
    return Status::success;
}

Status driver::cuGraphHostNodeSetParams(CUgraphNode node, const CUDA_HOST_NODE_PARAMS* params) {
    return set(node, host_node(params));
}

Status driver::cuGraphChildGraphNodeGetGraph(CUgraphNode node, CUgraph* graph) {
    out(graph, "phGraph") = handle_of(*parameters_of<rt::ChildGraphNode>(node_of(node)).graph);
    return Status::success;
}

Status driver::cuGraphEventRecordNodeGetEvent(CUgraphNode node, CUevent* event) {
    out(event, "event_out") = handle_of(*parameters_of<rt::RecordEventNode>(node_of(node)).event);
    return Status::success;
}

Status driver::cuGraphEventRecordNodeSetEvent(CUgraphNode node, CUevent event) {
    return set(node, rt::RecordEventNode{&event_of(not_null(event, "event"))});
}

Status driver::cuGraphEventWaitNodeGetEvent(CUgraphNode node, CUevent* event) {
    out(event, "event_out") = handle_of(*parameters_of<rt::WaitEventNode>(node_of(node)).event);
    return Status::success;
}

Status driver::cuGraphEventWaitNodeSetEvent(CUgraphNode node, CUevent event) {
    return set(node, rt::WaitEventNode{&event_of(not_null(event, "event"))});
}

Status driver::cuGraphNodeGetParams(CUgraphNode node, CUgraphNodeParams* params) {
    const rt::GraphNode& found = node_of(node);
    out(params, "nodeParams") = {};
    params->type = int(found.type());
    switch (found.type()) {
    case rt::GraphNodeType::kernel:
        return cuGraphKernelNodeGetParams_v2(node, &params->kernel);
    case rt::GraphNodeType::copy:
        return cuGraphMemcpyNodeGetParams(node, &params->memcpy.copyParams);
    case rt::GraphNodeType::fill:
        return cuGraphMemsetNodeGetParams(node, &params->memset);
    case rt::GraphNodeType::host:
        return cuGraphHostNodeGetParams(node, &params->host);
    case rt::GraphNodeType::graph:
        return cuGraphChildGraphNodeGetGraph(node, &params->graph.graph);
    case rt::GraphNodeType::empty:
        return Status::success;
    case rt::GraphNodeType::wait_event:
        return cuGraphEventWaitNodeGetEvent(node, &params->eventWait.event);
    case rt::GraphNodeType::record_event:
        return cuGraphEventRecordNodeGetEvent(node, &params->eventRecord.event);
    case rt::GraphNodeType::signal_semaphores:
        return cuGraphExternalSemaphoresSignalNodeGetParams(node, &params->extSemSignal);
    case rt::GraphNodeType::wait_semaphores:
        return cuGraphExternalSemaphoresWaitNodeGetParams(node, &params->extSemWait);
    case rt::GraphNodeType::allocation:
        return cuGraphMemAllocNodeGetParams(node, &params->alloc);
    case rt::GraphNodeType::release:
        return cuGraphMemFreeNodeGetParams(node, &params->free.dptr);
    case rt::GraphNodeType::memory_operations:
        return cuGraphBatchMemOpNodeGetParams(node, &params->memOp);
    case rt::GraphNodeType::conditional: {
        const auto& conditional = parameters_of<rt::ConditionalNode>(node_of(node));
        const auto bodies = conditional.handles ? conditional.handles->data() : nullptr;
        params->conditional = {conditional.condition->handle(), int(conditional.kind),
                               unsigned(conditional.bodies.size()), reinterpret_cast<CUgraph*>(bodies),
                               handle_of(*conditional.context)};
        return Status::success;
    }
    }
    return Status::success;
}

Status driver::cuGraphNodeSetParams(CUgraphNode node, CUgraphNodeParams* params) {
    node_of(node);
    return set(node, any_node(params));
}

} // namespace shim

#include "driver/graph_handles.h"

#include "api/constants.h"
#include "driver/copies.h"
#include "driver/handles.h"
#include "driver/launch_arguments.h"

#include <fmt/format.h>

namespace shim {
namespace {

template <class T, class Handle> T& checked(Handle value, const char* what) {
    if (T* object = rt::handle_cast<T>(value)) return *object;
    throw Error(Status::invalid_value, fmt::format("{:#x} is no {}", uint64_t(value), what));
}

template <class Params> rt::KernelNode shaped(const Params& p, rt::Function& function) {
    rt::KernelNode node;
    node.function = &function;
    node.grid = {p.gridDimX, p.gridDimY, p.gridDimZ};
    node.block = {p.blockDimX, p.blockDimY, p.blockDimZ};
    node.dynamic_shared_bytes = p.sharedMemBytes;
    node.parameters = arguments_of(function, p.kernelParams, p.extra);
    return node;
}

} // namespace

rt::Graph& graph_of(CUgraph graph) { return checked<rt::Graph>(graph, "graph"); }
rt::GraphNode& node_of(CUgraphNode node) { return checked<rt::GraphNode>(node, "graph node"); }
rt::GraphExec& exec_of(CUgraphExec exec) { return checked<rt::GraphExec>(exec, "executable graph"); }

std::vector<rt::GraphNode*> nodes_of(const CUgraphNode* nodes, size_t count) {
    require_value(nodes || count == 0, "no list of nodes");
    std::vector<rt::GraphNode*> all;
    for (size_t i = 0; i < count; ++i) all.push_back(&node_of(nodes[i]));
    return all;
}

CUgraph handle_of(rt::Graph& graph) { return handle<CUgraph>(graph); }
CUgraphNode handle_of(rt::GraphNode& node) { return handle<CUgraphNode>(node); }
CUgraphExec handle_of(rt::GraphExec& exec) { return handle<CUgraphExec>(exec); }

rt::KernelNode kernel_node(const CUDA_KERNEL_NODE_PARAMS_v1* params) {
    require_value(params, "no node parameters");
    return shaped(*params, function_of(params->func));
}

rt::KernelNode kernel_node(const CUDA_KERNEL_NODE_PARAMS* params) {
    require_value(params, "no node parameters");
    if (params->func) return shaped(*params, function_of(params->func));
    return shaped(*params, kernel_of(params->kern).function(context_or_current(params->ctx)));
}

rt::KernelNode with_attributes_of(rt::GraphNode& node, rt::KernelNode kernel) {
    const auto& old = parameters_of<rt::KernelNode>(node);
    kernel.cooperative = old.cooperative;
    kernel.cluster = old.cluster;
    kernel.attributes = old.attributes;
    return kernel;
}

rt::backend::Copy copy_node(const CUDA_MEMCPY3D* params, CUcontext context) {
    require_value(params, "no node parameters");
    const rt::backend::Copy copy = box_of(*params);
    require_value(copy.width, "a copy of nothing is no node");
    context_or_current(context);
    return copy;
}

rt::backend::Fill fill_node(const CUDA_MEMSET_NODE_PARAMS* params, CUcontext context) {
    require_value(params, "no node parameters");
    const unsigned size = params->elementSize;
    require_value(size == 1 || size == 2 || size == 4, "elements have 1, 2 or 4 bytes");
    const auto fill = fill_of(params->dst, params->pitch, params->value, size, params->width, params->height);
    require_value(fill.width, "a fill of nothing is no node");
    context_or_current(context);
    return fill;
}

rt::HostNode host_node(const CUDA_HOST_NODE_PARAMS* params) {
    require_value(params && params->fn, "no host function");
    return {{params->fn, params->userData}, {}};
}

rt::ChildGraphNode child_node(CUgraph graph) {
    if (graph_of(graph).has_conditions())
        throw Error(Status::not_supported, "a graph with conditional nodes cannot be part of another");
    return {graph_of(graph).clone()};
}

rt::NodeParameters any_node(const CUgraphNodeParams* params) {
    require_value(params, "no node parameters");
    switch (params->type) {
    case CU_GRAPH_NODE_TYPE_KERNEL:
        return kernel_node(&params->kernel);
    case CU_GRAPH_NODE_TYPE_MEMCPY:
        return copy_node(&params->memcpy.copyParams, params->memcpy.copyCtx);
    case CU_GRAPH_NODE_TYPE_MEMSET:
        return fill_node(&params->memset, nullptr);
    case CU_GRAPH_NODE_TYPE_HOST:
        return host_node(&params->host);
    case CU_GRAPH_NODE_TYPE_GRAPH:
        return child_node(params->graph.graph);
    case CU_GRAPH_NODE_TYPE_BATCH_MEM_OP:
        return memory_operations_node(&params->memOp);
    case CU_GRAPH_NODE_TYPE_EXT_SEMAS_SIGNAL:
        return signal_node(&params->extSemSignal);
    case CU_GRAPH_NODE_TYPE_EXT_SEMAS_WAIT:
        return wait_node(&params->extSemWait);
    case CU_GRAPH_NODE_TYPE_EMPTY:
        return rt::EmptyNode{};
    case CU_GRAPH_NODE_TYPE_WAIT_EVENT:
        return rt::WaitEventNode{&event_of(params->eventWait.event)};
    case CU_GRAPH_NODE_TYPE_EVENT_RECORD:
        return rt::RecordEventNode{&event_of(params->eventRecord.event)};
    }
    throw Error(Status::not_supported, fmt::format("graph nodes of type {} are not supported", params->type));
}

} // namespace shim

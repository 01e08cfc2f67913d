#pragma once

#include "api/types.h"
#include "rt/graph.h"

#include <memory>
#include <vector>

namespace shim {

/// All three throw invalid_value for what is no such object.
rt::Graph& graph_of(CUgraph);
rt::GraphNode& node_of(CUgraphNode);
rt::GraphExec& exec_of(CUgraphExec);
std::vector<rt::GraphNode*> nodes_of(const CUgraphNode* nodes, size_t count);

CUgraph handle_of(rt::Graph&);
CUgraphNode handle_of(rt::GraphNode&);
CUgraphExec handle_of(rt::GraphExec&);

/// Hands a graph to the application, which destroys it. Graphs inside child nodes are not its own.
CUgraph give_to_application(std::unique_ptr<rt::Graph>);

/// From the descriptors of cuGraphAdd*Node and cuGraph*NodeSetParams. Checked.
rt::KernelNode kernel_node(const CUDA_KERNEL_NODE_PARAMS*);
rt::KernelNode kernel_node(const CUDA_KERNEL_NODE_PARAMS_v1*);
/// New parameters for a node, which keeps its attributes. Throws invalid_value when it is none of a kernel.
rt::KernelNode with_attributes_of(rt::GraphNode&, rt::KernelNode);
rt::backend::Copy copy_node(const CUDA_MEMCPY3D*, CUcontext);
rt::backend::Fill fill_node(const CUDA_MEMSET_NODE_PARAMS*, CUcontext);
rt::HostNode host_node(const CUDA_HOST_NODE_PARAMS*);
rt::ChildGraphNode child_node(CUgraph);
rt::MemoryOperations memory_operations_node(const CUDA_BATCH_MEM_OP_NODE_PARAMS*);
rt::NodeParameters signal_node(const CUDA_EXT_SEM_SIGNAL_NODE_PARAMS*);
rt::NodeParameters wait_node(const CUDA_EXT_SEM_WAIT_NODE_PARAMS*);
/// Any of them. Throws not_supported for types that we do not have.
rt::NodeParameters any_node(const CUgraphNodeParams*);

/// Throws invalid_value when the node is of another type.
template <class Kind> const Kind& parameters_of(rt::GraphNode& node) {
    if (const auto* found = std::get_if<Kind>(&node.parameters())) return *found;
    throw rt::Error(rt::Status::invalid_value, "the graph node is of another type");
}

} // namespace shim

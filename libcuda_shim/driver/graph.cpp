#include "api/bodies.h"
#include "api/constants.h"
#include "driver/graph_handles.h"
#include "driver/handles.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <mutex>
#include <set>

// Graphs as structure: nodes, edges, copies.
namespace shim {
namespace {

struct Owned {
    std::mutex mutex;
    std::set<rt::Graph*> graphs;
};

Owned& owned() {
    static Owned& all = *new Owned;
    return all;
}

/// CUDA's way of giving a list: the count alone when there is no room, else as many as fit, the rest of the room null.
Status give(const std::vector<rt::GraphNode*>& found, CUgraphNode* nodes, size_t* count) {
    out(count, "count");
    if (!nodes) {
        *count = found.size();
        return Status::success;
    }
    require_value(*count, "room for none");
    const size_t n = std::min(*count, found.size());
    for (size_t i = 0; i < n; ++i) nodes[i] = handle_of(*found[i]);
    std::fill(nodes + n, nodes + *count, nullptr);
    *count = n;
    return Status::success;
}

void give_plain_edges(CUgraphEdgeData* edges, size_t count) {
    if (edges) std::fill(edges, edges + count, CUgraphEdgeData{});
}

const char* type_name(rt::GraphNodeType type) {
    switch (type) {
    case rt::GraphNodeType::kernel:
        return "kernel";
    case rt::GraphNodeType::copy:
        return "copy";
    case rt::GraphNodeType::fill:
        return "fill";
    case rt::GraphNodeType::host:
        return "host";
    case rt::GraphNodeType::graph:
        return "graph";
    case rt::GraphNodeType::empty:
        return "empty";
    case rt::GraphNodeType::wait_event:
        return "wait";
    case rt::GraphNodeType::record_event:
        return "record";
    case rt::GraphNodeType::signal_semaphores:
        return "signal semaphores";
    case rt::GraphNodeType::wait_semaphores:
        return "wait for semaphores";
    case rt::GraphNodeType::allocation:
        return "allocation";
    case rt::GraphNodeType::release:
        return "free";
    case rt::GraphNodeType::memory_operations:
        return "memory operations";
    case rt::GraphNodeType::conditional:
        return "conditional";
    }
    return "";
}

std::string label_of(const rt::GraphNode& node) {
    if (const auto* kernel = std::get_if<rt::KernelNode>(&node.parameters())) {
        return fmt::format("{} <<<({},{},{}), ({},{},{}), {}>>>", kernel->function->name(), kernel->grid.x,
                           kernel->grid.y, kernel->grid.z, kernel->block.x, kernel->block.y, kernel->block.z,
                           kernel->dynamic_shared_bytes);
    }
    return type_name(node.type());
}

} // namespace

CUgraph give_to_application(std::unique_ptr<rt::Graph> graph) {
    Owned& all = owned();
    std::lock_guard lock(all.mutex);
    all.graphs.insert(graph.get());
    return handle_of(*graph.release());
}

Status driver::cuGraphCreate(CUgraph* graph, unsigned int flags) {
    out(graph, "phGraph");
    require_value(flags == 0, "unknown flags");
    *graph = give_to_application(std::make_unique<rt::Graph>());
    return Status::success;
}

Status driver::cuGraphDestroy(CUgraph handle) {
    rt::Graph& graph = graph_of(handle);
    Owned& all = owned();
    {
        std::lock_guard lock(all.mutex);
        require_value(all.graphs.erase(&graph), "the graph belongs to a node of another");
    }
    delete &graph;
    return Status::success;
}

Status driver::cuGraphClone(CUgraph* clone, CUgraph original) {
    out(clone, "phGraphClone");
    if (graph_of(original).has_conditions())
        throw Error(Status::not_supported, "a graph with conditional nodes cannot be cloned");
    *clone = give_to_application(graph_of(original).clone());
    return Status::success;
}

Status driver::cuGraphDestroyNode(CUgraphNode handle) {
    rt::GraphNode& node = node_of(handle);
    node.graph().remove(node);
    return Status::success;
}

Status driver::cuGraphGetNodes(CUgraph graph, CUgraphNode* nodes, size_t* count) {
    return give(graph_of(graph).nodes(), nodes, count);
}

Status driver::cuGraphGetRootNodes(CUgraph graph, CUgraphNode* nodes, size_t* count) {
    return give(graph_of(graph).roots(), nodes, count);
}

Status driver::cuGraphGetEdges(CUgraph graph, CUgraphNode* from, CUgraphNode* to, size_t* count) {
    std::vector<rt::GraphNode*> starts, ends;
    for (const auto& [start, end] : graph_of(graph).edges()) {
        starts.push_back(start);
        ends.push_back(end);
    }
    require_value(!from == !to, "room for one end of the edges only");
    size_t room = out(count, "numEdges");
    give(starts, from, count);
    return give(ends, to, to ? &room : count);
}

Status driver::cuGraphGetEdges_v2(CUgraph graph, CUgraphNode* from, CUgraphNode* to, CUgraphEdgeData* edges,
                                  size_t* count) {
    const Status status = cuGraphGetEdges(graph, from, to, count);
    if (from) give_plain_edges(edges, *count);
    return status;
}

Status driver::cuGraphNodeGetDependencies(CUgraphNode node, CUgraphNode* nodes, size_t* count) {
    return give(node_of(node).dependencies(), nodes, count);
}

Status driver::cuGraphNodeGetDependencies_v2(CUgraphNode node, CUgraphNode* nodes, CUgraphEdgeData* edges,
                                             size_t* count) {
    require_value(nodes || !edges, "edges without nodes");
    const Status status = cuGraphNodeGetDependencies(node, nodes, count);
    if (nodes) give_plain_edges(edges, *count);
    return status;
}

Status driver::cuGraphNodeGetDependentNodes(CUgraphNode node, CUgraphNode* nodes, size_t* count) {
    return give(node_of(node).dependents(), nodes, count);
}

Status driver::cuGraphNodeGetDependentNodes_v2(CUgraphNode node, CUgraphNode* nodes, CUgraphEdgeData* edges,
                                               size_t* count) {
    require_value(nodes || !edges, "edges without nodes");
    const Status status = cuGraphNodeGetDependentNodes(node, nodes, count);
    if (nodes) give_plain_edges(edges, *count);
    return status;
}

// Edges may ask for less than full completion; an edge that waits for all of it serves them too.
Status driver::cuGraphAddDependencies_v2(CUgraph handle, const CUgraphNode* from, const CUgraphNode* to,
                                         const CUgraphEdgeData*, size_t count) {
    rt::Graph& graph = graph_of(handle);
    const auto starts = nodes_of(from, count), ends = nodes_of(to, count);
    for (size_t i = 0; i < count; ++i) graph.add_edge(*starts[i], *ends[i]);
    return Status::success;
}

Status driver::cuGraphRemoveDependencies_v2(CUgraph handle, const CUgraphNode* from, const CUgraphNode* to,
                                            const CUgraphEdgeData*, size_t count) {
    rt::Graph& graph = graph_of(handle);
    const auto starts = nodes_of(from, count), ends = nodes_of(to, count);
    for (size_t i = 0; i < count; ++i) graph.remove_edge(*starts[i], *ends[i]);
    return Status::success;
}

Status driver::cuGraphNodeFindInClone(CUgraphNode* node, CUgraphNode original, CUgraph clone) {
    rt::GraphNode* found = graph_of(clone).copy_of(node_of(original));
    require_value(found, "the graph is no clone of the node's graph");
    out(node, "phNode") = handle_of(*found);
    return Status::success;
}

Status driver::cuGraphNodeGetType(CUgraphNode node, CUgraphNodeType* type) {
    out(type, "type") = int(node_of(node).type());
    return Status::success;
}

Status driver::cuGraphNodeGetContainingGraph(CUgraphNode node, CUgraph* graph) {
    out(graph, "phGraph") = handle_of(node_of(node).graph());
    return Status::success;
}

Status driver::cuGraphGetId(CUgraph graph, unsigned int* id) {
    out(id, "graphId") = graph_of(graph).id();
    return Status::success;
}

Status driver::cuGraphExecGetId(CUgraphExec exec, unsigned int* id) {
    out(id, "graphId") = exec_of(exec).id();
    return Status::success;
}

Status driver::cuGraphNodeGetLocalId(CUgraphNode node, unsigned int* id) {
    out(id, "nodeId") = node_of(node).local_id();
    return Status::success;
}

// Of all nodes of the process: the graph's number, then the node's in it.
Status driver::cuGraphNodeGetToolsId(CUgraphNode node, unsigned long long* id) {
    rt::GraphNode& found = node_of(node);
    out(id, "toolsNodeId") = uint64_t(found.graph().id()) << 32 | found.local_id();
    return Status::success;
}

Status driver::cuGraphDebugDotPrint(CUgraph handle, const char* path, unsigned int) {
    require_value(path, "no file name");
    rt::Graph& graph = graph_of(handle);
    std::ofstream file(path);
    file << "digraph graph_ {\n";
    for (rt::GraphNode* node : graph.nodes()) {
        file << fmt::format("  \"{}\" [label=\"{}\"];\n", fmt::ptr(node), label_of(*node));
    }
    for (const auto& [from, to] : graph.edges()) {
        file << fmt::format("  \"{}\" -> \"{}\";\n", fmt::ptr(from), fmt::ptr(to));
    }
    file << "}\n";
    if (!file.flush()) throw Error(Status::operating_system, std::string("cannot write ") + path);
    return Status::success;
}

} // namespace shim

#include "api/constants.h"
#include "runtime_api/bodies.h"
#include "runtime_api/copy.h"
#include "runtime_api/graph_nodes.h"

// Nodes of whatever type, in one structure of parameters. The runtime's and the driver's differ where kernels and
// copies are described, and in the contexts that only the driver's names.
namespace cudart::body {
namespace {

CUgraphNodeParams driver_node(const cudaGraphNodeParams* given) {
    require(given, cudaErrorInvalidValue);
    const cudaGraphNodeParams& from = *given;
    CUgraphNodeParams to{};
    to.type = from.type;
    switch (from.type) {
    case CU_GRAPH_NODE_TYPE_KERNEL:
        to.kernel = driver_kernel(from.kernel);
        break;
    case CU_GRAPH_NODE_TYPE_MEMCPY:
        to.memcpy.copyCtx = current_context();
        to.memcpy.copyParams = box(from.memcpy.copyParams);
        break;
    case CU_GRAPH_NODE_TYPE_MEMSET:
        to.memset.dst = reinterpret_cast<CUdeviceptr>(from.memset.dst);
        to.memset.pitch = from.memset.pitch;
        to.memset.value = from.memset.value;
        to.memset.elementSize = from.memset.elementSize;
        to.memset.width = from.memset.width;
        to.memset.height = from.memset.height;
        break;
    case CU_GRAPH_NODE_TYPE_HOST:
        to.host = from.host;
        break;
    case CU_GRAPH_NODE_TYPE_GRAPH:
        to.graph = {from.graph.graph, from.graph.ownership};
        break;
    case CU_GRAPH_NODE_TYPE_EMPTY:
        break;
    case CU_GRAPH_NODE_TYPE_WAIT_EVENT:
        to.eventWait.event = from.eventWait.event;
        break;
    case CU_GRAPH_NODE_TYPE_EVENT_RECORD:
        to.eventRecord.event = from.eventRecord.event;
        break;
    case CU_GRAPH_NODE_TYPE_EXT_SEMAS_SIGNAL:
        to.extSemSignal = from.extSemSignal;
        break;
    case CU_GRAPH_NODE_TYPE_EXT_SEMAS_WAIT:
        to.extSemWait = from.extSemWait;
        break;
    case CU_GRAPH_NODE_TYPE_MEM_ALLOC:
        to.alloc = from.alloc;
        break;
    case CU_GRAPH_NODE_TYPE_MEM_FREE:
        to.free.dptr = reinterpret_cast<CUdeviceptr>(from.free.dptr);
        break;
    case CU_GRAPH_NODE_TYPE_CONDITIONAL:
        to.conditional = {from.conditional.handle, from.conditional.type, from.conditional.size, nullptr,
                          current_context()};
        break;
    default: // memory operations among them: the runtime API has no such nodes
        throw Failure{cudaErrorInvalidValue};
    }
    return to;
}

} // namespace

void cudaGraphAddNode(cudaGraphNode_t* pGraphNode, cudaGraph_t graph, const cudaGraphNode_t* pDependencies,
                      const cudaGraphEdgeData* dependencyData, size_t numDependencies,
                      cudaGraphNodeParams* nodeParams) {
    CUgraphNodeParams driver = driver_node(nodeParams);
    check(cuGraphAddNode_v2(pGraphNode, graph, pDependencies, dependencyData, numDependencies, &driver));
    // What the node brings: the address of its memory, the graphs of its bodies.
    if (driver.type == CU_GRAPH_NODE_TYPE_MEM_ALLOC) nodeParams->alloc.dptr = driver.alloc.dptr;
    if (driver.type == CU_GRAPH_NODE_TYPE_CONDITIONAL)
        nodeParams->conditional.phGraph_out = driver.conditional.phGraph_out;
}

void cudaGraphAddNode(cudaGraphNode_t* pGraphNode, cudaGraph_t graph, const cudaGraphNode_t* pDependencies,
                      size_t numDependencies, cudaGraphNodeParams* nodeParams) {
    cudaGraphAddNode(pGraphNode, graph, pDependencies, nullptr, numDependencies, nodeParams);
}

void cudaGraphNodeSetParams(cudaGraphNode_t node, cudaGraphNodeParams* nodeParams) {
    CUgraphNodeParams driver = driver_node(nodeParams);
    check(cuGraphNodeSetParams(node, &driver));
}

void cudaGraphExecNodeSetParams(cudaGraphExec_t graphExec, cudaGraphNode_t node, cudaGraphNodeParams* nodeParams) {
    CUgraphNodeParams driver = driver_node(nodeParams);
    check(cuGraphExecNodeSetParams(graphExec, node, &driver));
}

} // namespace cudart::body

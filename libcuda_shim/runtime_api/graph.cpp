#include "runtime_api/bodies.h"

// Graphs as a whole: making, wiring, instantiating, launching.
namespace cudart::body {

void cudaGraphCreate(cudaGraph_t* pGraph, unsigned int flags) { check(cuGraphCreate(pGraph, flags)); }

void cudaGraphDestroy(cudaGraph_t graph) { check(cuGraphDestroy(graph)); }

void cudaGraphClone(cudaGraph_t* pGraphClone, cudaGraph_t originalGraph) {
    check(cuGraphClone(pGraphClone, originalGraph));
}

void cudaGraphDebugDotPrint(cudaGraph_t graph, const char* path, unsigned int flags) {
    check(cuGraphDebugDotPrint(graph, path, flags));
}

void cudaGraphDestroyNode(cudaGraphNode_t node) { check(cuGraphDestroyNode(node)); }

void cudaGraphAddDependencies(cudaGraph_t graph, const cudaGraphNode_t* from, const cudaGraphNode_t* to,
                              const cudaGraphEdgeData* edgeData, size_t numDependencies) {
    check(cuGraphAddDependencies_v2(graph, from, to, edgeData, numDependencies));
}

void cudaGraphRemoveDependencies(cudaGraph_t graph, const cudaGraphNode_t* from, const cudaGraphNode_t* to,
                                 const cudaGraphEdgeData* edgeData, size_t numDependencies) {
    check(cuGraphRemoveDependencies_v2(graph, from, to, edgeData, numDependencies));
}

void cudaGraphGetEdges(cudaGraph_t graph, cudaGraphNode_t* from, cudaGraphNode_t* to, cudaGraphEdgeData* edgeData,
                       size_t* numEdges) {
    check(cuGraphGetEdges_v2(graph, from, to, edgeData, numEdges));
}

void cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* numNodes) {
    check(cuGraphGetNodes(graph, nodes, numNodes));
}

void cudaGraphGetRootNodes(cudaGraph_t graph, cudaGraphNode_t* pRootNodes, size_t* pNumRootNodes) {
    check(cuGraphGetRootNodes(graph, pRootNodes, pNumRootNodes));
}

void cudaGraphNodeGetDependencies(cudaGraphNode_t node, cudaGraphNode_t* pDependencies, cudaGraphEdgeData* edgeData,
                                  size_t* pNumDependencies) {
    check(cuGraphNodeGetDependencies_v2(node, pDependencies, edgeData, pNumDependencies));
}

void cudaGraphNodeGetDependentNodes(cudaGraphNode_t node, cudaGraphNode_t* pDependentNodes, cudaGraphEdgeData* edgeData,
                                    size_t* pNumDependentNodes) {
    check(cuGraphNodeGetDependentNodes_v2(node, pDependentNodes, edgeData, pNumDependentNodes));
}

void cudaGraphNodeGetType(cudaGraphNode_t node, cudaGraphNodeType* pType) { check(cuGraphNodeGetType(node, pType)); }

void cudaGraphNodeFindInClone(cudaGraphNode_t* pNode, cudaGraphNode_t originalNode, cudaGraph_t clonedGraph) {
    check(cuGraphNodeFindInClone(pNode, originalNode, clonedGraph));
}

void cudaGraphNodeGetEnabled(cudaGraphExec_t hGraphExec, cudaGraphNode_t hNode, unsigned int* isEnabled) {
    check(cuGraphNodeGetEnabled(hGraphExec, hNode, isEnabled));
}

void cudaGraphNodeSetEnabled(cudaGraphExec_t hGraphExec, cudaGraphNode_t hNode, unsigned int isEnabled) {
    check(cuGraphNodeSetEnabled(hGraphExec, hNode, isEnabled));
}

void cudaGraphInstantiate(cudaGraphExec_t* pGraphExec, cudaGraph_t graph, unsigned long long flags) {
    check(cuGraphInstantiateWithFlags(pGraphExec, graph, flags));
}

void cudaGraphInstantiateWithFlags(cudaGraphExec_t* pGraphExec, cudaGraph_t graph, unsigned long long flags) {
    check(cuGraphInstantiateWithFlags(pGraphExec, graph, flags));
}

void cudaGraphInstantiateWithParams(cudaGraphExec_t* pGraphExec, cudaGraph_t graph,
                                    cudaGraphInstantiateParams* instantiateParams) {
    check(CUDART_PTSZ(cuGraphInstantiateWithParams)(pGraphExec, graph, instantiateParams));
}

void cudaGraphExecDestroy(cudaGraphExec_t graphExec) { check(cuGraphExecDestroy(graphExec)); }

void cudaGraphExecGetFlags(cudaGraphExec_t graphExec, unsigned long long* flags) {
    require(flags, cudaErrorInvalidValue);
    cuuint64_t value = 0;
    check(cuGraphExecGetFlags(graphExec, &value));
    *flags = value;
}

void cudaGraphExecUpdate(cudaGraphExec_t hGraphExec, cudaGraph_t hGraph, cudaGraphExecUpdateResultInfo* resultInfo) {
    check(cuGraphExecUpdate_v2(hGraphExec, hGraph, resultInfo));
}

void cudaGraphLaunch(cudaGraphExec_t graphExec, cudaStream_t stream) {
    check(cuGraphLaunch(graphExec, effective(stream)));
}

void cudaGraphUpload(cudaGraphExec_t graphExec, cudaStream_t stream) {
    check(cuGraphUpload(graphExec, effective(stream)));
}

void cudaDeviceGetGraphMemAttribute(int device, cudaGraphMemAttributeType attr, void* value) {
    check(cuDeviceGetGraphMemAttribute(device, attr, value));
}

void cudaDeviceSetGraphMemAttribute(int device, cudaGraphMemAttributeType attr, void* value) {
    check(cuDeviceSetGraphMemAttribute(device, attr, value));
}

void cudaDeviceGraphMemTrim(int device) { check(cuDeviceGraphMemTrim(device)); }

void cudaGraphConditionalHandleCreate(cudaGraphConditionalHandle* pHandle_out, cudaGraph_t graph,
                                      unsigned int defaultLaunchValue, unsigned int flags) {
    CUcontext context = nullptr;
    check(cuCtxGetCurrent(&context));
    check(cuGraphConditionalHandleCreate(pHandle_out, graph, context, defaultLaunchValue, flags));
}

void cudaUserObjectCreate(cudaUserObject_t* object_out, void* ptr, cudaHostFn_t destroy, unsigned int initialRefcount,
                          unsigned int flags) {
    check(cuUserObjectCreate(object_out, ptr, destroy, initialRefcount, flags));
}

void cudaUserObjectRetain(cudaUserObject_t object, unsigned int count) { check(cuUserObjectRetain(object, count)); }

void cudaUserObjectRelease(cudaUserObject_t object, unsigned int count) { check(cuUserObjectRelease(object, count)); }

void cudaGraphRetainUserObject(cudaGraph_t graph, cudaUserObject_t object, unsigned int count, unsigned int flags) {
    check(cuGraphRetainUserObject(graph, object, count, flags));
}

void cudaGraphReleaseUserObject(cudaGraph_t graph, cudaUserObject_t object, unsigned int count) {
    check(cuGraphReleaseUserObject(graph, object, count));
}

} // namespace cudart::body

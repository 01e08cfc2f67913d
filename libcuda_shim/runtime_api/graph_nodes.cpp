#include "runtime_api/graph_nodes.h"
#include "runtime_api/bodies.h"
#include "runtime_api/copy.h"
#include "runtime_api/registry.h"

// Nodes of graphs. Kernels are named by their host stubs, copies by the runtime's description; all else is the
// driver's.
namespace cudart {

CUcontext current_context() {
    CUcontext current = nullptr;
    check(cuCtxGetCurrent(&current));
    return current;
}

CUDA_KERNEL_NODE_PARAMS driver_kernel(const cudaKernelNodeParams& from) {
    CUDA_KERNEL_NODE_PARAMS to{};
    to.func = Registry::get().function(from.func);
    to.gridDimX = from.gridDim.x, to.gridDimY = from.gridDim.y, to.gridDimZ = from.gridDim.z;
    to.blockDimX = from.blockDim.x, to.blockDimY = from.blockDim.y, to.blockDimZ = from.blockDim.z;
    to.sharedMemBytes = from.sharedMemBytes;
    to.kernelParams = from.kernelParams;
    to.extra = from.extra;
    return to;
}

namespace body {
namespace {

template <class T> const T& given(const T* parameters) {
    require(parameters, cudaErrorInvalidValue);
    return *parameters;
}

} // namespace

void cudaGraphAddEmptyNode(cudaGraphNode_t* pGraphNode, cudaGraph_t graph, const cudaGraphNode_t* pDependencies,
                           size_t numDependencies) {
    check(cuGraphAddEmptyNode(pGraphNode, graph, pDependencies, numDependencies));
}

void cudaGraphAddChildGraphNode(cudaGraphNode_t* pGraphNode, cudaGraph_t graph, const cudaGraphNode_t* pDependencies,
                                size_t numDependencies, cudaGraph_t childGraph) {
    check(cuGraphAddChildGraphNode(pGraphNode, graph, pDependencies, numDependencies, childGraph));
}

void cudaGraphChildGraphNodeGetGraph(cudaGraphNode_t node, cudaGraph_t* pGraph) {
    check(cuGraphChildGraphNodeGetGraph(node, pGraph));
}

void cudaGraphExecChildGraphNodeSetParams(cudaGraphExec_t hGraphExec, cudaGraphNode_t node, cudaGraph_t childGraph) {
    check(cuGraphExecChildGraphNodeSetParams(hGraphExec, node, childGraph));
}

void cudaGraphAddEventRecordNode(cudaGraphNode_t* pGraphNode, cudaGraph_t graph, const cudaGraphNode_t* pDependencies,
                                 size_t numDependencies, cudaEvent_t event) {
    check(cuGraphAddEventRecordNode(pGraphNode, graph, pDependencies, numDependencies, event));
}

void cudaGraphAddEventWaitNode(cudaGraphNode_t* pGraphNode, cudaGraph_t graph, const cudaGraphNode_t* pDependencies,
                               size_t numDependencies, cudaEvent_t event) {
    check(cuGraphAddEventWaitNode(pGraphNode, graph, pDependencies, numDependencies, event));
}

void cudaGraphEventRecordNodeGetEvent(cudaGraphNode_t node, cudaEvent_t* event_out) {
    check(cuGraphEventRecordNodeGetEvent(node, event_out));
}

void cudaGraphEventRecordNodeSetEvent(cudaGraphNode_t node, cudaEvent_t event) {
    check(cuGraphEventRecordNodeSetEvent(node, event));
}

void cudaGraphEventWaitNodeGetEvent(cudaGraphNode_t node, cudaEvent_t* event_out) {
    check(cuGraphEventWaitNodeGetEvent(node, event_out));
}

void cudaGraphEventWaitNodeSetEvent(cudaGraphNode_t node, cudaEvent_t event) {
    check(cuGraphEventWaitNodeSetEvent(node, event));
}

void cudaGraphExecEventRecordNodeSetEvent(cudaGraphExec_t hGraphExec, cudaGraphNode_t hNode, cudaEvent_t event) {
    check(cuGraphExecEventRecordNodeSetEvent(hGraphExec, hNode, event));
}

void cudaGraphExecEventWaitNodeSetEvent(cudaGraphExec_t hGraphExec, cudaGraphNode_t hNode, cudaEvent_t event) {
    check(cuGraphExecEventWaitNodeSetEvent(hGraphExec, hNode, event));
}

void cudaGraphAddHostNode(cudaGraphNode_t* pGraphNode, cudaGraph_t graph, const cudaGraphNode_t* pDependencies,
                          size_t numDependencies, const cudaHostNodeParams* pNodeParams) {
    check(cuGraphAddHostNode(pGraphNode, graph, pDependencies, numDependencies, pNodeParams));
}

void cudaGraphHostNodeGetParams(cudaGraphNode_t node, cudaHostNodeParams* pNodeParams) {
    check(cuGraphHostNodeGetParams(node, pNodeParams));
}

void cudaGraphHostNodeSetParams(cudaGraphNode_t node, const cudaHostNodeParams* pNodeParams) {
    check(cuGraphHostNodeSetParams(node, pNodeParams));
}

void cudaGraphExecHostNodeSetParams(cudaGraphExec_t hGraphExec, cudaGraphNode_t node,
                                    const cudaHostNodeParams* pNodeParams) {
    check(cuGraphExecHostNodeSetParams(hGraphExec, node, pNodeParams));
}

void cudaGraphAddKernelNode(cudaGraphNode_t* pGraphNode, cudaGraph_t graph, const cudaGraphNode_t* pDependencies,
                            size_t numDependencies, const cudaKernelNodeParams* pNodeParams) {
    const CUDA_KERNEL_NODE_PARAMS kernel = driver_kernel(given(pNodeParams));
    check(cuGraphAddKernelNode_v2(pGraphNode, graph, pDependencies, numDependencies, &kernel));
}

void cudaGraphKernelNodeSetParams(cudaGraphNode_t node, const cudaKernelNodeParams* pNodeParams) {
    const CUDA_KERNEL_NODE_PARAMS kernel = driver_kernel(given(pNodeParams));
    check(cuGraphKernelNodeSetParams_v2(node, &kernel));
}

void cudaGraphExecKernelNodeSetParams(cudaGraphExec_t hGraphExec, cudaGraphNode_t node,
                                      const cudaKernelNodeParams* pNodeParams) {
    const CUDA_KERNEL_NODE_PARAMS kernel = driver_kernel(given(pNodeParams));
    check(cuGraphExecKernelNodeSetParams_v2(hGraphExec, node, &kernel));
}

void cudaGraphKernelNodeGetParams(cudaGraphNode_t node, cudaKernelNodeParams* pNodeParams) {
    require(pNodeParams, cudaErrorInvalidValue);
    CUDA_KERNEL_NODE_PARAMS kernel{};
    check(cuGraphKernelNodeGetParams_v2(node, &kernel));
    *pNodeParams = {const_cast<void*>(Registry::get().stub_of(kernel.func)),
                    {kernel.gridDimX, kernel.gridDimY, kernel.gridDimZ},
                    {kernel.blockDimX, kernel.blockDimY, kernel.blockDimZ},
                    kernel.sharedMemBytes,
                    kernel.kernelParams,
                    kernel.extra};
}

void cudaGraphKernelNodeCopyAttributes(cudaGraphNode_t hDst, cudaGraphNode_t hSrc) {
    check(cuGraphKernelNodeCopyAttributes(hDst, hSrc));
}

void cudaGraphKernelNodeGetAttribute(cudaGraphNode_t hNode, cudaLaunchAttributeID attr,
                                     cudaLaunchAttributeValue* value_out) {
    check(cuGraphKernelNodeGetAttribute(hNode, attr, value_out));
}

void cudaGraphKernelNodeSetAttribute(cudaGraphNode_t hNode, cudaLaunchAttributeID attr,
                                     const cudaLaunchAttributeValue* value) {
    check(cuGraphKernelNodeSetAttribute(hNode, attr, value));
}

void cudaGraphAddMemsetNode(cudaGraphNode_t* pGraphNode, cudaGraph_t graph, const cudaGraphNode_t* pDependencies,
                            size_t numDependencies, const cudaMemsetParams* pMemsetParams) {
    check(cuGraphAddMemsetNode(pGraphNode, graph, pDependencies, numDependencies, pMemsetParams, current_context()));
}

void cudaGraphMemsetNodeGetParams(cudaGraphNode_t node, cudaMemsetParams* pNodeParams) {
    check(cuGraphMemsetNodeGetParams(node, pNodeParams));
}

void cudaGraphMemsetNodeSetParams(cudaGraphNode_t node, const cudaMemsetParams* pNodeParams) {
    check(cuGraphMemsetNodeSetParams(node, pNodeParams));
}

void cudaGraphExecMemsetNodeSetParams(cudaGraphExec_t hGraphExec, cudaGraphNode_t node,
                                      const cudaMemsetParams* pNodeParams) {
    check(cuGraphExecMemsetNodeSetParams(hGraphExec, node, pNodeParams, current_context()));
}

void cudaGraphAddMemAllocNode(cudaGraphNode_t* pGraphNode, cudaGraph_t graph, const cudaGraphNode_t* pDependencies,
                              size_t numDependencies, cudaMemAllocNodeParams* nodeParams) {
    check(cuGraphAddMemAllocNode(pGraphNode, graph, pDependencies, numDependencies, nodeParams));
}

void cudaGraphMemAllocNodeGetParams(cudaGraphNode_t node, cudaMemAllocNodeParams* params_out) {
    check(cuGraphMemAllocNodeGetParams(node, params_out));
}

void cudaGraphAddMemFreeNode(cudaGraphNode_t* pGraphNode, cudaGraph_t graph, const cudaGraphNode_t* pDependencies,
                             size_t numDependencies, void* dptr) {
    check(
        cuGraphAddMemFreeNode(pGraphNode, graph, pDependencies, numDependencies, reinterpret_cast<CUdeviceptr>(dptr)));
}

void cudaGraphMemFreeNodeGetParams(cudaGraphNode_t node, void* dptr_out) {
    check(cuGraphMemFreeNodeGetParams(node, static_cast<CUdeviceptr*>(dptr_out)));
}

} // namespace body
} // namespace cudart

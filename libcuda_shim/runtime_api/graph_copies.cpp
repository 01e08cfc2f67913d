#include "runtime_api/bodies.h"
#include "runtime_api/copy.h"

// Nodes of graphs that copy: boxes, rows of bytes, variables.
namespace cudart::body {
namespace {

void add(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* dependencies, size_t count,
         const CUDA_MEMCPY3D& copy) {
    CUcontext context = nullptr;
    check(cuCtxGetCurrent(&context));
    check(cuGraphAddMemcpyNode(node, graph, dependencies, count, &copy, context));
}

void set(cudaGraphNode_t node, const CUDA_MEMCPY3D& copy) { check(cuGraphMemcpyNodeSetParams(node, &copy)); }

void set(cudaGraphExec_t exec, cudaGraphNode_t node, const CUDA_MEMCPY3D& copy) {
    CUcontext context = nullptr;
    check(cuCtxGetCurrent(&context));
    check(cuGraphExecMemcpyNodeSetParams(exec, node, &copy, context));
}

CUDA_MEMCPY3D given(const cudaMemcpy3DParms* parameters) {
    require(parameters, cudaErrorInvalidValue);
    return box(*parameters);
}

} // namespace

void cudaGraphAddMemcpyNode(cudaGraphNode_t* pGraphNode, cudaGraph_t graph, const cudaGraphNode_t* pDependencies,
                            size_t numDependencies, const cudaMemcpy3DParms* pCopyParams) {
    add(pGraphNode, graph, pDependencies, numDependencies, given(pCopyParams));
}

void cudaGraphAddMemcpyNode1D(cudaGraphNode_t* pGraphNode, cudaGraph_t graph, const cudaGraphNode_t* pDependencies,
                              size_t numDependencies, void* dst, const void* src, size_t count, cudaMemcpyKind kind) {
    add(pGraphNode, graph, pDependencies, numDependencies, row(dst, src, count, kind));
}

void cudaGraphAddMemcpyNodeToSymbol(cudaGraphNode_t* pGraphNode, cudaGraph_t graph,
                                    const cudaGraphNode_t* pDependencies, size_t numDependencies, const void* symbol,
                                    const void* src, size_t count, size_t offset, cudaMemcpyKind kind) {
    add(pGraphNode, graph, pDependencies, numDependencies, row(in_symbol(symbol, count, offset), src, count, kind));
}

void cudaGraphAddMemcpyNodeFromSymbol(cudaGraphNode_t* pGraphNode, cudaGraph_t graph,
                                      const cudaGraphNode_t* pDependencies, size_t numDependencies, void* dst,
                                      const void* symbol, size_t count, size_t offset, cudaMemcpyKind kind) {
    add(pGraphNode, graph, pDependencies, numDependencies, row(dst, in_symbol(symbol, count, offset), count, kind));
}

void cudaGraphMemcpyNodeGetParams(cudaGraphNode_t node, cudaMemcpy3DParms* pNodeParams) {
    require(pNodeParams, cudaErrorInvalidValue);
    CUDA_MEMCPY3D copy{};
    check(cuGraphMemcpyNodeGetParams(node, &copy));
    *pNodeParams = runtime_box(copy);
}

void cudaGraphMemcpyNodeSetParams(cudaGraphNode_t node, const cudaMemcpy3DParms* pNodeParams) {
    set(node, given(pNodeParams));
}

void cudaGraphMemcpyNodeSetParams1D(cudaGraphNode_t node, void* dst, const void* src, size_t count,
                                    cudaMemcpyKind kind) {
    set(node, row(dst, src, count, kind));
}

void cudaGraphMemcpyNodeSetParamsToSymbol(cudaGraphNode_t node, const void* symbol, const void* src, size_t count,
                                          size_t offset, cudaMemcpyKind kind) {
    set(node, row(in_symbol(symbol, count, offset), src, count, kind));
}

void cudaGraphMemcpyNodeSetParamsFromSymbol(cudaGraphNode_t node, void* dst, const void* symbol, size_t count,
                                            size_t offset, cudaMemcpyKind kind) {
    set(node, row(dst, in_symbol(symbol, count, offset), count, kind));
}

void cudaGraphExecMemcpyNodeSetParams(cudaGraphExec_t hGraphExec, cudaGraphNode_t node,
                                      const cudaMemcpy3DParms* pNodeParams) {
    set(hGraphExec, node, given(pNodeParams));
}

void cudaGraphExecMemcpyNodeSetParams1D(cudaGraphExec_t hGraphExec, cudaGraphNode_t node, void* dst, const void* src,
                                        size_t count, cudaMemcpyKind kind) {
    set(hGraphExec, node, row(dst, src, count, kind));
}

void cudaGraphExecMemcpyNodeSetParamsToSymbol(cudaGraphExec_t hGraphExec, cudaGraphNode_t node, const void* symbol,
                                              const void* src, size_t count, size_t offset, cudaMemcpyKind kind) {
    set(hGraphExec, node, row(in_symbol(symbol, count, offset), src, count, kind));
}

void cudaGraphExecMemcpyNodeSetParamsFromSymbol(cudaGraphExec_t hGraphExec, cudaGraphNode_t node, void* dst,
                                                const void* symbol, size_t count, size_t offset, cudaMemcpyKind kind) {
    set(hGraphExec, node, row(dst, in_symbol(symbol, count, offset), count, kind));
}

} // namespace cudart::body

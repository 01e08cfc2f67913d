#include "api/constants.h"
#include "runtime_api/bodies.h"

// Functions as CUDA 11 and 12 had them, where 13 has other parameters: graphs without data on their edges, places in
// memory as device numbers.
namespace cudart::body {

void cudaGraphAddDependencies(cudaGraph_t graph, const cudaGraphNode_t* from, const cudaGraphNode_t* to,
                              size_t numDependencies) {
    check(cuGraphAddDependencies(graph, from, to, numDependencies));
}

void cudaGraphRemoveDependencies(cudaGraph_t graph, const cudaGraphNode_t* from, const cudaGraphNode_t* to,
                                 size_t numDependencies) {
    check(cuGraphRemoveDependencies(graph, from, to, numDependencies));
}

void cudaGraphGetEdges(cudaGraph_t graph, cudaGraphNode_t* from, cudaGraphNode_t* to, size_t* numEdges) {
    check(cuGraphGetEdges(graph, from, to, numEdges));
}

void cudaGraphNodeGetDependencies(cudaGraphNode_t node, cudaGraphNode_t* pDependencies, size_t* pNumDependencies) {
    check(cuGraphNodeGetDependencies(node, pDependencies, pNumDependencies));
}

void cudaGraphNodeGetDependentNodes(cudaGraphNode_t node, cudaGraphNode_t* pDependentNodes,
                                    size_t* pNumDependentNodes) {
    check(cuGraphNodeGetDependentNodes(node, pDependentNodes, pNumDependentNodes));
}

void cudaMemAdvise(const void* devPtr, size_t count, cudaMemoryAdvise advice, int device) {
    check(cuMemAdvise(reinterpret_cast<CUdeviceptr>(devPtr), count, advice, device));
}

void cudaMemPrefetchAsync(const void* devPtr, size_t count, int dstDevice, cudaStream_t stream) {
    check(cuMemPrefetchAsync(reinterpret_cast<CUdeviceptr>(devPtr), count, dstDevice, effective(stream)));
}

void cudaStreamGetCaptureInfo(cudaStream_t stream, cudaStreamCaptureStatus* pCaptureStatus, unsigned long long* pId) {
    cuuint64_t id = 0;
    check(cuStreamGetCaptureInfo(effective(stream), pCaptureStatus, pId ? &id : nullptr));
    if (pId) *pId = id;
}

void cudaStreamGetCaptureInfo(cudaStream_t stream, cudaStreamCaptureStatus* captureStatus_out,
                              unsigned long long* id_out, cudaGraph_t* graph_out,
                              const cudaGraphNode_t** dependencies_out, size_t* numDependencies_out) {
    cuuint64_t id = 0;
    check(cuStreamGetCaptureInfo_v2(effective(stream), captureStatus_out, id_out ? &id : nullptr, graph_out,
                                    dependencies_out, numDependencies_out));
    if (id_out) *id_out = id;
}

void cudaStreamUpdateCaptureDependencies(cudaStream_t stream, cudaGraphNode_t* dependencies, size_t numDependencies,
                                         unsigned int flags) {
    check(cuStreamUpdateCaptureDependencies(effective(stream), dependencies, numDependencies, flags));
}

// For devices without doubles, which had to be given floats: CUDA has run on none since its version 7.
cudaError_t cudaSetDoubleForDevice(double* /*d*/) { return cudaSuccess; }
cudaError_t cudaSetDoubleForHost(double* /*d*/) { return cudaSuccess; }

} // namespace cudart::body

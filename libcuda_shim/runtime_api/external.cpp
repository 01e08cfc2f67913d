#include "api/constants.h"
#include "runtime_api/bodies.h"
#include "runtime_api/channel.h"

#include <vector>

// Memory and semaphores of other interfaces, by file descriptors. Descriptors of CUDA 11 and 12 lack the reserved words
// at the end, the lists of semaphores before 11.2 those in the middle as well.
namespace cudart::body {

void cudaImportExternalMemory(cudaExternalMemory_t* extMem_out, const cudaExternalMemoryHandleDesc* memHandleDesc) {
    require(memHandleDesc, cudaErrorInvalidValue);
    const CUDA_EXTERNAL_MEMORY_HANDLE_DESC driver{
        memHandleDesc->type, memHandleDesc->handle, memHandleDesc->size, memHandleDesc->flags, {}};
    check(cuImportExternalMemory(extMem_out, &driver));
}

void cudaExternalMemoryGetMappedBuffer(void** devPtr, cudaExternalMemory_t extMem,
                                       const cudaExternalMemoryBufferDesc* bufferDesc) {
    require(devPtr && bufferDesc, cudaErrorInvalidValue);
    const CUDA_EXTERNAL_MEMORY_BUFFER_DESC driver{bufferDesc->offset, bufferDesc->size, bufferDesc->flags, {}};
    CUdeviceptr address = 0;
    check(cuExternalMemoryGetMappedBuffer(&address, extMem, &driver));
    *devPtr = reinterpret_cast<void*>(address);
}

void cudaExternalMemoryGetMappedMipmappedArray(cudaMipmappedArray_t* mipmap, cudaExternalMemory_t extMem,
                                               const cudaExternalMemoryMipmappedArrayDesc* mipmapDesc) {
    require(mipmapDesc, cudaErrorInvalidValue);
    const cudaExternalMemoryMipmappedArrayDesc& d = *mipmapDesc;
    const ElementFormat element = format_of(d.formatDesc);
    const CUDA_EXTERNAL_MEMORY_MIPMAPPED_ARRAY_DESC driver{
        d.offset,
        {d.extent.width, d.extent.height, d.extent.depth, element.format, element.channels, d.flags},
        d.numLevels,
        {}};
    check(cuExternalMemoryGetMappedMipmappedArray(mipmap, extMem, &driver));
}

void cudaDestroyExternalMemory(cudaExternalMemory_t extMem) { check(cuDestroyExternalMemory(extMem)); }

void cudaImportExternalSemaphore(cudaExternalSemaphore_t* extSem_out,
                                 const cudaExternalSemaphoreHandleDesc* semHandleDesc) {
    require(semHandleDesc, cudaErrorInvalidValue);
    const CUDA_EXTERNAL_SEMAPHORE_HANDLE_DESC driver{
        semHandleDesc->type, semHandleDesc->handle, semHandleDesc->flags, {}};
    check(cuImportExternalSemaphore(extSem_out, &driver));
}

void cudaDestroyExternalSemaphore(cudaExternalSemaphore_t extSem) { check(cuDestroyExternalSemaphore(extSem)); }

void cudaSignalExternalSemaphoresAsync(const cudaExternalSemaphore_t* extSemArray,
                                       const cudaExternalSemaphoreSignalParams* paramsArray, unsigned int numExtSems,
                                       cudaStream_t stream) {
    check(cuSignalExternalSemaphoresAsync(extSemArray, paramsArray, numExtSems, effective(stream)));
}

void cudaWaitExternalSemaphoresAsync(const cudaExternalSemaphore_t* extSemArray,
                                     const cudaExternalSemaphoreWaitParams* paramsArray, unsigned int numExtSems,
                                     cudaStream_t stream) {
    check(cuWaitExternalSemaphoresAsync(extSemArray, paramsArray, numExtSems, effective(stream)));
}

#if CUTTLE_CUDART_VERSION < 13000
namespace {

template <class Now, class Then> std::vector<Now> as_now(const Then* list, unsigned int count) {
    require(list, cudaErrorInvalidValue);
    std::vector<Now> result(count);
    for (unsigned int i = 0; i < count; ++i) {
        result[i].params.fence.value = list[i].params.fence.value;
        result[i].params.keyedMutex.key = list[i].params.keyedMutex.key;
        result[i].flags = list[i].flags;
    }
    return result;
}

} // namespace

void cudaSignalExternalSemaphoresAsync(const cudaExternalSemaphore_t* extSemArray,
                                       const cudaExternalSemaphoreSignalParams_v1* paramsArray, unsigned int numExtSems,
                                       cudaStream_t stream) {
    const auto params = as_now<cudaExternalSemaphoreSignalParams>(paramsArray, numExtSems);
    cudaSignalExternalSemaphoresAsync(extSemArray, params.data(), numExtSems, stream);
}

void cudaWaitExternalSemaphoresAsync(const cudaExternalSemaphore_t* extSemArray,
                                     const cudaExternalSemaphoreWaitParams_v1* paramsArray, unsigned int numExtSems,
                                     cudaStream_t stream) {
    const auto params = as_now<cudaExternalSemaphoreWaitParams>(paramsArray, numExtSems);
    cudaWaitExternalSemaphoresAsync(extSemArray, params.data(), numExtSems, stream);
}
#endif

void cudaGraphAddExternalSemaphoresSignalNode(cudaGraphNode_t* pGraphNode, cudaGraph_t graph,
                                              const cudaGraphNode_t* pDependencies, size_t numDependencies,
                                              const cudaExternalSemaphoreSignalNodeParams* nodeParams) {
    check(cuGraphAddExternalSemaphoresSignalNode(pGraphNode, graph, pDependencies, numDependencies, nodeParams));
}

void cudaGraphAddExternalSemaphoresWaitNode(cudaGraphNode_t* pGraphNode, cudaGraph_t graph,
                                            const cudaGraphNode_t* pDependencies, size_t numDependencies,
                                            const cudaExternalSemaphoreWaitNodeParams* nodeParams) {
    check(cuGraphAddExternalSemaphoresWaitNode(pGraphNode, graph, pDependencies, numDependencies, nodeParams));
}

void cudaGraphExternalSemaphoresSignalNodeGetParams(cudaGraphNode_t hNode,
                                                    cudaExternalSemaphoreSignalNodeParams* params_out) {
    check(cuGraphExternalSemaphoresSignalNodeGetParams(hNode, params_out));
}

void cudaGraphExternalSemaphoresWaitNodeGetParams(cudaGraphNode_t hNode,
                                                  cudaExternalSemaphoreWaitNodeParams* params_out) {
    check(cuGraphExternalSemaphoresWaitNodeGetParams(hNode, params_out));
}

void cudaGraphExternalSemaphoresSignalNodeSetParams(cudaGraphNode_t hNode,
                                                    const cudaExternalSemaphoreSignalNodeParams* nodeParams) {
    check(cuGraphExternalSemaphoresSignalNodeSetParams(hNode, nodeParams));
}

void cudaGraphExternalSemaphoresWaitNodeSetParams(cudaGraphNode_t hNode,
                                                  const cudaExternalSemaphoreWaitNodeParams* nodeParams) {
    check(cuGraphExternalSemaphoresWaitNodeSetParams(hNode, nodeParams));
}

void cudaGraphExecExternalSemaphoresSignalNodeSetParams(cudaGraphExec_t hGraphExec, cudaGraphNode_t hNode,
                                                        const cudaExternalSemaphoreSignalNodeParams* nodeParams) {
    check(cuGraphExecExternalSemaphoresSignalNodeSetParams(hGraphExec, hNode, nodeParams));
}

void cudaGraphExecExternalSemaphoresWaitNodeSetParams(cudaGraphExec_t hGraphExec, cudaGraphNode_t hNode,
                                                      const cudaExternalSemaphoreWaitNodeParams* nodeParams) {
    check(cuGraphExecExternalSemaphoresWaitNodeSetParams(hGraphExec, hNode, nodeParams));
}

} // namespace cudart::body

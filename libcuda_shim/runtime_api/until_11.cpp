#include "api/constants.h"
#include "runtime_api/bodies.h"
#include "runtime_api/context.h"

#include <algorithm>

// Functions as CUDA 11 had them, where 12 has other parameters: shorter structures, errors of graphs one by one.
namespace cudart::body {
namespace {

template <class Whole, class Beginning> void copy_beginning(const Whole& from, Beginning* to) {
    std::copy_n(reinterpret_cast<const unsigned char*>(&from), sizeof to->bytes, to->bytes);
}

} // namespace

void cudaFuncGetAttributes(cudaFuncAttributes_v1* attr, const void* func) {
    require(attr, cudaErrorInvalidValue);
    cudaFuncAttributes all{};
    cudaFuncGetAttributes(&all, func);
    copy_beginning(all, attr);
}

void cudaCreateTextureObject(cudaTextureObject_t* pTexObject, const cudaResourceDesc* pResDesc,
                             const cudaTextureDesc_v1* pTexDesc, const cudaResourceViewDesc* pResViewDesc) {
    require(pTexDesc, cudaErrorInvalidValue);
    cudaTextureDesc all{};
    std::copy_n(pTexDesc->bytes, sizeof pTexDesc->bytes, reinterpret_cast<unsigned char*>(&all));
    cudaCreateTextureObject(pTexObject, pResDesc, &all, pResViewDesc);
}

void cudaGetTextureObjectTextureDesc(cudaTextureDesc_v1* pTexDesc, cudaTextureObject_t texObject) {
    require(pTexDesc, cudaErrorInvalidValue);
    cudaTextureDesc all{};
    cudaGetTextureObjectTextureDesc(&all, texObject);
    copy_beginning(all, pTexDesc);
}

void cudaGetDriverEntryPoint(const char* symbol, void** funcPtr, unsigned long long flags) {
    cudaGetDriverEntryPoint(symbol, funcPtr, flags, nullptr);
}

void cudaGraphExecUpdate(cudaGraphExec_t hGraphExec, cudaGraph_t hGraph, cudaGraphNode_t* hErrorNode_out,
                         cudaGraphExecUpdateResult* updateResult_out) {
    require(updateResult_out, cudaErrorInvalidValue);
    cudaGraphExecUpdateResultInfo info{};
    const CUresult result = cuGraphExecUpdate_v2(hGraphExec, hGraph, &info);
    *updateResult_out = info.result;
    if (hErrorNode_out) *hErrorNode_out = info.errorNode;
    check(result);
}

void cudaGraphInstantiate(cudaGraphExec_t* pGraphExec, cudaGraph_t graph, cudaGraphNode_t* pErrorNode, char* pLogBuffer,
                          size_t bufferSize) {
    check(cuGraphInstantiate_v2(pGraphExec, graph, pErrorNode, pLogBuffer, bufferSize));
}

} // namespace cudart::body

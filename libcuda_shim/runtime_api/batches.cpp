#include "runtime_api/bodies.h"
#include "runtime_api/registry.h"

#include <climits>
#include <vector>

// Many copies, ranges or devices at once.
namespace cudart::body {
namespace {

CUdeviceptr* addresses(void** pointers) { return reinterpret_cast<CUdeviceptr*>(pointers); }

/// A kernel has a function for each context.
CUfunction function_of(const void* symbol, CUcontext context) {
    CUkernel kernel = Registry::get().kernel_or_handle(symbol);
    CUfunction function = nullptr;
    CUcontext popped = nullptr;
    check(cuCtxPushCurrent_v2(context));
    const CUresult found = cuKernelGetFunction(&function, kernel);
    check(cuCtxPopCurrent_v2(&popped));
    check(found);
    return function;
}

} // namespace

void cudaMemcpyBatchAsync(void* const* dsts, const void* const* srcs, const size_t* sizes, size_t count,
                          cudaMemcpyAttributes* attrs, size_t* attrsIdxs, size_t numAttrs, cudaStream_t stream) {
    // The driver only reads what it takes without const.
    check(cuMemcpyBatchAsync_v2(addresses(const_cast<void**>(dsts)),
                                reinterpret_cast<CUdeviceptr*>(const_cast<void**>(srcs)), const_cast<size_t*>(sizes),
                                count, attrs, attrsIdxs, numAttrs, effective(stream)));
}

void cudaMemcpyBatchAsync(void** dsts, void** srcs, size_t* sizes, size_t count, cudaMemcpyAttributes* attrs,
                          size_t* attrsIdxs, size_t numAttrs, size_t* failIdx, cudaStream_t stream) {
    check(cuMemcpyBatchAsync(addresses(dsts), addresses(srcs), sizes, count, attrs, attrsIdxs, numAttrs, failIdx,
                             effective(stream)));
}

void cudaMemcpy3DBatchAsync(size_t numOps, cudaMemcpy3DBatchOp* opList, unsigned long long flags, cudaStream_t stream) {
    check(cuMemcpy3DBatchAsync_v2(numOps, opList, flags, effective(stream)));
}

void cudaMemcpy3DBatchAsync(size_t numOps, cudaMemcpy3DBatchOp* opList, size_t* failIdx, unsigned long long flags,
                            cudaStream_t stream) {
    check(cuMemcpy3DBatchAsync(numOps, opList, failIdx, flags, effective(stream)));
}

void cudaMemPrefetchBatchAsync(void** dptrs, size_t* sizes, size_t count, cudaMemLocation* prefetchLocs,
                               size_t* prefetchLocIdxs, size_t numPrefetchLocs, unsigned long long flags,
                               cudaStream_t stream) {
    check(cuMemPrefetchBatchAsync(addresses(dptrs), sizes, count, prefetchLocs, prefetchLocIdxs, numPrefetchLocs, flags,
                                  effective(stream)));
}

void cudaMemDiscardBatchAsync(void** dptrs, size_t* sizes, size_t count, unsigned long long flags,
                              cudaStream_t stream) {
    check(cuMemDiscardBatchAsync(addresses(dptrs), sizes, count, flags, effective(stream)));
}

void cudaMemDiscardAndPrefetchBatchAsync(void** dptrs, size_t* sizes, size_t count, cudaMemLocation* prefetchLocs,
                                         size_t* prefetchLocIdxs, size_t numPrefetchLocs, unsigned long long flags,
                                         cudaStream_t stream) {
    check(cuMemDiscardAndPrefetchBatchAsync(addresses(dptrs), sizes, count, prefetchLocs, prefetchLocIdxs,
                                            numPrefetchLocs, flags, effective(stream)));
}

void cudaLaunchCooperativeKernelMultiDevice(cudaLaunchParams* list, unsigned int numDevices, unsigned int flags) {
    require(list, cudaErrorInvalidValue);
    std::vector<CUDA_LAUNCH_PARAMS> launches;
    for (unsigned i = 0; i < numDevices; ++i) {
        const cudaLaunchParams& p = list[i];
        require(p.sharedMem <= UINT_MAX, cudaErrorInvalidValue);
        CUcontext context = nullptr;
        check(cuStreamGetCtx(effective(p.stream), &context));
        launches.push_back({function_of(p.func, context), p.gridDim.x, p.gridDim.y, p.gridDim.z, p.blockDim.x,
                            p.blockDim.y, p.blockDim.z, unsigned(p.sharedMem), effective(p.stream), p.args});
    }
    check(cuLaunchCooperativeKernelMultiDevice(launches.data(), numDevices, flags));
}

} // namespace cudart::body

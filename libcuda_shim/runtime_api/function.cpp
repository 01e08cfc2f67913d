#include "api/constants.h"
#include "runtime_api/bodies.h"
#include "runtime_api/context.h"
#include "runtime_api/registry.h"

#include <climits>

// Execution control, occupancy and libraries.
namespace cudart::body {
namespace {

CUlaunchConfig driver_config(const cudaLaunchConfig_t& from) {
    CUlaunchConfig to{};
    to.gridDimX = from.gridDim.x, to.gridDimY = from.gridDim.y, to.gridDimZ = from.gridDim.z;
    to.blockDimX = from.blockDim.x, to.blockDimY = from.blockDim.y, to.blockDimZ = from.blockDim.z;
    require(from.dynamicSmemBytes <= UINT_MAX, cudaErrorInvalidValue);
    to.sharedMemBytes = unsigned(from.dynamicSmemBytes);
    to.hStream = effective(from.stream);
    to.attrs = from.attrs;
    to.numAttrs = from.numAttrs;
    return to;
}

// The driver takes a kernel where it takes a function. CUDA driver API, cuLaunchKernel.
CUfunction as_function(CUkernel kernel) { return reinterpret_cast<CUfunction>(kernel); }

} // namespace

void cudaLaunchKernel(const void* func, dim3 grid, dim3 block, void** args, size_t shared, cudaStream_t stream) {
    require(shared <= UINT_MAX, cudaErrorInvalidValue);
    check(cuLaunchKernel(as_function(Registry::get().kernel_or_handle(func)), grid.x, grid.y, grid.z, block.x, block.y,
                         block.z, unsigned(shared), effective(stream), args, nullptr));
}

void cudaLaunchCooperativeKernel(const void* func, dim3 grid, dim3 block, void** args, size_t shared,
                                 cudaStream_t stream) {
    require(shared <= UINT_MAX, cudaErrorInvalidValue);
    check(cuLaunchCooperativeKernel(as_function(Registry::get().kernel_or_handle(func)), grid.x, grid.y, grid.z,
                                    block.x, block.y, block.z, unsigned(shared), effective(stream), args));
}

void cudaLaunchKernelExC(const cudaLaunchConfig_t* config, const void* func, void** args) {
    require(config, cudaErrorInvalidValue);
    const CUlaunchConfig driver = driver_config(*config);
    check(cuLaunchKernelEx(&driver, as_function(Registry::get().kernel_or_handle(func)), args, nullptr));
}

void cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t fn, void* userData) {
    check(cuLaunchHostFunc(effective(stream), fn, userData));
}

void cudaGetKernel(cudaKernel_t* kernelPtr, const void* entryFuncAddr) {
    require(kernelPtr, cudaErrorInvalidValue);
    *kernelPtr = Registry::get().kernel(entryFuncAddr);
}

void cudaGetFuncBySymbol(cudaFunction_t* functionPtr, const void* symbolPtr) {
    require(functionPtr, cudaErrorInvalidValue);
    check(cuKernelGetFunction(functionPtr, Registry::get().kernel(symbolPtr)));
}

void cudaFuncGetAttributes(cudaFuncAttributes* attr, const void* func) {
    require(attr, cudaErrorInvalidValue);
    const CUfunction function = Registry::get().function(func);
    const auto get = [&](CUfunction_attribute which) {
        int value = 0;
        check(cuFuncGetAttribute(&value, which, function));
        return value;
    };
    cudaFuncAttributes out{};
    out.maxThreadsPerBlock = get(CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
    out.sharedSizeBytes = size_t(get(CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES));
    out.constSizeBytes = size_t(get(CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES));
    out.localSizeBytes = size_t(get(CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES));
    out.numRegs = get(CU_FUNC_ATTRIBUTE_NUM_REGS);
    out.ptxVersion = get(CU_FUNC_ATTRIBUTE_PTX_VERSION);
    out.binaryVersion = get(CU_FUNC_ATTRIBUTE_BINARY_VERSION);
    out.cacheModeCA = get(CU_FUNC_ATTRIBUTE_CACHE_MODE_CA);
    out.maxDynamicSharedSizeBytes = get(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES);
    out.preferredShmemCarveout = get(CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT);
    out.clusterDimMustBeSet = get(CU_FUNC_ATTRIBUTE_CLUSTER_SIZE_MUST_BE_SET);
    out.requiredClusterWidth = get(CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH);
    out.requiredClusterHeight = get(CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_HEIGHT);
    out.requiredClusterDepth = get(CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_DEPTH);
    out.nonPortableClusterSizeAllowed = get(CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED);
    out.clusterSchedulingPolicyPreference = get(CU_FUNC_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE);
    *attr = out;
}

void cudaFuncSetAttribute(const void* func, cudaFuncAttribute attr, int value) {
    check(cuFuncSetAttribute(Registry::get().function(func), attr, value));
}

void cudaFuncSetCacheConfig(const void* func, cudaFuncCache cacheConfig) {
    check(cuFuncSetCacheConfig(Registry::get().function(func), cacheConfig));
}

void cudaFuncSetSharedMemConfig(const void* func, cudaSharedMemConfig config) {
    check(cuFuncSetSharedMemConfig(Registry::get().function(func), config));
}

void cudaFuncGetName(const char** name, const void* func) {
    require(name, cudaErrorInvalidValue);
    check(cuFuncGetName(name, Registry::get().function(func)));
}

void cudaFuncGetParamInfo(const void* func, size_t paramIndex, size_t* paramOffset, size_t* paramSize) {
    check(cuFuncGetParamInfo(Registry::get().function(func), paramIndex, paramOffset, paramSize));
}

void cudaKernelSetAttributeForDevice(cudaKernel_t kernel, cudaFuncAttribute attr, int value, int device) {
    check(cuKernelSetAttribute(attr, value, kernel, device));
}

void cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* numBlocks, const void* func, int blockSize,
                                                            size_t dynamicSMemSize, unsigned int flags) {
    check(cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(numBlocks, Registry::get().function(func), blockSize,
                                                               dynamicSMemSize, flags));
}

void cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* numBlocks, const void* func, int blockSize,
                                                   size_t dynamicSMemSize) {
    cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(numBlocks, func, blockSize, dynamicSMemSize, 0);
}

void cudaOccupancyAvailableDynamicSMemPerBlock(size_t* dynamicSmemSize, const void* func, int numBlocks,
                                               int blockSize) {
    check(
        cuOccupancyAvailableDynamicSMemPerBlock(dynamicSmemSize, Registry::get().function(func), numBlocks, blockSize));
}

void cudaOccupancyMaxActiveClusters(int* numClusters, const void* func, const cudaLaunchConfig_t* launchConfig) {
    require(launchConfig, cudaErrorInvalidValue);
    const CUlaunchConfig driver = driver_config(*launchConfig);
    check(cuOccupancyMaxActiveClusters(numClusters, Registry::get().function(func), &driver));
}

void cudaOccupancyMaxPotentialClusterSize(int* clusterSize, const void* func, const cudaLaunchConfig_t* launchConfig) {
    require(launchConfig, cudaErrorInvalidValue);
    const CUlaunchConfig driver = driver_config(*launchConfig);
    check(cuOccupancyMaxPotentialClusterSize(clusterSize, Registry::get().function(func), &driver));
}

void cudaLibraryLoadData(cudaLibrary_t* library, const void* code, cudaJitOption* jitOptions, void** jitOptionsValues,
                         unsigned int numJitOptions, cudaLibraryOption* libraryOptions, void** libraryOptionValues,
                         unsigned int numLibraryOptions) {
    check(cuLibraryLoadData(library, code, jitOptions, jitOptionsValues, numJitOptions, libraryOptions,
                            libraryOptionValues, numLibraryOptions));
}

void cudaLibraryLoadFromFile(cudaLibrary_t* library, const char* fileName, cudaJitOption* jitOptions,
                             void** jitOptionsValues, unsigned int numJitOptions, cudaLibraryOption* libraryOptions,
                             void** libraryOptionValues, unsigned int numLibraryOptions) {
    check(cuLibraryLoadFromFile(library, fileName, jitOptions, jitOptionsValues, numJitOptions, libraryOptions,
                                libraryOptionValues, numLibraryOptions));
}

void cudaLibraryUnload(cudaLibrary_t library) { check(cuLibraryUnload(library)); }

void cudaLibraryGetKernel(cudaKernel_t* pKernel, cudaLibrary_t library, const char* name) {
    check(cuLibraryGetKernel(pKernel, library, name));
}

void cudaLibraryGetKernelCount(unsigned int* count, cudaLibrary_t lib) { check(cuLibraryGetKernelCount(count, lib)); }

void cudaLibraryEnumerateKernels(cudaKernel_t* kernels, unsigned int numKernels, cudaLibrary_t lib) {
    check(cuLibraryEnumerateKernels(kernels, numKernels, lib));
}

void cudaLibraryGetGlobal(void** dptr, size_t* bytes, cudaLibrary_t library, const char* name) {
    check(cuLibraryGetGlobal(reinterpret_cast<CUdeviceptr*>(dptr), bytes, library, name));
}

void cudaLibraryGetUnifiedFunction(void** fptr, cudaLibrary_t library, const char* symbol) {
    check(cuLibraryGetUnifiedFunction(fptr, library, symbol));
}

void cudaLibraryGetManaged(void** dptr, size_t* bytes, cudaLibrary_t library, const char* name) {
    check(cuLibraryGetManaged(reinterpret_cast<CUdeviceptr*>(dptr), bytes, library, name));
}

} // namespace cudart::body
